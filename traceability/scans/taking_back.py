"""Taking back the last scans: a step recorded by mistake is declared void, while nothing has been built on it."""

from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import transaction

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import CapturedEvent, EventEpc, PublishedEvent
from traceability.capture.services import Accepted
from traceability.common import bulk, storage_full
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.parties.models import Member, Party

from . import answers, build, reading
from .models import ScanEvent
from .preflight import ALLOW
from .steps import Shape
from .tables import step_for

STEP = "take_back"  # of the scan that is kept; no step of a role's table
HELD_BY_EXCEPTION = "exception:"  # how the nonces of holds and releases of the exceptions desk begin
# What speaks to others than the goods' holder (lots), or has an undo with rules of its own.
_NEVER = {Shape.LOT, Shape.UNDO, Shape.NONE}
_DETAILS = {
    "not-taken-back": "this step is not taken back so",
    "of-an-exception": "this belongs to an exception: resolve that",
    "taken-back": "this was taken back already",
    "too-late": "this was recorded too long ago",
    "elsewhere": "this was recorded at another place: only people there, or with the quality role, take it back",
    "not-published": "this is on its way to the log; try again in a few seconds",
    "acted-on": "something was recorded of these goods since: take that back first",
    "acted-on-by-others": "another organisation has recorded something of these goods since",
}


def hindrance(row: ScanEvent, member: Member) -> str:
    """Why the member's party cannot take this scan back, as a stable code, or ''."""
    step = step_for(member.party.roles, row.step)
    if row.step == STEP or step is None or step.shape in _NEVER or step.biz_step == "dispensing" or not row.event_ids:
        return "not-taken-back"
    if (row.nonce or "").startswith(HELD_BY_EXCEPTION):
        return "of-an-exception"
    return _of_events(row, member) or _of_person(row, member)


def _of_person(row: ScanEvent, member: Member) -> str:
    if now_ms() - row.scanned_ms > settings.TAKE_BACK_HOURS * 3_600_000:
        return "too-late"
    is_here = member.site is None or member.site.uri == row.place
    return "" if is_here or reading.is_quality(member) else "elsewhere"


def _of_events(row: ScanEvent, member: Member) -> str:
    own = CapturedEvent.objects.filter(reporter=member.party.uri, event_id__in=row.event_ids)
    if own.exclude(declaration="").exists():
        return "taken-back"
    events = _events(row, member)
    if len(events) < len(set(row.event_ids)):
        return "not-published"
    if any(event.voided_by is not None for event in events):
        return "taken-back"
    others = {event.reporter for event in _later([event.index for event in events])}
    if others - {member.party.uri}:
        return "acted-on-by-others"
    return "acted-on" if others else ""


def withdrawn(party: Party, event_ids: Collection[str]) -> set[str]:
    """Those of a party's events that are declared void, on the log or on their way to it; two queries."""
    declared = CapturedEvent.objects.filter(reporter=party.uri).exclude(declaration="")
    void = PublishedEvent.objects.filter(reporter=party.uri, declaration_ms=None).exclude(voided_by=None)
    return {
        event_id
        for rows in (declared, void)
        for event_id in bulk.among(rows.values_list("event_id", flat=True), "event_id", event_ids)
    }


@storage_full.refused()
def take_back(member: Member, row: ScanEvent, *, reason: str) -> list[Accepted]:
    """Declare the events of a scan void; ProblemError 409 with the hindrance's code, 400 without a reason.

    Declarations and the scan that tells of them are one transaction.
    """
    if row.party != member.party_id:
        raise ProblemError(404, "not-found", "there is no scan of this party under this number")
    if not reason.strip():
        raise ProblemError(400, "reason", "say why it is taken back", pointer="/reason")
    answers.require_room(override_reason=reason)
    with transaction.atomic():
        # Two at one moment: the second waits here, and finds the first one's declarations.
        own = CapturedEvent.objects.filter(reporter=member.party.uri, event_id__in=row.event_ids, declaration="")
        list(own.select_for_update().order_by("statement_hash"))
        if code := hindrance(row, member):
            raise ProblemError(409, code, _DETAILS[code])
        events, now = _events(row, member), now_ms()
        bodies = captured.bodies([event.index for event in events])
        declared = [
            build.declared_void(bodies[event.index], at=build.local(now, event.offset_minutes), reason=reason.strip())
            for event in events
        ]
        return capture.accept_events(
            declared,
            reporter=member.party,
            annotation={"member": member.pseudonym, "role": member.role, "verdict": ALLOW},
            beside=lambda accepted: _keep(member, row, reason.strip(), accepted),
        )


def _events(row: ScanEvent, member: Member) -> list[PublishedEvent]:
    """The scan's own events that are published, in the order of the log."""
    found = PublishedEvent.objects.filter(event_id__in=row.event_ids, reporter=member.party.uri, declaration_ms=None)
    return list(found.order_by("index"))


def _later(indexes: Collection[int]) -> list[PublishedEvent]:
    """What else was recorded since of the things that these events name, and of what lies in them; loggers apart."""
    named = set(bulk.among(EventEpc.objects.values_list("epc", flat=True), "event_index", indexes))
    things = named | custody.all_contents(named)
    since = EventEpc.objects.filter(event_index__gt=max(indexes)).values_list("event_index", flat=True)
    effective = PublishedEvent.objects.filter(declaration_ms=None, voided_by=None).exclude(biz_step="sensor_reporting")
    return list(bulk.among(effective, "index", set(bulk.among(since, "epc", things)) - set(indexes)))


def _keep(member: Member, row: ScanEvent, reason: str, accepted: Sequence[Accepted]) -> None:
    ScanEvent.objects.create(
        party=row.party,
        member=member.pseudonym,
        step=STEP,
        place=row.place,
        codes=row.codes,
        details={"reason": reason, "step": row.step},
        verdict=ALLOW,
        reasons=[],
        event_ids=[one.event_id for one in accepted],
        statement_hashes=[one.statement_hash for one in accepted],
        scanned_ms=now_ms(),
    )
