"""The answer to a tracing request: the hands that a pack or case went through, with papers and proofs, to be signed."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.capture import at_places
from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.custody.selectors import HistoryStep, Located
from traceability.gs1.scan import ScannedCode
from traceability.products import selectors as products
from traceability.visibility import proofs, receipts, rules
from traceability.web.shared import names

from . import tracing_lot
from .fields import read_code, text
from .frame import Answer, Asker, Column, Report, ReportForm, Row, Text, listed
from .site_movements import side

COLUMNS = (
    Column("event_time", gettext_lazy("When"), "moment"),
    Column("biz_step"),
    Column("step", gettext_lazy("Step")),
    Column("place", gettext_lazy("Place")),
    Column("source", gettext_lazy("From")),
    Column("destination", gettext_lazy("To")),
    Column("documents", gettext_lazy("Documents"), "documents"),
    Column("reporter", gettext_lazy("Reported by")),
    Column("reporter_uri"),
    Column("known_from", gettext_lazy("Known from its container"), "goods"),
    Column("log_index", gettext_lazy("Log entry"), "number"),
    Column("event_id"),
    Column("statement_hash"),
)
_NO_CHANGE = ("sensor_reporting",)
MOST_STEPS = 1_000


class Form(ReportForm):
    """One thing that carries a serial number, or a lot."""

    code = text(
        gettext_lazy("Code"), gettext_lazy("Of a pack, case or pallet, as scanned or printed; or of a lot: (01)…(10)…")
    )

    def clean_code(self) -> ScannedCode:
        """A code that names one thing or a lot."""
        read = read_code(self.cleaned_data["code"])
        if read.kind not in {"pack", "sscc", "nmpa", "lot"}:
            raise ValidationError(_("This code names no single pack, case or pallet, and no lot."))
        return read


def run(asker: Asker, given: dict[str, Any]) -> Answer:
    """The steps that the asker may see, oldest first; its containers' while it was inside are among them."""
    if given["code"].kind == "lot":
        return tracing_lot.answer(asker, given["code"])
    epc = given["code"].epc
    steps = custody.history(epc)
    mine = rules.visible_indexes([step.index for step in steps], asker.party)
    events = PublishedEvent.objects.exclude(biz_step__in=_NO_CHANGE).filter(index__among=frozenset(mine))
    rows = {row.index: row for row in events}
    seen = [step for step in steps if step.index in rows]
    shown = seen[:MOST_STEPS]
    receipts.shown((step.index, rows[step.index].reporter) for step in shown)
    naming = names.Names()
    located = custody.state(epc) if shown else None
    return Answer(
        subject=names.goods(epc),
        columns=COLUMNS,
        portion=listed(_rows([(step, rows[step.index]) for step in shown], naming)),
        facts=[*_product(located), *_state(asker, located)] if located else [],
        notes=[
            _("A step known from its container happened to the container while the thing was inside."),
            _("Steps that the asking organisation may not see are left out; withdrawn records do not count."),
        ],
        warnings=[_("This history is longer than an answer shows.")] if len(seen) > MOST_STEPS else [],
        proofs=(lambda: proofs.bundle([rows[step.index].statement_hash for step in shown])) if shown else None,
        is_statement=True,
    )


def _rows(steps: Sequence[tuple[HistoryStep, PublishedEvent]], naming: names.Names) -> list[Row]:
    papers = at_places.papers_of([event.index for _, event in steps])
    sides = {uri for one in papers.values() for uri in (one.source, one.destination) if uri}
    events = [event for _, event in steps]
    naming.of_events(events).learn(parties_of=sides, places=sides)
    return [
        (
            event.event_time_ms, event.biz_step, names.step(event), naming.place(names.place_of(event)),
            side(papers[event.index].source, naming), side(papers[event.index].destination, naming),
            ", ".join(map(names.document, papers[event.index].documents)), naming.party(event.reporter),
            event.reporter, step.container, event.index, event.event_id, event.statement_hash,
        )
        for step, event in steps
    ]  # fmt: skip


def _product(located: Located) -> list[tuple[Text, Any]]:
    """What a transaction information names of the goods (FD&C Act, section 581(26)), as far as it is registered."""
    item = products.item_by_gtin(located.item.gtin) if located.item.gtin else None
    lot = products.lot(located.item.gtin, located.item.lot) if item else None
    expiry = lot.expiry_date.isoformat() if lot else located.item.expiry[:10]
    named = [
        (gettext_lazy("Product"), item.name),
        (gettext_lazy("Strength"), item.strength),
        (gettext_lazy("Pack size"), item.pack_size),
        (gettext_lazy("Manufacturer"), item.manufacturer.name),
        (gettext_lazy("Authorisation number"), item.authorisation),
        (gettext_lazy("GTIN"), item.gtin),
    ] if item else []  # fmt: skip
    return [
        *named,
        *([(gettext_lazy("Lot"), located.item.lot), (gettext_lazy("Use until"), expiry)] if located.item.lot else []),
    ]


def _state(asker: Asker, located: Located) -> list[tuple[Text, Any]]:
    """What the thing is at now: for the regulator, and for the party that told last; it is nobody else's business."""
    if not (asker.is_inspector or located.party == asker.party.uri):
        return []
    return [(gettext_lazy("State"), names.STATUSES.get(located.status, located.status))]


REPORT = Report(
    id="tracing-answer",
    title=gettext_lazy("Answer to a tracing request"),
    lead=gettext_lazy("The hands that a pack, case, pallet or lot went through, with papers and proofs"),
    form=Form,
    run=run,
    icon="search",
)
