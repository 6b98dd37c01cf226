"""The consumer's paths: landing page, Digital Link, drug trace code, evidence, the check of saved evidence."""

from django.urls import path, re_path

from traceability.gs1 import keys
from traceability.web.language import set_language

from . import resolver_views, verify_views, views

_KEYS = "|".join(keys.QUALIFIERS)

urlpatterns = [
    path("", views.home, name="consumer-home"),
    path("language", set_language, name="language"),
    path("look-up", views.look_up, name="consumer-look-up"),
    path(".well-known/gs1resolver", resolver_views.description),
    # A value may hold a slash (percent-encoded in the link, plain when it gets here).
    re_path(rf"^(?P<link>(?:{_KEYS})/.+)$", resolver_views.digital_link),
    path("c/<path:code>", resolver_views.other_code),
    path("verify/", verify_views.page, name="consumer-verify"),
    path("verify/worker.js", verify_views.worker, name="consumer-verify-worker"),
    path("evidence/01/<str:gtin>/10/<path:lot>/21/<path:serial>", views.digital_link_evidence),
    path("evidence/01/<str:gtin>/21/<path:serial>", views.digital_link_evidence),
    path("evidence/c/<str:code>", views.trace_code_evidence),
]
