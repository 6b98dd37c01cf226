"""What people do about an exception: opening it puts the goods on hold, resolving it releases them, both on the log."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from traceability.capture.models import PublishedEvent
from traceability.common import once
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody import trace
from traceability.exchange import channels, deliveries
from traceability.exchange.models import Channel, Delivery
from traceability.exchange.partner_document import EXCEPTION_MESSAGE
from traceability.gs1.scan import ScannedCode
from traceability.parties.models import Member, Party
from traceability.scans import reading
from traceability.scans import services as scans

from . import arrival, gather, messages
from .models import ExceptionGoods, ExceptionItem, ExceptionStep

State = ExceptionItem.State
MAX_COMMENT = 500
_THINGS = {"pack", "sscc", "nmpa"}


@dataclass(frozen=True)
class Opening:
    """What a member says of goods that do not fit. `nonce` makes the same form, sent again, one exception."""

    kind: str
    codes: Sequence[str]
    place: str
    note: str
    partner: Party | None = None
    despatch: str = ""
    nonce: str = ""


def open_item(member: Member, what: Opening) -> ExceptionItem:
    """Open an exception and put its goods on hold, all or nothing; ProblemError, also preflight's of the hold.

    Data without product holds nothing: the goods are not here, and what is recorded as shipped cannot be sold anyway.
    """
    if what.kind not in ExceptionItem.Kind.values:
        raise ProblemError(400, "kind", f"the kind is one of {', '.join(ExceptionItem.Kind.values)}", pointer="/kind")
    note = _comment(what.note)
    scan = reading.read(
        party=member.party, member=member, step="hold", codes=what.codes, place=what.place, details={"reason": note}
    )
    things = {code.epc: code for code in scan.codes if code.kind in _THINGS}
    if len(things) < len(scan.epcs) or any(code.kind not in _THINGS for code in scan.codes):
        raise ProblemError(400, "not-things", "an exception is about packs, cases or pallets", pointer="/codes")
    name = once.form_id(
        what.nonce, member.party_id, what.kind, scan.raw, scan.site.uri, note, what.partner and what.partner.id,
        what.despatch, digits=24,
    )  # fmt: skip
    try:
        with transaction.atomic():
            return _opened(member, what, name, things, scan.site.uri)
    except IntegrityError as error:
        # The same form came twice at once, or another exception took one of the goods a moment before.
        found = ExceptionItem.objects.filter(id=name, party=member.party).first()
        if found is None:
            raise _taken() from error
        return found


def ask(member: Member, item: ExceptionItem, *, version: int) -> ExceptionItem:
    """Note that the partner was asked; from now on the partner sees it on its own desk. ProblemError."""
    with transaction.atomic():
        if _ask(member, item, version):
            _note(item, State.ASKED, member.pseudonym)
    return item


def send(member: Member, item: ExceptionItem, *, channel_id: str, version: int) -> ExceptionItem:
    """Ask the partner with the message over a channel that the party keeps to it. ProblemError.

    Crash anywhere: the message is in its turn on the channel and noted, or neither.
    """
    with transaction.atomic():
        if not _ask(member, item, version, channel_id):
            return item
        own = channels.to_partner(item.party, item.partner) if item.partner else []
        channel = next((one for one in own if one.id == channel_id), None)
        body = messages.document(item, list(item.goods.order_by("id"))) if channel else b""
        delivery = deliveries.hand_over_message(channel, body, EXCEPTION_MESSAGE) if channel else None
        if delivery is None:
            raise ProblemError(409, "no-channel", "this channel to the partner is not running", pointer="/channel")
        _note(item, State.ASKED, member.pseudonym, delivery=delivery)
    return item


def resend(member: Member, item: ExceptionItem, *, delivery_id: str) -> None:
    """Send a message that went out once more, with the same bytes. ProblemError 404, 409.

    A channel that is suspended stays so: its administrator lets it go on.
    """
    step = item.steps.select_related("delivery__channel__party").filter(delivery=delivery_id).first()
    if step is None or step.delivery is None or item.party_id != member.party_id:
        raise ProblemError(404, "not-found", "no message of this exception has this id")
    if step.delivery.channel.state != Channel.State.ACTIVE:
        raise ProblemError(409, "no-channel", "this channel to the partner is not running", pointer="/channel")
    deliveries.resend(step.delivery, member.party, actor=member.pseudonym)


def answer(member: Member, item: ExceptionItem, *, comment: str, version: int) -> ExceptionItem:
    """The partner's own word on what it was asked; the party that opened it decides. ProblemError."""
    return answer_for(member.party, item, actor=member.pseudonym, comment=comment, version=version)


def answer_for(party: Party, item: ExceptionItem, *, actor: str, comment: str, version: int) -> ExceptionItem:
    """`answer` by whoever acts for the partner: `actor` is a pseudonym, or how a token of its system is called."""
    said = _comment(comment)
    with transaction.atomic():
        asked = ExceptionItem.objects.filter(partner=party).exclude(asked_ms=None)
        state = State.ESCALATED if item.state == State.ESCALATED else State.ANSWERED
        if _move(asked, item, state, _Act(version, State.ANSWERED, actor, said)):
            _note(item, State.ANSWERED, actor, said)
    return item


def comment(member: Member, item: ExceptionItem, *, text: str, version: int) -> ExceptionItem:
    """The regulator's word on what was brought before it, for the party alone, which decides. ProblemError."""
    said = _comment(text)
    if not member.party.has_role(Party.Role.REGULATOR):
        raise ProblemError(403, "role", "the regulator comments on what is brought before it")
    with transaction.atomic():
        brought = ExceptionItem.objects.exclude(escalated_ms=None)
        if _move(brought, item, item.state, _Act(version, ExceptionStep.COMMENTED, member.pseudonym, said)):
            _note(item, ExceptionStep.COMMENTED, member.pseudonym, said)
    return item


def escalate(member: Member, item: ExceptionItem, *, comment: str, version: int) -> ExceptionItem:
    """Bring it before the regulator, with a reason. ProblemError."""
    reason = _comment(comment)
    with transaction.atomic():
        if _move(_own(member), item, State.ESCALATED, _Act(version, State.ESCALATED, member.pseudonym, reason)):
            ExceptionItem.objects.filter(id=item.id, escalated_ms=None).update(escalated_ms=now_ms())
            _note(item, State.ESCALATED, member.pseudonym, reason)
    return item


def resolve(member: Member, item: ExceptionItem, *, comment: str, release: bool, version: int) -> ExceptionItem:
    """Close it with a reason; `release` lets the goods go that it put on hold (quality role). ProblemError.

    Without `release` they stay on hold, to be sent back or destroyed.
    """
    reason = _comment(comment)
    if not reading.is_quality(member):
        raise ProblemError(403, "role", "an exception is resolved by people with the quality role")
    with transaction.atomic():
        if _move(_own(member), item, State.RESOLVED, _Act(version, State.RESOLVED, member.pseudonym, reason)):
            event_ids = _release(item, member, reason) if release else []
            _close(item, member.pseudonym, reason, event_ids)
    return item


def settle(item: ExceptionItem) -> bool:
    """Resolve it since what it waited for has arrived; False when a person was faster.

    ProblemError when the goods cannot be released, for instance because their lot was recalled meanwhile.
    """
    with transaction.atomic():
        found = ExceptionItem.objects.select_for_update().filter(id=item.id).exclude(state=State.RESOLVED).first()
        if found is None:
            return False
        event_ids = _release(found, None, "the missing data has arrived")
        ExceptionItem.objects.filter(id=item.id).update(state=State.RESOLVED, version=F("version") + 1)
        _close(found, "", "", event_ids)
    return True


def _opened(member: Member, what: Opening, name: str, things: dict[str, ScannedCode], place: str) -> ExceptionItem:
    is_taken = ExceptionGoods.objects.filter(party=member.party, epc__in=list(things), is_open=True).exists()
    # Looked for after the goods: it may be this form, sent before, that has taken them.
    known = ExceptionItem.objects.filter(id=name, party=member.party).first()
    if known is not None:
        return known
    if is_taken:
        raise _taken()
    now, note = now_ms(), _comment(what.note)
    item = ExceptionItem.objects.create(
        id=name, party=member.party, partner=what.partner, kind=what.kind, place=place, despatch=what.despatch,
        note=note, opened_ms=now, due_ms=now + settings.EXCEPTION_HOURS * 3_600_000, waits=False,
    )  # fmt: skip
    is_here = what.kind != ExceptionItem.Kind.DATA_NO_PRODUCT
    states = custody.items(things)
    before = {epc for epc, state in states.items() if state.held_index is not None}
    rows = ExceptionGoods.objects.bulk_create(
        ExceptionGoods(
            item=item, party=member.party, epc=epc, code=code.raw, lot=code.lot or "",
            expiry=code.expiry.isoformat() if code.expiry else "", held=is_here and epc not in before,
        )
        for epc, code in things.items()
    )  # fmt: skip
    # What looks complete at this moment is not resolved by itself a moment later: a person has seen something.
    waits = not arrival.has_arrived(item.kind, gather.goods_of([item], rows)[item.id])
    item.waits = waits and item.kind in arrival.SELF_RESOLVING
    item.save(update_fields=["waits"])
    event_ids: list[str] = []
    if held := [row.code for row in rows if row.held]:
        recorded = scans.record(
            party=member.party, member=member, step="hold", codes=held, place=place,
            details={"reason": f"{item.kind}: {note}"[:MAX_COMMENT]}, nonce=_nonce(item, "hold"),
            override_reason=note if reading.is_quality(member) else "",
        )  # fmt: skip
        event_ids = recorded.event_ids
    _note(item, State.OPEN, member.pseudonym, note, event_ids)
    return item


def _release(item: ExceptionItem, member: Member | None, reason: str) -> list[str]:
    """Release what this exception put on hold and nobody has put on hold since; the events' IDs."""
    rows = list(item.goods.filter(held=True))
    if not rows:
        return []
    ids = [one for step in item.steps.filter(state=State.OPEN) for one in step.event_ids]
    own = PublishedEvent.objects.filter(event_id__in=ids, reporter=item.party.uri)
    indexes = set(own.values_list("index", flat=True))
    # Not before custody has folded the hold: judged by what custody holds, goods would stay on hold that came too late.
    if len(indexes) < len(ids) or trace.horizon() < max(indexes):
        raise ProblemError(409, "hold-waiting", "the hold is on its way to the log; try again in a few seconds")
    states = custody.items([row.epc for row in rows])
    codes = [row.code for row in rows if row.epc in states and states[row.epc].held_index in indexes]
    if not codes:
        return []
    recorded = scans.record(
        party=item.party, member=member, step="release_hold", codes=codes, place=item.place,
        details={"reason": reason}, nonce=_nonce(item, "release"),
    )  # fmt: skip
    return recorded.event_ids


def _ask(member: Member, item: ExceptionItem, version: int, channel_id: str = "") -> bool:
    state = State.ESCALATED if item.state == State.ESCALATED else State.ASKED
    if not _move(_own(member), item, state, _Act(version, State.ASKED, member.pseudonym, channel_id=channel_id)):
        return False
    ExceptionItem.objects.filter(id=item.id, asked_ms=None).update(asked_ms=now_ms())
    return True


def _own(member: Member) -> QuerySet[ExceptionItem]:
    return ExceptionItem.objects.filter(party=member.party)


@dataclass(frozen=True)
class _Act:
    """What a member does about the version that was shown, as it is noted; `channel_id`: over which a message goes."""

    version: int
    state: str
    actor: str
    comment: str = ""
    channel_id: str = ""


def _move(theirs: QuerySet[ExceptionItem], item: ExceptionItem, state: str, act: _Act) -> bool:
    """Take the item to a state if it is among those that are the member's to move, and still as the member saw it.

    False: this very act is done, as by the same form sent before. ProblemError when somebody else was faster.
    """
    moved = theirs.filter(id=item.id, version=act.version).exclude(state=State.RESOLVED)
    if moved.update(state=state, version=F("version") + 1):
        item.state = state
        return True
    if theirs.filter(id=item.id, version=act.version + 1).exists() and act == _newest(item, act.version):
        return False
    raise ProblemError(409, "changed-meanwhile", "someone else has acted on this exception; look at it again")


def _newest(item: ExceptionItem, version: int) -> _Act | None:
    step = item.steps.select_related("delivery").order_by("-id").first()
    channel_id = step.delivery.channel_id if step and step.delivery else ""
    return _Act(version, step.state, step.actor, step.comment, channel_id) if step else None


def _close(item: ExceptionItem, actor: str, comment: str, event_ids: Sequence[str]) -> None:
    ExceptionItem.objects.filter(id=item.id).update(closed_ms=now_ms(), waits=False)
    item.goods.update(is_open=False)
    _note(item, State.RESOLVED, actor, comment, event_ids)


def _note(
    item: ExceptionItem, state: str, actor: str, comment: str = "", event_ids: Sequence[str] = (),
    *, delivery: Delivery | None = None,
) -> None:  # fmt: skip
    ExceptionStep.objects.create(
        item=item, state=state, at_ms=now_ms(), actor=actor, comment=comment, event_ids=list(event_ids),
        delivery=delivery,
    )  # fmt: skip


def _nonce(item: ExceptionItem, act: str) -> str:
    return f"exception:{item.id}:{act}"


def _comment(text: str) -> str:
    comment = text.strip()
    if not 1 <= len(comment) <= MAX_COMMENT or "\x00" in comment:
        raise ProblemError(400, "comment", f"say why, in 1 to {MAX_COMMENT} characters", pointer="/comment")
    return comment


def _taken() -> ProblemError:
    return ProblemError(
        409, "exception-open", "one of these goods is in another exception that is not resolved", pointer="/codes"
    )
