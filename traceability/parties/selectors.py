"""Reading parties: who a token, a URI, a key or a session belongs to."""

import hashlib
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from . import keys
from .models import PARTY_NAMESPACE, SITE_NAMESPACE, ApiToken, Member, Party, PartyIdentifier, PartyKey, Site

_GLN_PARTY = "https://id.gs1.org/417/"
_GLN_PLACE = "https://id.gs1.org/414/"


def token_digest(plain: str) -> str:
    """What is kept of a bearer token."""
    return hashlib.sha256(plain.encode()).hexdigest()


def party_for_token(plain: str) -> Party | None:
    """The active party of an unrevoked bearer token, or None."""
    token = (
        ApiToken.objects.select_related("party")
        .filter(digest=token_digest(plain), revoked_ms=None, party__active=True)
        .first()
    )
    return token.party if token else None


def signer_for(party: Party) -> ledger.SigningKey:
    """The party's newest hosted key that is not revoked; LookupError when it has none."""
    key = (
        PartyKey.objects.filter(party=party, revoked_ms=None, sealed_seed__isnull=False).order_by("-created_ms").first()
    )
    if key is None:
        raise LookupError(f"{party} has no hosted key that is in force")
    return _unsealed(key.kid, bytes(key.sealed_seed or b""))


def key_by_kid(kid: bytes) -> PartyKey | None:
    """The registered key of that id, revoked or not, or None."""
    return PartyKey.objects.filter(kid=kid.hex()).first()


def party_by_uri(uri: str) -> Party | None:
    """The party named by its own URI, or by its GLN as Digital Link or EPC URN."""
    if uri.startswith(PARTY_NAMESPACE):
        return Party.objects.filter(id=uri.removeprefix(PARTY_NAMESPACE)).first()
    try:
        key = epc.canonical(uri)
    except Gs1Error:
        return None
    if not key.startswith(_GLN_PARTY):
        return None
    found = (
        PartyIdentifier.objects.select_related("party")
        .filter(scheme=PartyIdentifier.Scheme.GLN, value=key.removeprefix(_GLN_PARTY).split("/")[0])
        .first()
    )
    return found.party if found else None


def uris_of(party: Party) -> list[str]:
    """Every URI under which events may name the party: its own and its GLNs."""
    glns = party.identifiers.filter(scheme=PartyIdentifier.Scheme.GLN).values_list("value", flat=True)
    return [party.uri, *(_GLN_PARTY + gln for gln in glns)]


def site_by_uri(uri: str) -> Site | None:
    """The site named by our URI or by its GLN (an extension for a sub-site is ignored)."""
    if uri.startswith(SITE_NAMESPACE):
        return Site.objects.select_related("party").filter(id=uri.removeprefix(SITE_NAMESPACE)).first()
    try:
        key = epc.canonical(uri)
    except Gs1Error:
        return None
    if not key.startswith(_GLN_PLACE):
        return None
    return Site.objects.select_related("party").filter(gln=key.removeprefix(_GLN_PLACE).split("/")[0]).first()


def member_for(user: Any) -> Member | None:
    """The membership of a signed-in user, with party and site, or None."""
    if not user.is_authenticated:
        return None
    return Member.objects.select_related("party", "site", "user").filter(user=user).first()


def regulator() -> Party | None:
    """The (first) regulator, or None before there is one."""
    found = [
        party for party in Party.objects.filter(active=True).order_by("id") if party.has_role(Party.Role.REGULATOR)
    ]
    return found[0] if found else None


def is_licence_valid(party: Party, kind: str) -> bool:
    """Whether the party holds a licence of `kind` today."""
    today = _today()
    return party.licences.filter(kind=kind, valid_from__lte=today, valid_to__gte=today).exists()


def _today() -> date:
    return datetime.fromtimestamp(now_ms() / 1000, UTC).date()


@lru_cache(maxsize=1024)
def _unsealed(kid: str, sealed: bytes) -> ledger.SigningKey:
    return keys.unseal(PartyKey(kid=kid, sealed_seed=sealed))
