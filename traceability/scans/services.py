"""Scanning: preflight from current state, then record through capture."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from traceability.capture import services as capture
from traceability.capture.models import PublishedEvent
from traceability.capture.services import Accepted
from traceability.common import storage_full
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.epcis import times
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party

from . import answers, build, gather, in_force, reading, undo
from .answers import Answer
from .preflight import STOP, Ask, Preflight, judge
from .reading import Scan
from .reasons import HARD, UNDO_GUARD
from .steps import Shape


@dataclass(frozen=True)
class Recorded:
    """What a recorded step became."""

    event_ids: list[str]
    statement_hashes: list[str]
    preflight: Preflight


def preflight(
    *,
    party: Party,
    step: str,
    codes: Sequence[str],
    place: str,
    member: Member | None = None,
    details: Mapping[str, str] | None = None,
) -> Preflight:
    """What speaks against the step, from what is recorded now; ProblemError for a step or place not the party's."""
    scan = reading.read(party=party, member=member, step=step, codes=codes, place=place, details=details or {})
    return _judge(scan)


@storage_full.refused()
def record(
    *,
    party: Party,
    step: str,
    codes: Sequence[str],
    place: str,
    member: Member | None = None,
    override_reason: str = "",
    details: Mapping[str, str] | None = None,
    nonce: str = "",
    device: str = "",
) -> Recorded:
    """Record the step as events, after preflight. A stop needs `override_reason` (and, of a member, the quality role).

    The same `nonce` by the same party gives the first answer again and records nothing, also when the first call broke
    off between capture and answer, or runs at this moment; other content under it is refused.
    """
    scan = reading.read(party=party, member=member, step=step, codes=codes, place=place, details=details or {})
    answers.require_room(nonce=nonce, device=device, override_reason=override_reason)
    if nonce and (first := answers.first(scan, nonce)):
        return _recorded(first)
    if not scan.may:
        raise ProblemError(403, "role", "this step needs the quality role")
    undone = undo.find(scan)[0] if scan.step.shape is Shape.UNDO else None
    verdict = _judge(scan)
    answer = Answer(scan, verdict, nonce=nonce, device=device)
    if not scan.step.is_recorded:
        return _recorded(answers.keep(answer))
    extensions: dict[str, Any] = {"dosetrail:member": member.pseudonym} if member else {}
    if verdict.verdict == STOP:
        # The same call may have been recorded since it was looked for, and what stops this one be its doing.
        if nonce and (first := answers.first(scan, nonce)):
            return _recorded(first)
        _require_override(answer, override_reason)
        answer = answer.overridden(override_reason)
        extensions["dosetrail:override"] = {"reason": answer.override_reason, "against": answer.stops}
    return _recorded(_capture(answer, extensions, undone))


def _recorded(answer: Answer) -> Recorded:
    return Recorded(list(answer.event_ids), list(answer.statement_hashes), answer.preflight)


def _judge(scan: Scan) -> Preflight:
    if scan.step.shape is Shape.UNDO and len(scan.epcs) != 1:
        raise ProblemError(400, "one-code", "undo takes one pack at a time", pointer="/codes")
    ask = Ask(
        step=scan.step,
        codes=scan.codes,
        place=scan.site.uri,
        today=scan.today,
        own_uris=parties.uris_of(scan.party),
        lot=scan.details.get("lot", ""),
        expiry=times.day(scan.details["expiry"]) if "expiry" in scan.details else None,
        container=scan.details.get("container", "") if scan.step.shape is Shape.PACK else "",
        quantity_left=int(scan.details["quantity_left"]) if "quantity_left" in scan.details else None,
        open_pack_days=in_force.current().rules.open_pack_days,
    )
    return judge(ask, gather.situation(scan))


def _capture(answer: Answer, extensions: Mapping[str, Any], undone: PublishedEvent | None) -> Answer:
    """The step's events through capture's door, with IDs that a repeated call would give them again.

    Events and answer are one transaction: a crash leaves both or neither, and there is one commit to wait for.
    """
    scan = answer.scan
    kept: list[Answer] = []

    def keep(events: Sequence[Accepted]) -> None:
        kept[:] = [answers.keep(answer.accepted(events))]

    annotation = {
        "member": scan.member.pseudonym if scan.member else "",
        "role": scan.member.role if scan.member else "",
        "verdict": answer.preflight.verdict,
    }
    alone = undo.one_at_a_time(scan, undone) if scan.step.shape is Shape.UNDO else nullcontext()
    try:
        with alone:
            named = answers.with_ids(scan.party, answer.nonce, build.events(_act(scan, extensions)))
            capture.accept_events(
                named,
                reporter=scan.party,
                annotation=annotation,
                idempotency_key=answers.key(answer.nonce),
                beside=keep,
            )
            return kept[0]
    except ProblemError:
        # Another call with this nonce may have come first by a moment: what it was answered holds for this one as well.
        if answer.nonce and (first := answers.first(scan, answer.nonce)):
            return first
        raise


def _require_override(answer: Answer, reason: str) -> None:
    """Whether the stop may be passed; a refused scan is kept as well, without its nonce, so that it can be mended."""
    scan, stops = answer.scan, set(answer.stops)
    may = scan.member is None or reading.is_quality(scan.member)
    if reason.strip() and may and scan.step.is_overridable and not stops & HARD:
        return
    answers.keep(answer.refused())
    errors = [
        {"code": one.code, "message": str(one.text), "epc": one.epc}
        for one in answer.preflight.reasons
        if one.verdict == STOP
    ]
    if stops & UNDO_GUARD:
        raise ProblemError(409, "nothing-to-undo", errors[0]["message"], errors=errors)
    detail = "preflight stops this; recording it all the same needs an override reason (and the quality role)"
    if not scan.step.is_overridable or stops & HARD:
        detail = "preflight stops this, and no reason can override that"
    raise ProblemError(409, "preflight-stop", detail, errors=errors)


def _act(scan: Scan, extensions: Mapping[str, Any]) -> build.Act:
    original = undo.original(scan) if scan.step.shape is Shape.UNDO else None
    return build.Act(
        step=scan.step,
        time_ms=scan.now,
        offset_minutes=scan.offset_minutes,
        place=scan.site.uri,
        own_uri=reading.own_uri(scan.party),
        codes=scan.codes,
        opened=_opened(scan) if scan.step.shape is Shape.UNPACK else {},
        original=original,
        corrective_id=f"urn:uuid:{uuid4()}",
        details=scan.details,
        extensions=extensions,
    )


def _opened(scan: Scan) -> dict[str, list[str]]:
    """What comes out of which container: all of a container that was scanned, else the thing out of its own."""
    contents = custody.contents_by_container(scan.epcs)
    located = custody.states(scan.epcs)
    opened: dict[str, list[str]] = {}
    for code in scan.codes:
        path = located[code.epc].path if code.epc in located else ()
        if code.kind == "sscc" and (code.epc in contents or not path):
            opened[code.epc] = contents.get(code.epc, [])
        elif path and path[0] not in scan.epcs:
            opened.setdefault(path[0], []).append(code.epc)
    return {container: list(dict.fromkeys(children)) for container, children in opened.items()}
