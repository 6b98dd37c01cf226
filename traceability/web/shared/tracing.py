"""A trace as the pages of portal and regulator show it: in words, as a graph, a timeline and tables."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.custody import trace, way
from traceability.custody.lines import FOREVER
from traceability.custody.trace import Answer, TraceError
from traceability.custody.tracing import BOTH, DIRECTIONS, Leg, NodeSum, TracedStep, Window
from traceability.custody.way import EVIDENCE, Node
from traceability.gs1 import digital_link
from traceability.parties.models import Party
from traceability.visibility import traces

from . import flow, names
from .names import Names

MAX_STEPS = 100
MAX_LEGS = 200
MAX_PLACES = 16  # a graph of more nodes is drawn by party
_DAY_MS = 24 * 3_600_000

EVIDENCES = {
    way.OBSERVED: (gettext_lazy("Observed"), gettext_lazy("its own record, by who acted")),
    way.REPORTED: (gettext_lazy("Reported"), gettext_lazy("by another than who acted, or as opening stock")),
    way.INFERRED: (gettext_lazy("Inferred"), gettext_lazy("from the container that it was in")),
    way.UNKNOWN: (gettext_lazy("Unknown"), gettext_lazy("a record before it is missing or contradicts it")),
}
WHY = {
    way.UNSHIPPED: gettext_lazy("Seen at another party, and no shipment of it is recorded."),
    way.OPENED: gettext_lazy("Its container was opened elsewhere, and it is not named among what came out."),
    way.APART: gettext_lazy("It was seen elsewhere than this container, which no record says it left."),
    way.ENDED: gettext_lazy("It was recorded as gone before."),
    way.ORIGIN: gettext_lazy("Nothing is recorded of where it was before."),
}
KINDS = names.STEPS | {
    "exporting": gettext_lazy("Exported"),
    "first_seen": gettext_lazy("First seen; where it was before is not recorded"),
    "moving": gettext_lazy("Moved within the organisation"),
    "opening_stock": gettext_lazy("Counted as opening stock"),
    "returning": gettext_lazy("Came back"),
    "stolen": gettext_lazy("Reported stolen"),
    "transformation": gettext_lazy("Made into something else"),
    "unexplained": gettext_lazy("Changed hands; no shipment is recorded"),
}
STATES = names.STATUSES | {
    way.IN_TRANSIT: gettext_lazy("In transit"),
    way.TRANSFORMED: gettext_lazy("Used up in making something else"),
}
SUBJECTS = {
    "pack": gettext_lazy("Single pack"),
    "container": gettext_lazy("Case or pallet"),
    "lot": gettext_lazy("Lot"),
    "shipment": gettext_lazy("Shipment"),
    "place": gettext_lazy("Place"),
}
CSV = (
    "log_index", "event_id", "event_time", "step", "evidence", "why", "container", "reporter", "place", "packs",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What the form asks."""

    code: str
    direction: str = BOTH
    as_of: str = ""
    start: str = ""
    end: str = ""

    @property
    def query(self) -> str:
        """The question without its entry, as the query of an address."""
        given = {"code": self.code, "direction": self.direction, "from": self.start, "to": self.end}
        return urlencode({name: value for name, value in given.items() if value})

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Question":
        """The question in the query of an address; a direction that is none is both."""
        direction = given.get("direction", BOTH)
        return cls(
            given.get("code", "").replace("\0", "").strip(),
            direction if direction in DIRECTIONS else BOTH,
            given.get("as_of", "").strip(),
            given.get("from", "").strip(),
            given.get("to", "").strip(),
        )


def ask(question: Question, *, party: Party, zone: ZoneInfo) -> Answer:
    """The answer to a question of a member of a party; TraceError says what is wrong with it."""
    if question.as_of and not (question.as_of.isascii() and question.as_of.isdigit() and len(question.as_of) < 19):
        raise TraceError("as-of", "no index of a log entry")
    subject = traces.subject(
        question.code,
        party=party,
        today=datetime.fromtimestamp(now_ms() / 1000, UTC).date(),
        period=Window(
            _midnight(question.start, zone, -FOREVER), _midnight(question.end, zone, FOREVER - _DAY_MS, days=1)
        ),
    )
    as_of = int(question.as_of) if question.as_of else None
    return traces.ask(subject, party=party, direction=question.direction, as_of=as_of)


def fault(error: TraceError) -> tuple[str, str]:
    """What is wrong with a question, and a hint, in words."""
    if error.code == "as-of":
        return _("The log has no such entry."), _("It has entries up to {n}.").format(n=trace.horizon())
    if error.code == "period":
        return _("This is no date."), _("Write it as 2026-03-01.")
    if error.code == "too-much":
        return _("Too much was recorded at this place."), _("Name a shorter period.")
    if error.code == "unreadable":
        return _("This code cannot be read."), names.code_fault(error.fault)
    return _("This names nothing that can be traced."), _(
        "Name a pack, a case or pallet, a lot, a place, or a document number that only one shipment bears."
    )


def context(answer: Answer, *, zone: ZoneInfo) -> dict[str, Any]:
    """What the templates of shared/trace/ show of an answer."""
    naming = _names(answer)
    found = answer.trace
    spots, flows, is_by_party = _graph(answer, naming)
    checkpoint = ledger.checkpoint_over(answer.as_of)
    legs = sorted(found.legs, key=lambda leg: (leg.source == leg.target, leg.first_ms))
    return {
        "answer": answer,
        "kind": SUBJECTS[answer.subject.kind],
        "subject_text": _subject(answer, naming),
        "graph": flow.draw(spots, flows),
        "spots": [replace(spot, number=number) for number, spot in enumerate(spots)],
        "is_by_party": is_by_party,
        "is_merged": any(spot.count > 1 for spot in spots),
        "evidence": [(name, *EVIDENCES[name]) for name in EVIDENCE],
        "legs": [_leg(leg, naming, zone) for leg in legs[:MAX_LEGS]],
        "legs_left_out": max(0, len(legs) - MAX_LEGS),
        "steps": [_step(one, naming, zone) for one in found.steps[:MAX_STEPS]],
        "steps_left_out": max(0, len(found.steps) - MAX_STEPS),
        "checkpoint": checkpoint,
        "checkpoint_time": datetime.fromtimestamp(checkpoint.time_ms / 1000, UTC) if checkpoint else None,
        "checkpoint_before": checkpoint.size + 1 if checkpoint else None,
    }


def csv_rows(answer: Answer) -> Iterator[Sequence[Any]]:
    """Every step, for `CSV`; times in UTC, names as the log has them."""
    for one in answer.trace.steps:
        fact, step = one.step.fact, one.step
        at = datetime.fromtimestamp(fact.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        yield (
            fact.index, fact.event_id, at.replace("+00:00", "Z"), step.kind, step.evidence, step.why, step.container,
            fact.reporter, fact.place, one.packs,
        )  # fmt: skip


def _midnight(text: str, zone: ZoneInfo, otherwise: int, *, days: int = 0) -> int:
    """The first moment of a day, or of one `days` after it less a millisecond."""
    if not text:
        return otherwise
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not date(1970, 1, 2) <= day <= date(9000, 1, 1):
        raise TraceError("period", "no date")
    moment = datetime.combine(day + timedelta(days=days), datetime.min.time(), zone)
    return int(moment.timestamp() * 1000) - (1 if days else 0)


def _names(answer: Answer) -> Names:
    rows, steps = answer.trace.nodes, answer.trace.steps[:MAX_STEPS]
    return Names().learn(
        parties_of={row.node.party for row in rows} | {one.step.fact.reporter for one in steps},
        places={row.node.place for row in rows} | {one.step.fact.place for one in steps} | {answer.subject.uri},
        gtins=[_gtin(answer)],
    )


def _gtin(answer: Answer) -> str:
    prefix = f"{digital_link.CANONICAL_DOMAIN}/01/"
    return answer.subject.uri.removeprefix(prefix)[:14] if answer.subject.uri.startswith(prefix) else ""


def _subject(answer: Answer, naming: Names) -> str:
    if answer.subject.kind == "place":
        return naming.place(answer.subject.uri)
    return names.document(answer.subject.uri) if answer.subject.kind == "shipment" else names.goods(answer.subject.uri)


def title(node: Node, naming: Names) -> str:
    """Who and what a node is, in words."""
    if node.state == way.IN_TRANSIT and node.party:
        return _("On the way to {party}").format(party=naming.party(node.party))
    if node.state:
        return str(STATES.get(node.state, node.state))
    return naming.party(node.party)


def _place(node: Node, naming: Names) -> str:
    """The place's name, without the party's where it begins with that."""
    name, party = naming.place(node.place), naming.party(node.party)
    return name.removeprefix(party).lstrip(" ,，·-") or name if party else name


def _graph(answer: Answer, naming: Names) -> tuple[list[flow.Spot], list[flow.Flow], bool]:
    """Spots and flows as they are drawn: by party, and the small ones together, where there are many."""
    rows = answer.trace.nodes
    flows = [
        flow.Flow(leg.source, leg.target, packs, tone)
        for leg in answer.trace.legs
        if leg.source is not None and leg.source != leg.target
        for tone, packs in _said_of_packs(leg).items()
    ]
    by_party = len(rows) > MAX_PLACES
    group_of = {row.node: row.node._replace(place="") if by_party else row.node for row in rows}
    groups: dict[Node, list[NodeSum]] = defaultdict(list)
    for row in rows:
        groups[group_of[row.node]].append(row)
    spots = [_spot(node, found, naming) for node, found in groups.items()]
    spots, merged = flow.merged(spots, flow.together(flows, group_of), _("{n} others"))
    return spots, merged, by_party and any(len(found) > 1 for found in groups.values())


def _spot(node: Node, rows: Sequence[NodeSum], naming: Names) -> flow.Spot:
    places = _("{n} places").format(n=len(rows)) if len(rows) > 1 else _place(rows[0].node, naming)
    return flow.Spot(
        key=node,
        title=title(node, naming),
        below="" if node.state else places,
        packs=max(row.packs for row in rows),
        now=sum(row.now for row in rows),
        is_end=node.state != "",
        count=len(rows),
    )


def _leg(leg: Leg, naming: Names, zone: ZoneInfo) -> dict[str, Any]:
    def where(node: Node | None) -> str:
        if node is None:
            return ""
        return " · ".join(part for part in (title(node, naming), _place(node, naming)) if part)

    told = _said_of_packs(leg)
    return {
        "source": where(leg.source),
        "target": where(leg.target),
        "on_the_spot": leg.source == leg.target,
        "kind": _kind(leg.kind),
        "packs": leg.packs,
        "evidence": [(name, EVIDENCES[name][0], told[name]) for name in EVIDENCE if name in told],
        "first": names.moment(leg.first_ms, zone),
        "last": names.moment(leg.last_ms, zone),
        "events": len(leg.events),
    }


def _said_of_packs(leg: Leg) -> Mapping[str, int]:
    """Packs by how well the leg is known of them; of their container alone it is told where there are no packs."""
    return {name: packs for name, packs in leg.evidence.items() if packs or not leg.packs}


def _kind(kind: str) -> str:
    return str(KINDS.get(kind, kind.replace("_", " ")))


def _step(one: TracedStep, naming: Names, zone: ZoneInfo) -> dict[str, Any]:
    fact, step = one.step.fact, one.step
    return {
        "index": fact.index,
        "at": names.moment(fact.time_ms, zone),
        "kind": _kind(step.kind),
        "evidence": step.evidence,
        "evidence_word": EVIDENCES[step.evidence][0],
        "why": WHY.get(step.why, ""),
        "container": names.goods(step.container) if step.container else "",
        "container_uri": step.container,
        "place": naming.place(fact.place),
        "reporter": naming.party(fact.reporter),
        "packs": one.packs,
    }
