"""The consumer's paths: landing page, Digital Link, NMPA code, evidence."""

from django.urls import path

from traceability.web.language import set_language

urlpatterns = [
    path("language", set_language, name="language"),
]
