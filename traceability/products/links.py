"""Links that a maker registers of its products and lots: read, and changed as a logged version signed by the maker."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from django.db import transaction
from django.db.models import Q

from traceability.gs1 import linkset
from traceability.gs1.linkset import Fault, Links, Registered, TargetLink
from traceability.parties.versions import log_version

from .models import LinkSet, Lot, TradeItem

__all__ = ["Edit", "Links", "LinksRefusedError", "Registered", "TargetLink", "change", "digest", "of", "of_item"]
# From what is registered (nothing: empty) to what shall be; may raise, then nothing changes.
Edit = Callable[[Links], Sequence[TargetLink]]


class LinksRefusedError(Exception):
    """These links cannot be registered; `faults` says why, each of them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].detail)
        self.faults = faults


def of(item: TradeItem, lot: Lot | None = None) -> Links:
    """The links of the product itself, or of the lot itself."""
    row = LinkSet.objects.filter(item=item, lot=lot).first()
    return _links(row) if row else ()


def of_item(lot: str, **item: str) -> Registered:
    """The links of a product (`gtin` or `id`), and of its lot of this number; one query."""
    chosen = Q(**{f"item__{name}": value for name, value in item.items()})
    rows = LinkSet.objects.filter(chosen).filter(Q(lot=None) | Q(lot__number=lot))
    sets = {row.lot_id is None: _links(row) for row in rows}
    return Registered(product=sets.get(True, ()), lot=sets.get(False, ()))


def digest(links: Links) -> str:
    """Which version of a set of links this is."""
    return hashlib.sha256(json.dumps(_content(links), sort_keys=True).encode()).hexdigest()[:32]


def change(*, item: TradeItem, lot: Lot | None, edit: Edit) -> Links:
    """Let `edit` make the links anew from what stands, one change at a time for a product; LinksRefusedError.

    An edit that changes nothing logs nothing.
    """
    with transaction.atomic():
        TradeItem.objects.select_for_update(no_key=True).get(id=item.id)
        standing = of(item, lot)
        links = tuple(edit(standing))
        if faults := linkset.faults(links):
            raise LinksRefusedError(faults)
        if links == standing:
            return links
        if links:
            LinkSet.objects.update_or_create(item=item, lot=lot, defaults={"links": _content(links)})
        else:
            LinkSet.objects.filter(item=item, lot=lot).delete()
        of_lot = {"lot": lot.number} if lot else {}
        content = {"item": item.id, "gtin": item.gtin, **of_lot, "links": _content(links)}
        subject = f"links:{item.id}:{lot.number}" if lot else f"links:{item.id}"
        log_version(subject=subject, content=content, by=item.manufacturer)
    return links


def _content(links: Links) -> list[dict[str, object]]:
    return [asdict(link) for link in links]


def _links(row: LinkSet) -> Links:
    return tuple(TargetLink(**one) for one in row.links)
