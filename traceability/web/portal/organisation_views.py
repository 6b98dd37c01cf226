"""The organisation's own affairs, for its administrators: people, systems' tokens, signing keys, licences."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.common.clock import now_ms
from traceability.parties import services as parties
from traceability.parties.models import ApiToken, Member, PartyKey
from traceability.web.shared import key_pages, names

from .access import member_view
from .problems import Error, worded

ROLES = {
    "operator": gettext_lazy("Operator: records steps"),
    "quality": gettext_lazy("Quality: also holds, releases and passes a stop"),
    "admin": gettext_lazy("Administrator: also manages people, tokens and keys"),
    "inspector": gettext_lazy("Inspector: works on alerts"),
}
ROLE_NAMES = {
    "operator": gettext_lazy("Operator"),
    "quality": gettext_lazy("Quality"),
    "admin": gettext_lazy("Administrator"),
    "inspector": gettext_lazy("Inspector"),
}
LICENCES = {
    "manufacture": gettext_lazy("Manufacture"),
    "wholesale": gettext_lazy("Wholesale"),
    "dispense": gettext_lazy("Dispense"),
}
MAX_LABEL = 64


class RefusedError(Exception):
    """The form cannot be done as it stands; `code` has its words in `problems`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@never_cache
@member_view
def organisation(request: HttpRequest, member: Member) -> HttpResponse:
    """Everything on one page; each form POSTs an `action`. A token is shown once, right after it was made."""
    if member.role != Member.Role.ADMIN:
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, member)
    action = _ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise Http404
    try:
        token = action(request, member)
    except RefusedError as error:
        return _page(request, member, errors=[worded(error.code, error.code)], status=400)
    except parties.ConfirmationError as error:
        return _page(request, member, errors=[worded(error.code, error.code)], status=403)
    if token:
        return _page(request, member, token=token)
    messages.success(request, _("Done."))
    return redirect("portal:organisation")


def _add_member(request: HttpRequest, member: Member) -> None:
    role = request.POST.get("role", "")
    if role not in _roles(member):
        raise RefusedError("member-role")
    username = request.POST.get("username", "").strip()
    try:
        parties.add_member(
            party=member.party, username=username, password=request.POST.get("new_password", ""), role=role
        )
    except ValidationError as error:
        raise RefusedError("username" if hasattr(error, "error_dict") else "new-password") from error


def _end_member(request: HttpRequest, member: Member) -> None:
    found = Member.objects.filter(party=member.party, pseudonym=request.POST.get("member", "")).first()
    if found is None:
        raise Http404
    if found.pk == member.pk:
        raise RefusedError("oneself")
    parties.end_member(member=found)


def _issue_token(request: HttpRequest, member: Member) -> str:
    label = request.POST.get("label", "").strip()
    if not 1 <= len(label) <= MAX_LABEL:
        raise RefusedError("label")
    return parties.issue_token(party=member.party, label=label)


def _revoke_token(request: HttpRequest, member: Member) -> None:
    found = ApiToken.objects.filter(party=member.party, digest=request.POST.get("token", "")).first()
    if found is None:
        raise Http404
    parties.revoke_token(digest=found.digest)


def _replace_key(request: HttpRequest, member: Member) -> None:
    reason = parties.confirm(member, request.POST.get("password", ""), request.POST.get("reason", ""))
    parties.rotate_hosted_key(party=member.party, warrant=parties.Warrant(member.pseudonym, reason))


_ACTIONS: dict[str, Callable[[HttpRequest, Member], str | None]] = {
    "add-member": _add_member,
    "end-member": _end_member,
    "issue-token": _issue_token,
    "revoke-token": _revoke_token,
    "replace-key": _replace_key,
}


def _roles(member: Member) -> dict[str, Any]:
    """The roles that people of this party may have."""
    is_regulator = member.party.has_role("regulator")
    return {role: text for role, text in ROLES.items() if (role == "inspector") <= is_regulator}


def _page(
    request: HttpRequest,
    member: Member,
    *,
    errors: tuple[Error, ...] | list[Error] = (),
    token: str = "",
    status: int = 200,
) -> HttpResponse:
    zone = names.zone_of(member)
    context = {
        "member": member,
        "section": "organisation",
        "people": [
            {"row": one, "role": ROLE_NAMES[one.role], "is_me": one.pk == member.pk}
            for one in member.party.members.select_related("user").order_by("user__username")
        ],
        "roles": _roles(member).items(),
        "tokens": [
            {"row": one, "made": names.moment(one.created_ms, zone), "ended": names.moment(one.revoked_ms, zone)}
            for one in member.party.tokens.order_by("revoked_ms", "-created_ms")
        ],
        "keys": [_key(one, zone) for one in member.party.keys.order_by("-created_ms")],
        "licences": [
            {"row": one, "kind": LICENCES.get(one.kind, one.kind)} for one in member.party.licences.order_by("valid_to")
        ],
        "today": names.moment(now_ms(), zone)[:10],
        "token": token,
        "given": request.POST,
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
    }
    return render(request, "portal/organisation.html", context, status=status)


def _key(key: PartyKey, zone: Any) -> dict[str, Any]:
    return {
        "kid": key.kid[:16],
        "label": key.label,
        "is_hosted": key.sealed_seed is not None,
        "made": names.moment(key.created_ms, zone),
        "url": key.kid,
        "state": key_pages.state(key, zone),
    }
