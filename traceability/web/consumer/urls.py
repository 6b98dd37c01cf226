"""The consumer's paths: landing page, Digital Link, drug trace code, evidence, the check of saved evidence."""

from django.urls import path

from traceability.web.language import set_language

from . import verify_views, views

urlpatterns = [
    path("", views.home, name="consumer-home"),
    path("language", set_language, name="language"),
    path("look-up", views.look_up, name="consumer-look-up"),
    # A lot or serial number may hold a slash (percent-encoded in the link, plain when it gets here).
    path("01/<str:gtin>/10/<path:lot>/21/<path:serial>", views.digital_link),
    path("01/<str:gtin>/21/<path:serial>", views.digital_link),
    path("01/<path:rest>", views.no_pack),
    path("c/<str:code>", views.trace_code),
    path("verify/", verify_views.page, name="consumer-verify"),
    path("verify/worker.js", verify_views.worker, name="consumer-verify-worker"),
    path("evidence/01/<str:gtin>/10/<path:lot>/21/<path:serial>", views.digital_link_evidence),
    path("evidence/01/<str:gtin>/21/<path:serial>", views.digital_link_evidence),
    path("evidence/c/<str:code>", views.trace_code_evidence),
]
