"""Recalls: the regulator's own, and every one that a maker has published."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from traceability.parties.models import Member
from traceability.web.shared import recall_pages

from .access import inspector_view

FACE = recall_pages.Face("regulator/base.html", "regulator")


@inspector_view
def recalls(request: HttpRequest, member: Member) -> HttpResponse:
    """All recalls."""
    return recall_pages.listing(request, member, FACE)


@inspector_view
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """A new draft."""
    return recall_pages.edit(request, member, FACE)


@inspector_view
def edit(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """Change a draft."""
    return recall_pages.edit(request, member, FACE, recall_id)


@inspector_view
def recall(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """One recall."""
    return recall_pages.recall(request, member, FACE, recall_id)


@inspector_view
def calls(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """Whom to call."""
    return recall_pages.calls(request, member, FACE, recall_id)


@inspector_view
def csv(request: HttpRequest, member: Member, recall_id: str) -> HttpResponseBase:
    """Who was told, as CSV."""
    return recall_pages.holders_csv(request, member, recall_id)
