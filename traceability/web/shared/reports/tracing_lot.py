"""The answer to a tracing request about a whole lot: who had packs of it, from whom, when, under which papers."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.capture import at_places
from traceability.capture.at_places import Papers
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.custody import trace
from traceability.custody.tracing import Leg
from traceability.gs1.scan import ScannedCode
from traceability.products import selectors as products
from traceability.visibility import proofs, traces
from traceability.web.shared import names, tracing

from .frame import Answer, Asker, Column, Row, Text, bars, listed

COLUMNS = (
    Column("first_time", gettext_lazy("First"), "moment"),
    Column("last_time", gettext_lazy("Last"), "moment"),
    Column("step"),
    Column("step_name", gettext_lazy("Step")),
    Column("source", gettext_lazy("From")),
    Column("source_uri"),
    Column("destination", gettext_lazy("To")),
    Column("destination_uri"),
    Column("place", gettext_lazy("Place")),
    Column("packs", gettext_lazy("Packs"), "number"),
    Column("documents", gettext_lazy("Documents"), "documents"),
    Column("evidence"),
    Column("evidence_name", gettext_lazy("Known")),
    Column("log_indexes", gettext_lazy("Log entry")),
)
MOST_PROOFS = 1_000
_NAMED = 20  # documents and log entries in a cell
_BARS = 12


def answer(asker: Asker, code: ScannedCode) -> Answer:
    """The legs of the lot's way that the asker may see, oldest first; what was done on the spot is left out."""
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
    found = traces.ask(trace.subject(code.epc, today=today), party=asker.party)
    legs = [leg for leg in found.trace.legs if leg.source != leg.target]
    papers = at_places.papers_of({index for leg in legs for index in leg.events})
    nodes = {node for leg in legs for node in (leg.source, leg.target) if node}
    naming = names.Names().learn(parties_of={node.party for node in nodes}, places={node.place for node in nodes})
    held = Counter[str]()
    for row in found.trace.nodes:
        held[tracing.title(row.node, naming)] += row.now
    return Answer(
        subject=names.goods(code.epc),
        columns=COLUMNS,
        portion=listed([_row(leg, papers, naming) for leg in legs]),
        facts=[*_product(code), (gettext_lazy("Packs"), found.trace.packs)],
        bars=bars([(who, packs) for who, packs in held.most_common(_BARS) if packs]),
        notes=[
            _("Packs are counted once for each line; the chart shows where they are now, as far as that may be told."),
            _("Steps that the asking organisation may not see are left out; withdrawn records do not count."),
        ],
        warnings=[_("More was recorded of this lot than one answer takes in: %(n)s things are left out.")
                  % {"n": found.left_out}] if found.left_out else [],
        proofs=(lambda: _proofs(legs)) if legs else None,
        is_statement=True,
    )  # fmt: skip


def _row(leg: Leg, papers: Mapping[int, Papers], naming: names.Names) -> Row:
    own = [papers[index] for index in sorted(leg.events)]
    documents = dict.fromkeys(names.document(one) for paper in own for one in paper.documents)
    source, target = leg.source, leg.target
    return (
        leg.first_ms, leg.last_ms, leg.kind, str(tracing.KINDS.get(leg.kind, leg.kind)),
        tracing.title(source, naming) if source else "", source.party if source else "",
        tracing.title(target, naming), target.party, naming.place(target.place) if target.place else "",
        leg.packs, _some(documents), leg.weakest, str(tracing.EVIDENCES[leg.weakest][0]),
        _some([str(index) for index in sorted(leg.events)]),
    )  # fmt: skip


def _some(words: Collection[str]) -> str:
    shown = ", ".join(list(words)[:_NAMED])
    return f"{shown} … ({len(words)})" if len(words) > _NAMED else shown


def _product(code: ScannedCode) -> list[tuple[Text, Any]]:
    """What a transaction information names of a lot (FD&C Act, section 581(26)), as far as it is registered."""
    item = products.item_by_gtin(code.gtin or "")
    lot = products.lot(code.gtin or "", code.lot or "")
    named: Sequence[tuple[Text, Any]] = [
        (gettext_lazy("Product"), item.name),
        (gettext_lazy("Strength"), item.strength),
        (gettext_lazy("Pack size"), item.pack_size),
        (gettext_lazy("Manufacturer"), item.manufacturer.name),
        (gettext_lazy("Authorisation number"), item.authorisation),
    ] if item else []  # fmt: skip
    until = [(gettext_lazy("Use until"), lot.expiry_date.isoformat())] if lot else []
    return [*named, (gettext_lazy("GTIN"), code.gtin), (gettext_lazy("Lot"), code.lot), *until]


def _proofs(legs: Sequence[Leg]) -> Mapping[str, Any]:
    indexes = sorted({index for leg in legs for index in leg.events})[:MOST_PROOFS]
    rows = PublishedEvent.objects.filter(index__among=frozenset(indexes)).order_by("index")
    return proofs.bundle(list(rows.values_list("statement_hash", flat=True)))
