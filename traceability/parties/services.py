"""Changing parties, their places, licences, people and tokens; each change of master data is a logged version."""

import secrets
from collections.abc import Sequence
from datetime import date

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from traceability.common import time_zones
from traceability.common.clock import now_ms
from traceability.gs1 import check_digit
from traceability.gs1.urn import PREFIX_LENGTHS

from . import selectors, throttle
from .keys import (
    KeyActError,
    Warrant,
    bad_since_of,
    create_hosted_key,
    register_device_key,
    revoke_key,
    rotate_device_key,
    rotate_hosted_key,
)
from .models import ApiToken, Licence, Member, Party, PartyIdentifier, Site
from .versions import log_version

__all__ = [
    "ConfirmationError",
    "KeyActError",
    "Warrant",
    "add_company_prefix",
    "add_member",
    "bad_since_of",
    "confirm",
    "create_hosted_key",
    "create_party",
    "end_member",
    "issue_token",
    "register_device_key",
    "revoke_key",
    "revoke_token",
    "rotate_device_key",
    "rotate_hosted_key",
    "save_licence",
    "save_party",
    "save_site",
]


class ConfirmationError(Exception):
    """A high-risk action was not confirmed: the password is wrong or the reason is missing. `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def create_party(
    *,
    id: str,
    name: str,
    roles: Sequence[str],
    gln: str | None = None,
    uscc: str | None = None,
    company_prefixes: Sequence[str] = (),
    cbv_compliant: bool = False,
) -> Party:
    """A new party with a hosted key; its first version is signed by the regulator, or by itself while there is none."""
    party = Party(id=id, name=name, roles=list(roles), cbv_compliant=cbv_compliant)
    _require_roles(roles)
    party.full_clean()
    with transaction.atomic():
        party.save(force_insert=True)
        for scheme, value in ((PartyIdentifier.Scheme.GLN, gln), (PartyIdentifier.Scheme.USCC, uscc)):
            if value:
                _identifier(party, scheme, value)
        for value in company_prefixes:
            _identifier(party, PartyIdentifier.Scheme.COMPANY_PREFIX, value)
        create_hosted_key(party=party)
        _log_party(party)
    return party


def add_company_prefix(*, party: Party, value: str) -> None:
    """A GS1 company prefix of the party, logged with its next version; ValidationError if malformed or another's."""
    with transaction.atomic():
        _identifier(party, PartyIdentifier.Scheme.COMPANY_PREFIX, value)
        _log_party(party)


def save_party(*, party: Party) -> Party:
    """Store a changed party and log the new version."""
    _require_roles(party.roles)
    party.full_clean()
    with transaction.atomic():
        party.save()
        _log_party(party)
    return party


def save_site(
    *,
    id: str,
    party: Party,
    name: str,
    latitude_e6: int,
    longitude_e6: int,
    time_zone: str,
    city: str,
    country: str,
    gln: str | None = None,
) -> Site:
    """Create or change a site; its version is signed by its party. Coordinates in micro-degrees.

    ValidationError, Gs1Error: a field is malformed or taken, or the site is another party's.
    """
    fields = {
        "party": party,
        "name": name,
        "gln": gln,
        "latitude_e6": latitude_e6,
        "longitude_e6": longitude_e6,
        "time_zone": time_zone,
        "city": city,
        "country": country,
    }
    _require_zone(time_zone)
    if gln:
        check_digit.require(gln, name="GLN", length=13)
    known = Site.objects.filter(id=id).first()
    if known is not None and known.party_id != party.id:
        raise ValidationError({"id": ValidationError(f"the site {id} is another party's", code="not-yours")})
    site = known or Site(id=id)
    for field, value in fields.items():
        setattr(site, field, value)
    site.full_clean()
    with transaction.atomic():
        site.save(force_insert=known is None)  # never over what another party made meanwhile
        log_version(subject=f"site:{id}", content={**fields, "party": party.id, "uri": site.uri}, by=party)
    return site


def save_licence(*, party: Party, kind: str, number: str, authority: str, valid_from: date, valid_to: date) -> Licence:
    """Create or change a licence; its version is signed by the regulator. ValidationError: a field does not fit."""
    if valid_to < valid_from:
        raise ValidationError({"valid_to": "a licence ends on the day it begins, or later"})
    licence = Licence.objects.filter(kind=kind, number=number).first() or Licence(kind=kind, number=number, party=party)
    if licence.party_id != party.id:
        raise ValidationError({"number": f"{number} is another party's licence"})
    licence.authority, licence.valid_from, licence.valid_to = authority, valid_from, valid_to
    licence.full_clean()
    with transaction.atomic():
        licence.save()
        content = {
            "party": party.id,
            "authority": authority,
            "valid_from": valid_from.isoformat(),
            "valid_to": valid_to.isoformat(),
        }
        log_version(subject=f"licence:{kind}:{number}", content=content, by=selectors.regulator() or party)
    return licence


def add_member(*, party: Party, username: str, password: str, role: str, site_id: str | None = None) -> Member:
    """A person who may sign in for a party; the log will know them by a random pseudonym only."""
    users = get_user_model()
    user = users(username=username)
    user.full_clean(exclude=["password"])  # the user name is well formed and not in use
    validate_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save()
        member = Member(user=user, party=party, role=role, pseudonym=f"m-{secrets.token_hex(8)}", site_id=site_id)
        member.full_clean()
        member.save()
    return member


def end_member(*, member: Member) -> None:
    """The person may not sign in any more; what they did stays under their pseudonym."""
    with transaction.atomic():
        users = get_user_model().objects.filter(pk=member.user_id)
        users.update(is_active=False)


def issue_token(*, party: Party, label: str) -> str:
    """A new bearer token in clear, which is shown once; only its hash is kept."""
    plain = f"dt_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        ApiToken.objects.create(digest=selectors.token_digest(plain), party=party, label=label, created_ms=now_ms())
    return plain


def revoke_token(*, digest: str) -> None:
    """Refuse a token from now on."""
    with transaction.atomic():
        ApiToken.objects.filter(digest=digest, revoked_ms=None).update(revoked_ms=now_ms())


def confirm(member: Member, password: str, reason: str) -> str:
    """Re-authenticate for a high-risk action (21 CFR 11.200); the reason, stripped. ConfirmationError otherwise."""
    if not reason.strip():
        raise ConfirmationError("reason-missing")
    username = member.user.get_username()
    if throttle.wait_seconds(username):
        raise ConfirmationError("password-wait")
    if not member.user.check_password(password):
        throttle.note_failure(username)
        raise ConfirmationError("password-wrong")
    return reason.strip()


def _identifier(party: Party, scheme: str, value: str) -> None:
    if scheme == PartyIdentifier.Scheme.GLN:
        check_digit.require(value, name="GLN", length=13)
    is_prefix = value.isascii() and value.isdigit() and len(value) in PREFIX_LENGTHS
    if scheme == PartyIdentifier.Scheme.COMPANY_PREFIX and not is_prefix:
        raise ValidationError({scheme: f"a GS1 company prefix has 6 to 12 digits; {value[:20]!r} is none"})
    if PartyIdentifier.objects.filter(scheme=scheme, value=value).exists():
        raise ValidationError({scheme: f"{value} is another party's"})
    PartyIdentifier.objects.create(party=party, scheme=scheme, value=value)


def _log_party(party: Party) -> None:
    content = {
        "name": party.name,
        "roles": party.roles,
        "active": party.active,
        "cbv_compliant": party.cbv_compliant,
        "identifiers": [
            {"scheme": row.scheme, "value": row.value} for row in party.identifiers.order_by("scheme", "value")
        ],
    }
    log_version(subject=f"party:{party.id}", content=content, by=selectors.regulator() or party)


def _require_roles(roles: Sequence[str]) -> None:
    unknown = [role for role in roles if role not in Party.Role.values]
    if unknown or not roles:
        raise ValidationError({"roles": f"roles are one or more of {', '.join(Party.Role.values)}"})


def _require_zone(name: str) -> None:
    if not time_zones.is_known(name):
        raise ValidationError({"time_zone": f"{name} is not an IANA time zone such as Asia/Shanghai"})
