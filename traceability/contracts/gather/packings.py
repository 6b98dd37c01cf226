"""What put things into containers and took them out, of those things whose packings may contradict each other."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from traceability.capture.models import EventEpc
from traceability.common import bulk
from traceability.contracts.templates.containment import MAX_DEPTH
from traceability.custody.fold import Fact
from traceability.custody.histories import Histories

Packings = Mapping[str, Sequence[Fact]]


def gather(histories: Mapping[str, Collection[tuple[int, str]]]) -> dict[str, Packings]:
    """By thing its packings and those of whatever it ever lay in.

    `histories`: the events (log index, role) that name a thing. Left out is what was in one container only and cannot
    lie in itself: the packs of a sealed case, and the case.
    """
    inside = {epc: indexes for epc, history in histories.items() if (indexes := _packed_again(history))}
    edges = _edges(inside, {epc for epc in inside if any(role == "parent" for _, role in histories[epc])})
    lay_in: dict[str, set[str]] = defaultdict(set)
    for child, parent in edges:
        lay_in[child].add(parent)
    ringed = on_rings(edges)
    doubtful = {epc for epc in inside if epc in ringed or len(lay_in[epc]) > 1}
    known = _known(doubtful)
    return {epc: {name: known[name] for name in _above(epc, known)} for epc in doubtful}


def _packed_again(history: Collection[tuple[int, str]]) -> set[int]:
    """The events that name a thing as child, if they are several or it holds something itself."""
    roles = [role for _, role in history]
    if roles.count("child") < 2 and "parent" not in roles:
        return set()
    return {index for index, role in history if role == "child"}


def _edges(inside: Mapping[str, Collection[int]], holding: Collection[str]) -> set[tuple[str, str]]:
    """What was ever put into what (child, parent): these things, and those around such as hold something themselves.

    `inside`: the events that put each of them into something. What holds nothing cannot lie in itself.
    """
    edges: set[tuple[str, str]] = set()
    level, rising = inside, set(holding)
    for _ in range(MAX_DEPTH):
        if not level:
            break
        packing = EventEpc.objects.filter(role="parent").values_list("event_index", "epc")
        parents = dict(bulk.among(packing, "event_index", {index for indexes in level.values() for index in indexes}))
        edges |= {(epc, parents[index]) for epc, indexes in level.items() for index in indexes if index in parents}
        above = {parent for child, parent in edges if child in rising} - {child for child, _ in edges}
        rising |= above
        around: dict[str, set[int]] = defaultdict(set)
        put = EventEpc.objects.filter(role="child").values_list("epc", "event_index")
        for epc, index in bulk.among(put, "epc", above):
            around[epc].add(index)
        level = around
    return edges


def _known(things: Collection[str]) -> dict[str, Sequence[Fact]]:
    found: dict[str, Sequence[Fact]] = {}
    level = set(things)
    for _ in range(MAX_DEPTH):
        if not level:
            break
        histories = Histories(level, roles=("child",))
        found |= dict.fromkeys(level, ())
        for history, names in histories.sharing.items():
            found |= dict.fromkeys(names, histories.known(history))
        level = {fact.parent for name in level for fact in found[name]} - found.keys()
    return found


def _above(thing: str, known: Packings) -> set[str]:
    found: set[str] = set()
    level = {thing}
    while level:
        found |= level
        level = ({fact.parent for name in level for fact in known[name]} & known.keys()) - found
    return found


def on_rings(edges: Iterable[tuple[str, str]]) -> set[str]:
    """Of things that lay in others (child, parent), those that lie on a ring, or between two. Pure."""
    left = set(edges)
    while True:
        below, above = {child for child, _ in left}, {parent for _, parent in left}
        kept = {(child, parent) for child, parent in left if child in above and parent in below}
        if kept == left:
            return below | above
        left = kept
