"""The API's description, for machines and for people."""

from django.urls import path

from . import views

app_name = "api-schema"
urlpatterns = [
    path("schema", views.Description.as_view(), name="schema"),
    path("docs", views.page, name="docs"),
]
