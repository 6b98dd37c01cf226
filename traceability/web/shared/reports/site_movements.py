"""What happened at a site between two days: what an inspector brings to a visit."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.capture import at_places, vocabulary
from traceability.capture.at_places import Papers
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.custody import named
from traceability.custody.named import Named
from traceability.parties.models import Site
from traceability.visibility import receipts, rules
from traceability.web.shared import names

from .fields import SiteForm, day
from .frame import Answer, Asker, Column, Portion, Report, Row

COLUMNS = (
    Column("event_time", gettext_lazy("When"), "moment"),
    Column("biz_step"),
    Column("step", gettext_lazy("Step")),
    Column("product", gettext_lazy("Product")),
    Column("gtin"),
    Column("lot", gettext_lazy("Lot")),
    Column("named", gettext_lazy("Named"), "number"),
    Column("packs", gettext_lazy("Packs"), "number"),
    Column("source", gettext_lazy("From")),
    Column("destination", gettext_lazy("To")),
    Column("documents", gettext_lazy("Documents"), "documents"),
    Column("reporter", gettext_lazy("Reported by")),
    Column("reporter_uri"),
    Column("void", gettext_lazy("Withdrawn"), "yes"),
    Column("log_index", gettext_lazy("Log entry"), "number"),
    Column("event_id"),
    Column("statement_hash"),
)
_USUAL_DAYS = 30
_NAMED = 20  # products or lots of one row
_NO_MOVEMENT = ("sensor_reporting",)


class Form(SiteForm):
    """A site and two days, the last of which counts whole, in the site's own time."""

    first = day(gettext_lazy("From"))
    last = day(gettext_lazy("Up to and including"))

    def __init__(self, given: Any, *, asker: Asker) -> None:
        super().__init__(given, asker=asker)
        today = datetime.fromtimestamp(now_ms() / 1000, asker.zone).date()
        self.fields["first"].initial, self.fields["last"].initial = today - timedelta(_USUAL_DAYS), today

    def clean(self) -> dict[str, Any]:
        """The days in order."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            raise ValidationError({"last": _("This day lies before the first one.")})
        for name, when in (("first", first), ("last", last)):
            if when and not 1900 <= when.year <= 9000:
                raise ValidationError({name: _("This day is too far away.")})
        return cleaned


def run(asker: Asker, given: dict[str, Any]) -> Answer:
    """Everything that was recorded at the site, as far as the asker may see it."""
    site: Site = given["site"]
    zone = ZoneInfo(site.time_zone)
    start, end = _midnight(given["first"], zone), _midnight(given["last"] + timedelta(1), zone)
    places = vocabulary.descendants({site.uri})
    events = rules.visible_events(PublishedEvent.objects.exclude(biz_step__in=_NO_MOVEMENT), asker.party)
    naming, told = names.Names(), rules.told_to(asker.party, "from_index")

    def portion(after: str, limit: int) -> Portion:
        place = _place(after) or (start, -1)
        found = at_places.events_at(events, places, until_ms=end, after=place, limit=limit + 1)
        last = f"{found[limit - 1].event_time_ms}-{found[limit - 1].index}" if len(found) > limit else ""
        return Portion(_rows(found[:limit], naming, told), last)

    return Answer(
        subject=f"{site.name} · {site.party.name} · {given['first']} – {given['last']}",
        columns=COLUMNS,
        portion=portion,
        zone=zone,
        facts=[
            (gettext_lazy("Site"), f"{site.name}, {site.city} ({site.country})"),
            (gettext_lazy("Organisation"), site.party.name),
            (gettext_lazy("GLN"), site.gln or "–"),
            (gettext_lazy("Days and times of"), site.time_zone),
        ],
        notes=[
            _("A case or pallet is one thing named; of the packs in it stands what was recorded of that moment."),
            _("Readings of temperature are left out. Withdrawn records are shown and marked."),
        ],
    )


def _midnight(when: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(when, time(), zone).astimezone(UTC).timestamp() * 1000)


def _place(after: str) -> tuple[int, int] | None:
    time_ms, _dash, index = after.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (time_ms, index)):
        return None
    return int(time_ms), int(index)


def _rows(found: Sequence[PublishedEvent], naming: names.Names, told: Q) -> list[Row]:
    """A row for each lot that an event names, and for its containers with packs of the same lots.

    The number of queries does not grow with them; `told` is true of what the asker may know of containers.
    """
    receipts.shown((one.index, one.reporter) for one in found)
    indexes = [one.index for one in found]
    goods, papers = named.goods_named(indexes), at_places.papers_of(indexes)
    goods = named.with_contents(goods, {one.index: one.event_time_ms for one in found}, told)
    sides = {uri for one in papers.values() for uri in (one.source, one.destination) if uri}
    naming.learn(
        parties_of=sides | {one.reporter for one in found},
        places=sides,
        gtins={gtin for rows in goods.values() for one in rows for gtin, _lot in _lots(one) if gtin},
    )
    return [
        _row(event, one, papers[event.index], naming)
        for event in found
        for one in goods.get(event.index, [Named("", "", 0)])
    ]


def _lots(goods: Named) -> Sequence[tuple[str, str]]:
    return goods.inside or [(goods.gtin, goods.lot)]


def _each(texts: Iterable[str]) -> str:
    found = [text for text in dict.fromkeys(texts) if text]
    return ", ".join(found[:_NAMED]) + (" …" if len(found) > _NAMED else "")


def _row(event: PublishedEvent, goods: Named, papers: Papers, naming: names.Names) -> Row:
    gtins, lots = zip(*_lots(goods), strict=True)
    return (
        event.event_time_ms, event.biz_step, names.step(event), _each(map(naming.product, gtins)), _each(gtins),
        _each(lots), goods.count, goods.packs, side(papers.source, naming), side(papers.destination, naming),
        ", ".join(map(names.document, papers.documents)), naming.party(event.reporter), event.reporter,
        event.voided_by is not None, event.index, event.event_id, event.statement_hash,
    )  # fmt: skip


def side(uri: str, naming: names.Names) -> str:
    """The name of who or what a source or destination names: a party, else a place, else as it stands."""
    named_so = naming.party(uri)
    return naming.place(uri) if named_so == uri else named_so


REPORT = Report(
    id="site-movements",
    title=gettext_lazy("Movements of a site"),
    lead=gettext_lazy("What was recorded at a place between two days"),
    form=Form,
    run=run,
    icon="truck",
)
