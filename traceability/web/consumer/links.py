"""What a GS1 key leads to: its levels (pack, lot, product), and the links of each. Pure.

GS1-Conformant Resolver Standard 1.2; linksets are RFC 9264. A pack that nobody recorded has the same links as any other
of its product: they say where to ask, not what is there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from traceability.gs1 import linkset as registry
from traceability.gs1.digital_link import CANONICAL_DOMAIN, DigitalLink
from traceability.gs1.linkset import VOCABULARY, Registered, TargetLink

_VOCABULARIES = (VOCABULARY, "https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "gs1:")
HTML, LD_JSON, JSON = "text/html", "application/ld+json", "application/json"
LANGUAGES = ("en", "zh-Hans")
# linkset is the standard's name; `all` is its older one.
WHOLE = frozenset({"linkset", "all"})
DEFAULT = "defaultLink"
# Whether it is recalled is asked of the record: a maker's own word on it is listed beside ours, never in its place.
_OURS_FIRST = frozenset({"recallStatus"})
_NOTHING = Registered()


@dataclass(frozen=True)
class Link:
    """One target: an address on this site, or one that the maker `registered`; its name and form."""

    kind: str  # local name of the link type
    href: str
    title: str
    type: str = HTML
    languages: tuple[str, ...] = LANGUAGES
    registered: TargetLink | None = None


@dataclass(frozen=True)
class Reader:
    """Who asks: languages in order of preference, and the quality of a media type (RFC 9110, section 12.5)."""

    languages: Sequence[str] = ()
    quality: Callable[[str], float] = field(default=lambda _: 1.0)


@dataclass(frozen=True)
class Level:
    """A thing, or the class that it belongs to, by its path, and where its links lead."""

    name: str  # pack | lot | product | unit | place | party | other
    path: str
    links: Sequence[Link]


def local_name(link_type: str) -> str:
    """The local name of a link type written as CURIE, URI or bare."""
    for prefix in _VOCABULARIES:
        if link_type.startswith(prefix):
            return link_type.removeprefix(prefix)
    return link_type


def levels(link: DigitalLink, registered: Registered = _NOTHING) -> list[Level]:
    """The levels of a key, finest first: what is not found at one is looked for at the next."""
    if link.key == "01":
        return list(_item_levels(link, registered))
    name = {"00": "unit", "414": "place", "417": "party"}.get(link.key, "other")
    here = [_page(DEFAULT, link.path)]
    if name == "place":
        here.append(_page("locationInfo", link.path))
        here.append(_events(f"/epcis/events?EQ_bizLocation={_value(link.canonical)}"))
    elif name != "party":
        here.append(_events_of(link.canonical))
    return [Level(name, link.path, here)]


def trade_code_levels(code: str, epc: str, gtin: str, registered: Registered = _NOTHING) -> list[Level]:
    """The levels of a 20-digit drug trace code: its pack, and its product where that has a GTIN ('' = none).

    A product without one has no address of its own: its maker's links are found at the pack.
    """
    path = f"/c/{code}"
    if gtin:
        return [
            Level("pack", path, list(_of_pack(path, epc))),
            *_item_levels(DigitalLink("01", gtin), registered),
        ]
    return [Level("pack", path, [*_of_pack(path, epc), *_of_maker(registered.product)])]


def name_of(link: DigitalLink) -> str:
    """Which level the key itself is."""
    return levels(link)[0].name


def find(found: Sequence[Level], kind: str, reader: Reader) -> list[Link]:
    """The link of this type at the finest level that has one (the standard's walk up the tree).

    Of several that the maker registered it is the one that fits the reader; all that do, if nothing tells them apart.
    """
    for level in found:
        there = [link for link in level.links if link.kind == kind]
        makers = [link for link in there if link.registered]
        if makers and (len(makers) == len(there) or kind not in _OURS_FIRST):
            fitting = registry.best(
                [one.registered for one in makers if one.registered], reader.languages, reader.quality
            )
            return [link for link in makers if link.registered in fitting]
        if there:
            return there[:1]
    return []


def of_makers(registered: Registered, reader: Reader) -> list[Link]:
    """Of each type that the maker registered the links that fit the reader, as at `find`; the leaflet first."""
    found = [
        Level("lot", "", list(_of_maker(registered.lot))),
        Level("product", "", list(_of_maker(registered.product))),
    ]
    return [link for kind in registry.LINK_TYPES for link in find(found, kind, reader)]


def only(found: Sequence[Level], chosen: Sequence[Link]) -> list[Level]:
    """The levels with the chosen links only."""
    kept = [Level(one.name, one.path, [link for link in one.links if link in chosen]) for one in found]
    return [level for level in kept if level.links]


def linkset(found: Sequence[Level], root: str) -> dict[str, Any]:
    """The links of all levels, each anchored at its own, in JSON (RFC 9264, section 4.2); `root` is this site."""
    contexts = []
    for level in found:
        context: dict[str, Any] = {"anchor": root + level.path}
        for link in level.links:
            context.setdefault(VOCABULARY + link.kind, []).append(_target(link, root))
        contexts.append(context)
    return {"linkset": contexts}


def description(root: str, name: str) -> dict[str, Any]:
    """The resolver's description of itself, for /.well-known/gs1resolver."""
    return {
        "name": name,
        "resolverRoot": root,
        "supportedPrimaryKeys": ["all"],
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "linkTypeDefaultCanBeLinkset": False,
    }


def _item_levels(link: DigitalLink, registered: Registered) -> Iterator[Level]:
    lot, serial = link.qualifier("10"), link.qualifier("21")
    product = DigitalLink("01", link.value)
    batch = DigitalLink("01", link.value, (("10", lot),)) if lot else None
    if serial:
        pack = DigitalLink("01", link.value, (*(batch.qualifiers if batch else ()), ("21", serial)))
        yield Level("pack", pack.path, list(_of_pack(pack.path, pack.canonical)))
    if batch:
        yield Level("lot", batch.path, [*_of_class(batch, "Recall of the batch"), *_of_maker(registered.lot)])
    links = [*_of_class(product, "Recall of the product"), *_of_product(product), *_of_maker(registered.product)]
    # What is recorded of a product names its packs; few events name its class.
    yield Level("product", product.path, [_events_of(product.canonical), *links])


def _of_pack(path: str, epc: str) -> Iterator[Link]:
    yield _page(DEFAULT, path)
    yield Link("verificationService", path, "What is recorded of this pack")
    yield Link("recallStatus", path, "Recall of this pack's batch")
    yield Link("traceability", f"/evidence{path}", "Evidence that anyone can check", JSON)
    yield _events_of(epc)


def _of_class(thing: DigitalLink, recall: str) -> Iterator[Link]:
    yield _page(DEFAULT, thing.path)
    yield Link("recallStatus", thing.path, recall)
    yield _events(f"/epcis/events?MATCH_epcClass={_value(thing.canonical)}")


def _of_product(product: DigitalLink) -> Iterator[Link]:
    yield Link("pip", product.path, "Product information")
    yield Link("masterData", product.path, "Product data", LD_JSON, ())


def _of_maker(registered: Sequence[TargetLink]) -> Iterator[Link]:
    for one in registered:
        languages = (one.language,) if one.language else ()
        yield Link(one.kind, one.href, one.title, one.media_type, languages, one)


def _page(kind: str, path: str) -> Link:
    return Link(kind, path, "Page for people")


def _events_of(uri: str) -> Link:
    return _events(f"/epcis/events?MATCH_anyEPC={_value(uri)}")


def _events(href: str) -> Link:
    return Link("epcis", href, "EPCIS events, for trading partners with a token", LD_JSON, ())


def _value(uri: str) -> str:
    return quote(uri, safe="")


def _target(link: Link, root: str) -> Mapping[str, Any]:
    href = link.href if link.registered else root + link.href
    target: dict[str, Any] = {"href": href, "title": link.title, "type": link.type}
    return target | ({"hreflang": list(link.languages)} if link.languages else {})


def same_as(link: DigitalLink) -> str:
    """The link under the canonical domain, all qualifiers kept."""
    return CANONICAL_DOMAIN + link.path
