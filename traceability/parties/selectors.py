"""Reading parties: who a token, a URI, a key or a session belongs to."""

import hashlib
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from django.db.models import Q

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from . import keys
from .models import PARTY_NAMESPACE, SITE_NAMESPACE, ApiToken, Member, Party, PartyIdentifier, PartyKey, Site

_GLN_PARTY = "https://id.gs1.org/417/"
_GLN_PLACE = "https://id.gs1.org/414/"
# EPCIS 1.2 had no name of a party: its software writes the SGLN of the party's GLN for owner and possessor.
_GLN_NAMES = (_GLN_PARTY, _GLN_PLACE)


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


class NoSignerError(LookupError):
    """A party has no hosted key in force: nothing of it can be signed here."""


def signer_for(party: Party) -> ledger.SigningKey:
    """The party's newest hosted key that is not revoked or retired; NoSignerError when it has none."""
    hosted = keys.in_force(now_ms()).filter(party=party, sealed_seed__isnull=False)
    key = hosted.order_by("-created_ms").first()
    if key is None:
        raise NoSignerError(f"{party} has no hosted key that is in force")
    return _unsealed(key.kid, bytes(key.sealed_seed or b""))


def key_by_kid(kid: bytes) -> PartyKey | None:
    """The registered key of that id, revoked or not, or None."""
    return PartyKey.objects.filter(kid=kid.hex()).first()


def party_by_uri(uri: str) -> Party | None:
    """The party named by its own URI, or by its GLN as Digital Link or EPC URN, as a party's or as a place's."""
    if uri.startswith(PARTY_NAMESPACE):
        return Party.objects.filter(id=uri.removeprefix(PARTY_NAMESPACE)).first()
    return parties_by_uri([uri]).get(uri)


def names_of_parties(uris: Collection[str]) -> dict[str, str]:
    """The names of parties by their URIs (their own, or a GLN's canonical Digital Link); unknown ones as given."""
    ids = {uri.removeprefix(PARTY_NAMESPACE) for uri in uris if uri.startswith(PARTY_NAMESPACE)}
    glns = {uri: gln for uri in uris if (gln := _gln(uri))}
    by_id = dict(Party.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}
    rows = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.GLN, value__in=set(glns.values()))
    by_gln = dict(rows.values_list("value", "party__name")) if glns else {}

    def name(uri: str) -> str:
        if uri.startswith(PARTY_NAMESPACE):
            return by_id.get(uri.removeprefix(PARTY_NAMESPACE), uri)
        return by_gln.get(glns.get(uri, ""), uri)

    return {uri: name(uri) for uri in uris}


def ids_by_uri(uris: Collection[str]) -> dict[str, str]:
    """The ids of parties by their URIs (their own, or a GLN's canonical Digital Link); unknown ones are left out."""
    own = {uri: uri.removeprefix(PARTY_NAMESPACE) for uri in uris if uri.startswith(PARTY_NAMESPACE)}
    glns = {uri: gln for uri in uris if (gln := _gln(uri))}
    rows = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.GLN, value__in=set(glns.values()))
    by_gln = dict(rows.values_list("value", "party_id")) if glns else {}
    return own | {uri: by_gln[gln] for uri, gln in glns.items() if gln in by_gln}


def names_of_places(uris: Collection[str]) -> dict[str, str]:
    """The names of places by their URIs (our own, or a GLN's canonical Digital Link); unknown ones as given."""
    ids = {uri.removeprefix(SITE_NAMESPACE) for uri in uris if uri.startswith(SITE_NAMESPACE)}
    glns = {uri.removeprefix(_GLN_PLACE).split("/")[0] for uri in uris if uri.startswith(_GLN_PLACE)}
    rows = Site.objects.filter(Q(id__in=ids) | Q(gln__in=glns)).values_list("id", "gln", "name") if ids or glns else []
    names = {key: name for site_id, gln, name in rows for key in (f"{SITE_NAMESPACE}{site_id}", f"{_GLN_PLACE}{gln}")}

    def key(uri: str) -> str:
        return _GLN_PLACE + uri.removeprefix(_GLN_PLACE).split("/")[0] if uri.startswith(_GLN_PLACE) else uri

    return {uri: names.get(key(uri), uri) for uri in uris}


def uris_of(party: Party) -> list[str]:
    """Every URI under which events may name the party: its own, its GLNs as a party's, and those as a place's."""
    glns = list(party.identifiers.filter(scheme=PartyIdentifier.Scheme.GLN).values_list("value", flat=True))
    return [party.uri, *(name + gln for name in _GLN_NAMES for gln in glns)]


def uris_of_many(uris: Collection[str]) -> dict[str, frozenset[str]]:
    """`uris_of` of parties by their own URIs, in one query; others are left out."""
    ids = {uri.removeprefix(PARTY_NAMESPACE): uri for uri in uris if uri.startswith(PARTY_NAMESPACE)}
    glns = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.GLN, party__in=list(ids))
    found = {uri: {uri} for uri in ids.values()}
    for party, gln in glns.values_list("party_id", "value"):
        found[ids[party]] |= {name + gln for name in _GLN_NAMES}
    return {uri: frozenset(named) for uri, named in found.items()}


def company_prefixes() -> frozenset[str]:
    """The GS1 company prefixes that are registered here, of whichever party."""
    rows = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.COMPANY_PREFIX)
    return frozenset(rows.values_list("value", flat=True))


def site_by_uri(uri: str) -> Site | None:
    """The site named by our URI or by its GLN (an extension for a sub-site is ignored)."""
    return sites_by_uri([uri]).get(uri)


def sites_by_uri(uris: Collection[str]) -> dict[str, Site]:
    """`site_by_uri` of many in one query, with their parties; URIs that name no site are left out."""
    keys = {uri: key for uri in uris if (key := _site_key(uri)) is not None}
    if not keys:
        return {}
    ids, glns = ({value for scheme, value in keys.values() if scheme == wanted} for wanted in ("id", "gln"))
    rows = Site.objects.select_related("party").filter(Q(id__in=ids) | Q(gln__in=glns))
    found = {key: row for row in rows for key in (("id", row.id), ("gln", row.gln))}
    return {uri: found[key] for uri, key in keys.items() if key in found}


def _site_key(uri: str) -> tuple[str, str] | None:
    if uri.startswith(SITE_NAMESPACE):
        return "id", uri.removeprefix(SITE_NAMESPACE)
    try:
        key = epc.canonical(uri)
    except Gs1Error:
        return None
    return ("gln", key.removeprefix(_GLN_PLACE).split("/")[0]) if key.startswith(_GLN_PLACE) else None


def parties_by_own_uri(uris: Collection[str]) -> dict[str, Party]:
    """Parties by the URIs that statements name as their issuer, in one query; others are left out."""
    ids = [uri.removeprefix(PARTY_NAMESPACE) for uri in uris if uri.startswith(PARTY_NAMESPACE)]
    return {row.uri: row for row in Party.objects.filter(id__in=ids)} if ids else {}


def parties_by_uri(uris: Collection[str]) -> dict[str, Party]:
    """`party_by_uri` of many in two queries; URIs that name no party are left out."""
    found = parties_by_own_uri(uris)
    glns = {uri: gln for uri in uris if uri not in found and (gln := _gln_of(uri))}
    rows = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.GLN, value__in=set(glns.values()))
    by_gln = {row.value: row.party for row in rows.select_related("party")} if glns else {}
    return found | {uri: by_gln[gln] for uri, gln in glns.items() if gln in by_gln}


def _gln_of(uri: str) -> str:
    """The GLN in a party's Digital Link or EPC URN, '' for anything else."""
    try:
        return _gln(epc.canonical(uri))
    except Gs1Error:
        return ""


def _gln(key: str) -> str:
    """The GLN of a canonical key of a party or a place, '' of any other."""
    return next((key.removeprefix(name).split("/")[0] for name in _GLN_NAMES if key.startswith(name)), "")


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


@lru_cache(maxsize=1024)
def _unsealed(kid: str, sealed: bytes) -> ledger.SigningKey:
    return keys.unseal(PartyKey(kid=kid, sealed_seed=sealed))
