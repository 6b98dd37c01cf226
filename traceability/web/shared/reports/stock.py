"""What stands at the places of a party, by lot; and what of it expires soon."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.capture import vocabulary
from traceability.common.clock import now_ms
from traceability.custody import lot_stock, stops
from traceability.custody.lot_stock import LotAt
from traceability.parties.models import Party
from traceability.products import selectors as products
from traceability.web.shared import names

from .fields import PartyForm
from .frame import Answer, Asker, Column, Report, Row, bars, listed

COLUMNS = (
    Column("place", gettext_lazy("Place")),
    Column("place_uri"),
    Column("product", gettext_lazy("Product")),
    Column("gtin", gettext_lazy("GTIN")),
    Column("lot", gettext_lazy("Lot")),
    Column("expiry", gettext_lazy("Use until")),
    Column("expiry_recorded", gettext_lazy("Recorded on the pack")),
    Column("days_left", gettext_lazy("Days left"), "number"),
    Column("packs", gettext_lazy("Packs"), "number"),
    Column("recalled", gettext_lazy("Recalled"), "yes"),
    Column("on_hold", gettext_lazy("Lot on hold"), "yes"),
)
_STEPS = (30, 90, 180)


@dataclass(frozen=True)
class Held:
    """Packs of a lot at a place, with the day that counts: the lot's as its maker says it now, else the pack's.

    `today` is the calendar day at the place, so that whoever asks is told the same.
    """

    at: LotAt
    today: date
    expiry: date | None
    recorded: str
    recalled: bool
    on_hold: bool

    @property
    def days_left(self) -> int | None:
        return (self.expiry - self.today).days if self.expiry else None


class ExpiryForm(PartyForm):
    """How near is near."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("Expires within"), coerce=int, initial=180,
        choices=[(30, gettext_lazy("30 days")), (90, gettext_lazy("90 days")), (180, gettext_lazy("180 days")),
                 (365, gettext_lazy("a year")), (1825, gettext_lazy("five years"))],
    )  # fmt: skip


def by_lot(asker: Asker, given: dict[str, Any]) -> Answer:
    """All of it, by place and lot."""
    found, naming = _held(given["party"]), names.Names()
    return Answer(
        subject=given["party"].name,
        columns=COLUMNS,
        portion=listed(_rows(found, naming)),
        facts=_sums(found),
        bars=bars([(naming.place(place), packs) for place, packs in _packs_by_place(found).most_common(12)]),
        notes=[_in_words()],
    )


def near_expiry(asker: Asker, given: dict[str, Any]) -> Answer:
    """What expires within so many days, what has expired first."""
    naming, everything = names.Names(), _held(given["party"])
    found = sorted(
        (one for one in everything if one.days_left is not None and one.days_left <= given["days"]),
        key=lambda one: (one.expiry, one.at.place, one.at.gtin, one.at.lot),
    )
    undated = sum(one.at.packs for one in everything if one.expiry is None)
    return Answer(
        subject=f"{given['party'].name} · {_('up to %(n)s days') % {'n': given['days']}}",
        columns=COLUMNS,
        portion=listed(_rows(found, naming)),
        facts=_sums(found),
        bars=bars(_ages(found)) if found else (),
        notes=[
            _in_words(),
            _("A lot counts by the date that its maker gives now; what packs were recorded with stands beside it."),
        ],
        warnings=[_("Packs without an expiry date on record: %(n)s.") % {"n": undated}] if undated else [],
    )


def _held(party: Party) -> list[Held]:
    """The number of queries is that of the levels of containers, and of the party's time zones."""
    days = _days(party)
    stock = lot_stock.lots_at(days)
    pairs = {(one.gtin, one.lot) for one in stock}
    known, recorded = products.expiries(pairs), lot_stock.recorded_expiries(pairs)
    standing = stops.lot_statuses(pairs)
    return [_one(at, days[at.place], known, recorded, standing.get((at.gtin, at.lot))) for at in stock]


def _days(party: Party) -> dict[str, date]:
    """The calendar day at each of the party's places."""
    sites: dict[str, set[str]] = defaultdict(set)
    for site in party.sites.all():
        sites[site.time_zone].add(site.uri)
    return {place: _today(ZoneInfo(zone)) for zone, uris in sites.items() for place in vocabulary.descendants(uris)}


def _one(
    at: LotAt,
    today: date,
    known: dict[tuple[str, str], date],
    recorded: dict[tuple[str, str], str],
    standing: Any,
) -> Held:
    pair = at.gtin, at.lot
    written = recorded.get(pair, "")[:10]
    return Held(
        at,
        today,
        known.get(pair) or lot_stock.day(written),
        written,
        recalled=standing is not None and standing.recalled_index is not None,
        on_hold=standing is not None and standing.held_index is not None,
    )


def _rows(found: Iterable[Held], naming: names.Names) -> list[Row]:
    rows = list(found)
    naming.learn(places={one.at.place for one in rows}, gtins={one.at.gtin for one in rows if one.at.gtin})
    return [
        (
            naming.place(one.at.place), one.at.place, naming.product(one.at.gtin), one.at.gtin, one.at.lot,
            one.expiry.isoformat() if one.expiry else "", one.recorded, one.days_left, one.at.packs,
            one.recalled, one.on_hold,
        )
        for one in rows
    ]  # fmt: skip


def _packs_by_place(found: Iterable[Held]) -> Counter[str]:
    packs: Counter[str] = Counter()
    for one in found:
        packs[one.at.place] += one.at.packs
    return packs


def _sums(found: Sequence[Held]) -> list[tuple[Any, Any]]:
    return [
        (gettext_lazy("Packs"), sum(one.at.packs for one in found)),
        (gettext_lazy("Lots"), len({(one.at.gtin, one.at.lot) for one in found})),
        (gettext_lazy("Places"), len({one.at.place for one in found})),
    ]


def _ages(found: Iterable[Held]) -> list[tuple[Any, int]]:
    """Packs by how long they are still good."""
    packs: Counter[str] = Counter({str(_("Expired")): 0} | {_("up to %(n)s days") % {"n": n}: 0 for n in _STEPS})
    for one in found:
        left = one.days_left or 0
        step = next((n for n in _STEPS if left <= n), None)
        word = _("Expired") if left < 0 else _("up to %(n)s days") % {"n": step} if step else _("longer")
        packs[word] += one.at.packs
    return [*packs.items()]


def _today(zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now_ms() / 1000, zone).date()


def _in_words() -> str:
    return _("Packs in stock, those in cases and pallets included; not what was recorded without a place or a lot.")


BY_LOT = Report(
    id="stock-by-lot",
    title=gettext_lazy("Stock by site and lot"),
    lead=gettext_lazy("How many packs of which lot stand at which place"),
    form=PartyForm,
    run=by_lot,
    icon="store",
)
NEAR_EXPIRY = Report(
    id="near-expiry",
    title=gettext_lazy("Near expiry"),
    lead=gettext_lazy("What has expired or will soon, by place and lot"),
    form=ExpiryForm,
    run=near_expiry,
    icon="clock",
)
