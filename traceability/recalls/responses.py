"""What people do about a notice: open it, answer it with counts, be told by telephone. Each is signed and on the log.

On the log stands a commitment: who answered what is shown to the owner and the regulator, and can be proved later.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from traceability.common import documents
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party

from . import gather, reach, standing
from .models import Acknowledgement, Notice, NoticeStep
from .services import STEP_KIND

# What became of the packs of a notice, as their holder counted.
COUNTS = ("set_aside", "sold", "passed_on", "destroyed", "not_found")
MAX_COUNT = 10**9
MAX_REASON = 500


@dataclass(frozen=True)
class Answer:
    """What a holder answers: `version` is that of the notice it read."""

    version: int
    counts: Mapping[str, Any]
    reason: str = ""


def open_notice(*, notice: Notice, member: Member) -> None:
    """Note that a member of the holder has it before them; the first time since its clocks began."""
    if notice.opened_ms is not None or notice.party_id != member.party_id:
        return
    at_ms = now_ms()
    signed = _signed(member.party, "NoticeOpened", notice, member.pseudonym, at_ms, {})
    with transaction.atomic():
        # Of two who open it at one moment the first counts, and only its statement is submitted.
        first = Notice.objects.filter(id=notice.id, opened_ms=None).update(opened_ms=at_ms)
        if not first:
            return
        Notice.objects.filter(id=notice.id, delivered_ms=None).update(delivered_ms=at_ms)
        documents.store(signed)
        _keep(notice, NoticeStep.Kind.OPENED, NoticeStep.Channel.PORTAL, member.pseudonym, at_ms, signed)
    notice.opened_ms, notice.delivered_ms = at_ms, notice.delivered_ms or at_ms


def fetched(*, notice: Notice, actor: str) -> None:
    """Note that a system of the holder has read it over the API."""
    at_ms = now_ms()
    with transaction.atomic():
        if Notice.objects.filter(id=notice.id, delivered_ms=None).update(delivered_ms=at_ms):
            _keep(notice, NoticeStep.Kind.DELIVERED, NoticeStep.Channel.API, actor, at_ms, None)
            notice.delivered_ms = at_ms


def acknowledge(*, notice: Notice, actor: str, answer: Answer) -> Acknowledgement:
    """The holder's count of the packs of this version, signed with its key. ProblemError.

    Where the counts do not add up to the notice's packs, a reason is needed. Who has read an answer may correct it: the
    newest holds. Of two that answer what neither knew to be answered, the first counts.
    """
    counts, reason = _counts(answer.counts), answer.reason.strip()
    if len(reason) > MAX_REASON:
        raise _bad("reason", "recall-answer-reason", f"a reason has at most {MAX_REASON} characters")
    as_of = reach.custody_position() - 1
    held = gather.standing(reach.lots_of(notice.recall), notice.holder)
    if answer.version != notice.version or held.packs != notice.packs:
        reach.look(notice.recall, as_of + 1)
        detail = "packs have come or gone meanwhile; read the notice again"
        raise ProblemError(409, "notice-changed", detail, pointer="/version")
    if sum(counts.values()) != notice.packs and not reason:
        detail = f"the counts add up to {sum(counts.values())} and the notice names {notice.packs} packs: say why"
        raise _bad("reason", "recall-answer-difference", detail)
    party = _party_of(notice)
    at_ms = now_ms()
    said = {"counts": counts, "reason": reason, "packs": held.packs, "standing": held.digest, "asOf": as_of}
    signed = _signed(party, "RecallAcknowledgement", notice, actor, at_ms, said)
    row = Acknowledgement(
        statement_hash=signed.documents[0].statement_hash, notice=notice, version=notice.version, as_of_index=as_of,
        packs=notice.packs, counts=counts, reason=reason, list_digest=held.digest, actor=actor, at_ms=at_ms,
    )  # fmt: skip
    with transaction.atomic():
        same = Notice.objects.filter(id=notice.id, version=answer.version)
        if not same.filter(answered_ms=notice.answered_ms).update(answered_ms=at_ms, answered_index=as_of):
            raise answered() if same.exists() else ProblemError(409, "notice-changed", "it was renewed; read it again")
        Notice.objects.filter(id=notice.id, delivered_ms=None).update(delivered_ms=at_ms)
        row.save(force_insert=True)
        documents.store(signed)
    notice.answered_ms, notice.answered_index = at_ms, as_of
    return row


def answered() -> ProblemError:
    """That somebody else of the party has answered meanwhile."""
    return ProblemError(409, "notice-answered", "your party has answered meanwhile; read the notice again")


def note_call(*, member: Member, notice: Notice, remark: str) -> None:
    """The owner's people told the party by telephone. ProblemError."""
    standing.require_signer(member)
    text = remark.strip()
    if notice.recall.owner_id != member.party_id:
        raise ProblemError(404, "not-found", "there is no such recall of yours", "NoSuchResourceException")
    if not 0 < len(text) <= 300:
        raise _bad("remark", "recall-call", "say whom you spoke to, in 1 to 300 characters")
    at_ms = now_ms()
    signed = _signed(member.party, "NoticeCalled", notice, member.pseudonym, at_ms, {"remark": text})
    with transaction.atomic():
        documents.store(signed)
        step = _keep(notice, NoticeStep.Kind.DELIVERED, NoticeStep.Channel.PHONE, member.pseudonym, at_ms, signed)
        NoticeStep.objects.filter(id=step.id).update(detail=text)
        Notice.objects.filter(id=notice.id, delivered_ms=None).update(delivered_ms=at_ms)


def packs_of(notice: Notice, among: Collection[gather.Spot] | None = None) -> gather.Packs:
    """The very packs of a notice as they stand now, those that its party dispensed included; all, or at these spots."""
    return gather.packs(reach.lots_of(notice.recall), notice.holder, among)


def spots_of(notice: Notice) -> dict[gather.Spot, Counter[str]]:
    """Where the packs of a notice are, with how many of each lot number."""
    return gather.spots(reach.lots_of(notice.recall), notice.holder)


def _counts(given: Mapping[str, Any]) -> dict[str, int]:
    unknown = sorted(set(given) - set(COUNTS))
    if unknown:
        raise _bad(f"counts/{unknown[0]}", "recall-answer-count", f"counts are {', '.join(COUNTS)}")
    for name, value in given.items():
        if type(value) is not int or not 0 <= value <= MAX_COUNT:
            raise _bad(f"counts/{name}", "recall-answer-count", f"{name} is a whole number of packs, from 0")
    return {name: given.get(name, 0) for name in COUNTS}


def _party_of(notice: Notice) -> Party:
    if notice.party is None:
        raise ProblemError(404, "not-found", "nobody is registered under this notice", "NoSuchResourceException")
    return notice.party


def _signed(
    party: Party, kind: str, notice: Notice, actor: str, at_ms: int, more: Mapping[str, Any]
) -> documents.Signed:
    body = {
        "@type": kind,
        "recall": notice.recall_id,
        "notice": notice.id,
        "version": notice.version,
        "party": party.uri,
        "actor": actor,
        "time": at_ms,
        **more,
    }
    return documents.prepare([documents.Draft(STEP_KIND, body, party.uri, parties.signer_for(party))])


def _keep(
    notice: Notice, kind: str, channel: str, actor: str, at_ms: int, signed: documents.Signed | None
) -> NoticeStep:
    return NoticeStep.objects.create(
        notice=notice, kind=kind, channel=channel, version=notice.version, at_ms=at_ms, actor=actor,
        statement_hash=signed.documents[0].statement_hash if signed else "",
    )  # fmt: skip


def _bad(field: str, code: str, detail: str) -> ProblemError:
    return ProblemError(400, code, detail, "ValidationException", pointer=f"/{field}")
