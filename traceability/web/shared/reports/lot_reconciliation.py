"""What became of all packs of a lot: every one is somewhere, and the parts add up."""

from dataclasses import fields
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.custody import lot_packs
from traceability.custody.lot_count import Balance
from traceability.custody.models import ItemState
from traceability.gs1 import digital_link
from traceability.products import selectors as products
from traceability.visibility import lots
from traceability.web.shared import names

from .fields import read_code, text
from .frame import Answer, Asker, Column, Report, ReportForm, Row, bars, listed

COLUMNS = (
    Column("holder", gettext_lazy("Recorded last by")),
    Column("holder_uri"),
    Column("place", gettext_lazy("Place")),
    Column("place_uri"),
    Column("status", gettext_lazy("State"), "status"),
    Column("packs", gettext_lazy("Packs"), "number"),
)
# The two sides of the balance, in the order of `Balance`.
_MADE = {"commissioned": gettext_lazy("Commissioned"), "opening": gettext_lazy("Opening stock")}
_PARTS = {
    "held": gettext_lazy("Held"),
    "in_transit": gettext_lazy("On the way"),
    "dispensed": gettext_lazy("Dispensed"),
    "destroyed": gettext_lazy("Destroyed, taken out of use or as a sample"),
    "exported": gettext_lazy("Exported"),
    "unknown": gettext_lazy("Unknown or stolen"),
}


class Form(ReportForm):
    """A lot, by any code that says product and lot."""

    code = text(gettext_lazy("Lot"), gettext_lazy("(01)…(10)…, or the code of a pack that says its lot"))

    def clean_code(self) -> tuple[str, str]:
        """GTIN and lot."""
        read = read_code(self.cleaned_data["code"])
        if not (read.gtin and read.lot):
            raise ValidationError(_("This code does not say product and lot."))
        return read.gtin, read.lot


def run(asker: Asker, given: dict[str, Any]) -> Answer:
    """The whole lot for the regulator; for its maker what a maker may know; for others what they told last."""
    gtin, lot = given["code"]
    if asker.is_inspector:
        return _whole(gtin, lot)
    known = products.lot(gtin, lot)
    found = lots.whereabouts(known, maker=asker.party) if known else None
    return _for_maker(gtin, lot, found, asker) if found else _own(gtin, lot, asker)


def _whole(gtin: str, lot: str) -> Answer:
    balance, holders = lot_packs.lot_account(gtin, lot)
    naming = names.Names().learn(parties_of=[one.party for one in holders], places=[one.place for one in holders])
    numbers = {one.name: getattr(balance, one.name) for one in fields(Balance)}
    counted = ItemState.objects.filter(gtin=gtin, lot=lot).count()
    rows = [
        (naming.party(one.party), one.party, naming.place(one.place), one.place, one.status, one.packs)
        for one in holders
    ]
    return Answer(
        subject=_subject(gtin, lot, naming),
        columns=COLUMNS,
        portion=listed(rows),
        facts=[
            *((label, numbers[name]) for name, label in (*_MADE.items(), *_PARTS.items())),
            (gettext_lazy("Counted pack by pack"), counted),
        ],
        bars=bars([(label, numbers[name]) for name, label in _PARTS.items()]),
        warnings=_warnings(numbers, counted),
        notes=_notes(gtin),
    )


def _warnings(numbers: dict[str, int], counted: int) -> list[str]:
    made, parts = sum(numbers[name] for name in _MADE), sum(numbers[name] for name in _PARTS)
    found = []
    if not made == parts == counted:
        found.append(_("The counts do not agree with each other. Tell the operator: a rebuild is needed."))
    if numbers["opening"]:
        found.append(
            _("Packs that nobody commissioned on record: %(n)s. Somebody else recorded them first.")
            % {"n": numbers["opening"]}
        )
    return found


def _notes(gtin: str) -> list[str]:
    adrift = ItemState.objects.filter(gtin=gtin, lot="").count()
    notes = [_("What was never commissioned on record, or was lost without a record, is not in these figures.")]
    if adrift:
        notes.append(_("Packs of this product of which nobody recorded the lot: %(n)s.") % {"n": adrift})
    return notes


def _for_maker(gtin: str, lot: str, found: lots.Whereabouts, asker: Asker) -> Answer:
    others, own = _("other organisations"), (asker.party.name, asker.party.uri)
    rows: list[Row] = [
        *((*own, _city(one), "", one.status, one.packs) for one in found.own),
        *((others, "", _city(one), "", one.status, one.packs) for one in found.counts),
    ]
    if found.rest:
        rows.append((others, "", _("in counts too small to be shown"), "", "", found.rest))
    hidden = sum(one.packs for one in found.counts) + found.rest
    mine = sum(one.packs for one in found.own)
    return Answer(
        subject=_subject(gtin, lot, names.Names()),
        columns=COLUMNS,
        portion=listed(rows),
        facts=[
            (gettext_lazy("Packs recorded"), mine + hidden),
            (gettext_lazy("Recorded last by you"), mine),
            (gettext_lazy("Recorded last by others"), hidden),
        ],
        bars=bars([(gettext_lazy("Recorded last by you"), mine), (gettext_lazy("Recorded last by others"), hidden)]),
        notes=[
            _("Counts of fewer than %(packs)s packs, or at fewer than %(parties)s organisations, are not told apart.")
            % {"packs": lots.MIN_PACKS, "parties": lots.MIN_PARTIES}
        ],
    )


def _own(gtin: str, lot: str, asker: Asker) -> Answer:
    found, naming = lots.recorded_last_by(asker.party, gtin, lot), names.Names()
    naming.learn(places=[one.place for one in found])
    rows = [(asker.party.name, one.party, naming.place(one.place), one.place, one.status, one.packs) for one in found]
    return Answer(
        subject=_subject(gtin, lot, naming),
        columns=COLUMNS,
        portion=listed(rows),
        facts=[(gettext_lazy("Recorded last by you"), sum(one.packs for one in found))],
        bars=bars([(names.STATUSES.get(one.status, one.status), one.packs) for one in found]),
        notes=[
            _("Only what you recorded last is told; where the rest of the lot is, its maker and the regulator know.")
        ],
    )


def _city(one: lots.Count) -> str:
    return f"{one.city} ({one.country})" if one.city else ""


def _subject(gtin: str, lot: str, naming: names.Names) -> str:
    return f"{naming.product(gtin)} {names.goods(digital_link.lot_class(gtin, lot))}".strip()


REPORT = Report(
    id="lot-reconciliation",
    title=gettext_lazy("Reconciliation of a lot"),
    lead=gettext_lazy("What became of every pack of a lot, and whether it adds up"),
    form=Form,
    run=run,
    icon="box",
)
