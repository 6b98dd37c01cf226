"""Accepted master data as queries and deliveries read it: hierarchy, attributes, and the header of a document."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from traceability.common import bulk
from traceability.epcis import master_data
from traceability.products import accepted, own
from traceability.products.accepted import Accepted
from traceability.products.models import Lot, TradeItem, VocabularyAttribute, VocabularyEdge


def descendants(uris: Collection[str]) -> set[str]:
    """These canonical URIs and all that lies below them by accepted master data (EPCIS 2.0, WD_readPoint).

    Below a party lie its sites, below a GLN the extensions of it that master data names; extensions that stood in
    events only are found by their beginning, `<GLN>/254/`.
    """
    found = set(uris)
    level = set(uris)
    while level:
        below = {row.child for row in bulk.among(VocabularyEdge.objects.all(), "parent", level)}
        below = below.union(*own.places_of_parties(level).values())
        level = below - found  # what was met before ends a circle
        found |= level
    return found


def with_attribute(name: str, values: Iterable[str]) -> set[str]:
    """The canonical URIs whose accepted attribute `name` (bare, CURIE or full) has one of `values` (EQATTR_)."""
    bare, texts = master_data.attribute_name(name), list(values)
    keys = {master_data.value_key(text) for text in texts}
    rows = bulk.among(VocabularyAttribute.objects.filter(name=bare), "value_key", keys)
    stated = {row.element_id for row in rows}
    # Our own row has the last word: what was accepted before it was made no longer counts.
    outdated = {uri for uri, said in own.described(stated).items() if bare in said}
    return (stated - outdated) | own.with_values(bare, texts)


def having_attribute(name: str) -> set[str]:
    """The canonical URIs that have an accepted attribute `name` (bare, CURIE or full) at all (HASATTR_)."""
    bare = master_data.attribute_name(name)
    return set(VocabularyAttribute.objects.filter(name=bare).values_list("element_id", flat=True)) | own.having(bare)


def header_for(ids: Collection[str]) -> list[dict[str, Any]]:
    """The vocabularyList (EPCIS JSON form) with what is accepted of these identifiers, in any spelling.

    An instance or a lot brings its product's element too; what nothing is known of is left out.
    """
    wanted = {part for uri in ids for part in _with_classes(master_data.canonical(uri))}
    lists: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for uri, one in sorted(accepted.of(wanted).items()):
        attributes = {**_derived(one), **one.attributes}
        if not attributes and not one.children:
            continue
        element: dict[str, Any] = {"id": uri}
        if attributes:
            element["attributes"] = [
                {"id": master_data.full_name(name), "attribute": value} for name, value in sorted(attributes.items())
            ]
        if one.children:
            element["children"] = sorted(one.children)
        for kind in one.types or [_kind(uri)]:
            lists[kind].append(element)
    return [{"type": master_data.full_type(kind), "vocabularyElementList": lists[kind]} for kind in sorted(lists)]


def _derived(one: Accepted) -> dict[str, str]:
    """What follows from our own row beside its columns."""
    if isinstance(one.row, TradeItem):
        return {"manufacturerOfTradeItemPartyName": one.row.manufacturer.name}
    return {"lotNumber": one.row.number} if isinstance(one.row, Lot) else {}


def _with_classes(uri: str) -> Iterable[str]:
    """A URI, and the product that it is of."""
    yield uri
    if uri.startswith(own.ITEM) and uri.count("/") > own.ITEM.count("/"):
        yield own.ITEM + own.key_of(uri)[1]


def _kind(uri: str) -> str:
    scheme, _ = own.key_of(uri)
    if scheme in ("gtin", "nmpa"):
        return "EPCClass"
    return "Party" if uri.startswith(own.PARTY) or scheme == "party" else "Location"
