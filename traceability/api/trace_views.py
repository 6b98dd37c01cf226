"""Tracing: where something came from, where it went, and how well each step is known (docs/tracing.md)."""

from datetime import UTC, datetime
from typing import Any

from django.http import JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody.lines import FOREVER
from traceability.custody.trace import Answer, TraceError
from traceability.custody.tracing import BOTH, DIRECTIONS, Leg, NodeSum, TracedStep, Window
from traceability.parties.models import Party
from traceability.queries import values
from traceability.queries.documents import time_text
from traceability.queries.values import QueryFault
from traceability.visibility import traces

from . import answers, problems
from .authentication import party_of

MAX_STEPS = 2_000
MAX_LEG_EVENTS = 100
NAMES = ("of", "direction", "as_of", "from", "to")


class Trace(APIView):
    """The trace of what `of` names."""

    parser_classes = ()

    def get(self, request: Request) -> JsonResponse:
        try:
            answer = _answer(answers.parameters(request), party_of(request))
        except QueryFault as fault:
            raise _wrong(fault.parameter, "query-parameter", fault.detail) from fault
        except TraceError as error:
            if error.code == "as-of":  # it may have one later
                raise ProblemError(404, error.code, str(error)) from error
            raise _wrong("of", error.code, str(error)) from error
        if not answer.trace.steps:
            raise problems.not_found("nothing is recorded of this that you may see")
        return JsonResponse(_body(answer))


def _answer(given: dict[str, list[str]], party: Party) -> Answer:
    """QueryFault: a parameter is unknown, stands twice or has no such value. TraceError: it names nothing."""
    if unknown := sorted(given.keys() - set(NAMES)):
        raise QueryFault(unknown[0], "is no parameter of a trace")
    of = values.single("of", given.get("of", [])).strip()
    if not of:
        raise QueryFault("of", "says what to trace: a code as scanned, a URI, or the number of a despatch advice")
    direction = values.single("direction", given.get("direction", [BOTH]))
    if direction not in DIRECTIONS:
        raise QueryFault("direction", f"is one of {', '.join(DIRECTIONS)}")
    as_of = values.single("as_of", given["as_of"]) if "as_of" in given else None
    if as_of is not None and not (as_of.isascii() and as_of.isdigit() and len(as_of) < 19):
        raise QueryFault("as_of", "is the index of a log entry")
    subject = traces.subject(
        of,
        party=party,
        today=datetime.fromtimestamp(now_ms() / 1000, UTC).date(),
        period=Window(
            values.time("from", given["from"]) if "from" in given else -FOREVER,
            values.time("to", given["to"]) if "to" in given else FOREVER,
        ),
    )
    return traces.ask(subject, party=party, direction=direction, as_of=int(as_of) if as_of is not None else None)


def _wrong(name: str, code: str, text: str) -> ProblemError:
    return ProblemError(400, code, text, errors=[{"parameter": name, "code": code, "message": text}])


def _body(answer: Answer) -> dict[str, Any]:
    found = answer.trace
    ids = {row.node: f"n{place}" for place, row in enumerate(found.nodes)}
    checkpoint = ledger.checkpoint_over(answer.as_of)
    return {
        "of": answer.subject.uri,
        "kind": answer.subject.kind,
        "direction": answer.direction,
        "asOf": {
            "index": answer.as_of,
            "checkpoint": checkpoint
            and {"size": checkpoint.size, "rootHash": checkpoint.root.hex(), "time": time_text(checkpoint.time_ms)},
        },
        "packs": found.packs,
        "leftOut": answer.left_out,
        "hidden": answer.hidden,
        "nodes": [_node(row, ids[row.node]) for row in found.nodes],
        "legs": [
            {"from": ids.get(leg.source) if leg.source else None, "to": ids[leg.target], **_leg(leg)}
            for leg in found.legs
        ],
        "steps": [_step(one) | {"node": ids.get(one.step.node)} for one in found.steps[:MAX_STEPS]],
        "stepsLeftOut": max(0, len(found.steps) - MAX_STEPS),
        "materials": [
            {"event": one.event, "epcClass": one.epc_class, "quantity": one.quantity, "uom": one.uom}
            for one in answer.materials
        ],
    }


def _node(row: NodeSum, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "party": row.node.party,
        "place": row.node.place,
        "state": row.node.state,
        "packs": row.packs,
        "now": row.now,
        "firstTime": time_text(row.first_ms),
        "lastTime": time_text(row.last_ms),
    }


def _leg(leg: Leg) -> dict[str, Any]:
    events = sorted(leg.events)
    return {
        "kind": leg.kind,
        "packs": leg.packs,
        "evidence": dict(sorted(leg.evidence.items())),
        "firstTime": time_text(leg.first_ms),
        "lastTime": time_text(leg.last_ms),
        "events": events[:MAX_LEG_EVENTS],
        "eventCount": len(events),
    }


def _step(one: TracedStep) -> dict[str, Any]:
    fact = one.step.fact
    return {
        "index": fact.index,
        "eventID": fact.event_id,
        "eventTime": time_text(fact.time_ms),
        "bizStep": fact.step,
        "disposition": fact.disposition,
        "reporter": fact.reporter,
        "place": fact.place,
        "kind": one.step.kind,
        "evidence": one.step.evidence,
        "why": one.step.why,
        "container": one.step.container,
        "packs": one.packs,
    }
