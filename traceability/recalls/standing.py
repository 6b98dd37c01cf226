"""Who may recall what: people with the quality role of a regulator, or of the maker of every lot."""

from django.core.exceptions import ValidationError
from django.db import models

from traceability.common.problems import ProblemError
from traceability.parties.models import Member, Party
from traceability.products.models import TradeItem

from .content import Content

_SIGNERS = {Member.Role.QUALITY.value, Member.Role.ADMIN.value}


def may_sign(party: Party, role: str) -> bool:
    """Whether people of that role of a party draft and sign recalls."""
    if party.has_role(Party.Role.REGULATOR):
        return role in _SIGNERS | {Member.Role.INSPECTOR.value}
    return party.has_role(Party.Role.MANUFACTURER) and role in _SIGNERS


def require_signer(member: Member) -> None:
    """ProblemError 403 for who may not."""
    if not may_sign(member.party, member.role):
        detail = "recalls are drafted and signed by people with the quality role, of the regulator or the maker"
        raise ProblemError(403, "role", detail)


def require_authority(party: Party, content: Content) -> None:
    """ProblemError 403 when a lot is not of the party's own products and it is no regulator."""
    if party.has_role(Party.Role.REGULATOR):
        return
    gtins = {gtin for gtin, _ in content.lots}
    own = set(TradeItem.objects.filter(gtin__in=gtins, manufacturer=party).values_list("gtin", flat=True))
    foreign = sorted(gtins - own)
    if foreign:
        detail = f"{', '.join(foreign)}: only its maker or a regulator recalls a product"
        raise ProblemError(403, "not-your-product", detail, pointer="/lots")


def require_clean(row: models.Model) -> None:
    """ProblemError 400 naming each field that its model refuses."""
    try:
        row.clean_fields()
    except ValidationError as error:
        errors = [
            {"pointer": f"/{field}", "field": field, "code": f"recall-{field}", "message": " ".join(messages)}
            for field, messages in error.message_dict.items()
        ]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
        raise ProblemError(400, errors[0]["code"], detail, "ValidationException", errors=errors) from error
