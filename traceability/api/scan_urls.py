"""The plain scan API, for systems that will never build EPCIS."""

from django.urls import path

from . import scan_views as views
from .epcis_base import Missing

app_name = "scan-api"
urlpatterns = [
    path("preflight", views.Preflight.as_view(), name="preflight"),
    path("scans", views.Scans.as_view(), name="scans"),
    path("statements", views.Statements.as_view(), name="statements"),
    path("logger-files", views.LoggerFiles.as_view(), name="logger-files"),
    path("logger-files/<str:sha256>", views.LoggerFile.as_view(), name="logger-file"),
    path("<path:rest>", Missing.as_view()),
]
