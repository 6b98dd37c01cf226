"""Reading a call: the step, the codes as scanned, the place and the details; ProblemError names what makes no sense."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError, pointer
from traceability.epcis import times
from traceability.epcis.documents import document_uri
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party, Site

from . import in_force
from .steps import Step
from .tables import TABLES

MAX_CODES = 1000
MAX_TEXT = 500  # characters of a code or a detail
MAX_LOT = 20  # AI 10
ABROAD = "urn:dosetrail:abroad:"
_COUNTRY = re.compile("[A-Z]{2}")
_DOCUMENTS = ("despatch", "order", "report", "rma")


@dataclass(frozen=True)
class Scan:
    """A scan that was read: who, which step, which codes, where, with what details, at what time."""

    party: Party
    member: Member | None
    step: Step
    codes: list[ScannedCode]
    site: Site
    details: dict[str, str]
    now: int

    @property
    def today(self) -> date:
        """The calendar day at the place."""
        return datetime.fromtimestamp(self.now / 1000, ZoneInfo(self.site.time_zone)).date()

    @property
    def offset_minutes(self) -> int:
        offset = datetime.fromtimestamp(self.now / 1000, ZoneInfo(self.site.time_zone)).utcoffset()
        return int(offset.total_seconds() // 60) if offset else 0

    @property
    def epcs(self) -> list[str]:
        """What was scanned, each thing once, in the order of scanning."""
        return list(dict.fromkeys(code.epc for code in self.codes if code.epc))

    @property
    def raw(self) -> list[str]:
        return [code.raw for code in self.codes]

    @property
    def may(self) -> bool:
        """Whether the member's role suffices; a party's own system acts for the party."""
        return self.member is None or not self.step.quality_only or is_quality(self.member)


def is_quality(member: Member) -> bool:
    """Whether the member may release and override: quality or admin."""
    return member.role in {Member.Role.QUALITY, Member.Role.ADMIN}


def read(
    *,
    party: Party,
    member: Member | None,
    step: str,
    codes: Sequence[str],
    place: str,
    details: Mapping[str, str],
) -> Scan:
    """The call as the rooms below understand it."""
    if member is not None and member.party_id != party.id:
        raise ProblemError(403, "not-your-party", "this person does not act for this party")
    chosen = in_force.step_for(party.roles, step)
    if chosen is None:
        raise _no_such_step(step)
    if not 1 <= len(codes) <= MAX_CODES:
        raise ProblemError(400, "codes", f"a step takes 1 to {MAX_CODES} codes", pointer="/codes")
    if "\x00" in place:
        raise ProblemError(400, "place", "a place has no NUL in its name", pointer="/place")
    site = parties.site_by_uri(place) or Site.objects.filter(id=place).first()
    if site is None or site.party_id != party.id:
        detail = f"{place[:200]!r} is not a place of this party"
        raise ProblemError(403, "not-your-place", detail, pointer="/place")
    now = now_ms()
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    scanned = [_code(text, today, pointer("codes", number)) for number, text in enumerate(codes)]
    understood = _details(chosen, details, today)
    if "ward" in understood:
        understood["ward"] = _ward(party, understood["ward"])
    if "witness" in understood:
        understood["witness"] = _witness(party, member, understood["witness"])
    return Scan(party, member, chosen, scanned, site, understood, now)


def _no_such_step(step: str) -> ProblemError:
    if any(table.step(step) for table in TABLES):
        detail = f"{step} is not a step of this party's roles"
        return ProblemError(403, "not-your-step", detail, pointer="/step")
    return ProblemError(400, "unknown-step", f"there is no step {step[:60]!r}", pointer="/step")


def own_uri(party: Party) -> str:
    """The URI that names the party in source and destination lists: its GLN, where it has one."""
    uris = parties.uris_of(party)
    return uris[1] if len(uris) > 1 else uris[0]


def _code(raw: str, today: date, where: str) -> ScannedCode:
    if len(raw) > MAX_TEXT or "\x00" in raw:
        detail = f"{raw[:60]!r}: a code has at most {MAX_TEXT} characters and no NUL"
        raise ProblemError(400, "code-unreadable", detail, pointer=where)
    try:
        return scan.parse(raw, today=today)
    except Gs1Error as error:
        raise ProblemError(400, f"code-{error.code}", f"{raw[:60]!r}: {error.detail}", pointer=where) from error


def _details(step: Step, given: Mapping[str, str], today: date) -> dict[str, str]:
    """The details that say something: party names become URIs, a container's code its EPC, numbers documents."""
    details = {name: str(value).strip() for name, value in given.items() if str(value).strip()}
    missing = [name for name in step.needs if name not in details]
    if missing:
        detail = f"the step {step.id} needs: {', '.join(missing)}"
        raise ProblemError(400, "details-missing", detail, pointer=pointer("details", missing[0]))
    for name, value in details.items():
        if len(value) > MAX_TEXT or "\x00" in value:
            detail = f"{name} has at most {MAX_TEXT} characters and no NUL"
            raise ProblemError(400, "details", detail, pointer=pointer("details", name))
    for name in {"receiver", "sender"} & details.keys():
        details[name] = _party_uri(name, details[name])
    for name in details.keys() & set(_DOCUMENTS):
        details[name] = document_uri(details[name])
    if "container" in details:
        details["container"] = _container(details["container"], today)
    if "country" in details:
        details["receiver"] = _abroad(details["country"])
    _require_lot_and_date(details)
    if "quantity_left" in details and not (details["quantity_left"].isascii() and details["quantity_left"].isdigit()):
        detail = "the quantity left must be a whole number"
        raise ProblemError(400, "quantity-left", detail, pointer="/details/quantity_left")
    return details


def _ward(party: Party, value: str) -> str:
    """The URI of another place of the party, by URI or id."""
    site = parties.site_by_uri(value) or Site.objects.filter(id=value).first()
    if site is None or site.party_id != party.id:
        detail = f"{value[:200]!r} is not a place of this party"
        raise ProblemError(400, "ward", detail, pointer="/details/ward")
    return site.uri


def _witness(party: Party, member: Member | None, name: str) -> str:
    """The pseudonym of another active member of the party, by user name or pseudonym."""
    found = Member.objects.filter(Q(user__username=name) | Q(pseudonym=name), party=party, user__is_active=True).first()
    if found is None or (member is not None and found.pk == member.pk):
        detail = "the witness is another person of this organisation, by user name"
        raise ProblemError(400, "witness", detail, pointer="/details/witness")
    return found.pseudonym


def _party_uri(name: str, value: str) -> str:
    party = parties.party_by_uri(value) or Party.objects.filter(id=value).first()
    if party is None or not party.active:
        detail = f"{value!r} is not a party that is registered here"
        raise ProblemError(400, f"unknown-{name}", detail, pointer=pointer("details", name))
    return own_uri(party)


def _abroad(country: str) -> str:
    """Whom an export goes to: nobody here, so that nobody here can claim to have received it."""
    if _COUNTRY.fullmatch(country) is None:
        detail = "the country is two capital letters (ISO 3166-1), such as NL"
        raise ProblemError(400, "country", detail, pointer="/details/country")
    return ABROAD + country


def _container(value: str, today: date) -> str:
    where = "/details/container"
    code = _code(value, today, where)
    if code.kind != "sscc":
        raise ProblemError(400, "container", "the container needs an SSCC", pointer=where)
    return code.epc


def _require_lot_and_date(details: Mapping[str, str]) -> None:
    lot = details.get("lot", "")
    if len(lot) > MAX_LOT or not lot.isprintable():
        detail = f"a lot number has at most {MAX_LOT} printable characters"
        raise ProblemError(400, "lot", detail, pointer="/details/lot")
    if "expiry" in details:
        try:
            times.day(details["expiry"])
        except ValueError as error:
            detail = "the expiry date must be year-month-day, such as 2028-12-31"
            raise ProblemError(400, "expiry", detail, pointer="/details/expiry") from error
