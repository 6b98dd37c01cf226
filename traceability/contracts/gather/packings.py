"""What put things into containers and took them out, of those things whose packings may contradict each other."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from traceability.capture.models import EventEpc
from traceability.common import bulk
from traceability.contracts.templates.containment import MAX_DEPTH
from traceability.custody.fold import Fact
from traceability.custody.histories import Histories

Packings = Mapping[str, Sequence[Fact]]


def gather(grouped: Mapping[str, Collection[tuple[int, str]]]) -> dict[str, Packings]:
    """By thing its packings and those of whatever it ever lay in.

    `grouped`: the events (log index, role) that name a thing as parent or child. Left out is what was in one container
    only and holds nothing: the packs of a sealed case.
    """
    children = {index for named in grouped.values() for index, role in named if role == "child"}
    parents = dict(
        bulk.among(EventEpc.objects.filter(role="parent").values_list("event_index", "epc"), "event_index", children)
    )
    doubtful = {epc for epc, named in grouped.items() if _may_contradict(named, parents)}
    known = _known(doubtful)
    return {epc: {name: known[name] for name in _above(epc, known)} for epc in doubtful}


def _may_contradict(named: Collection[tuple[int, str]], parents: Mapping[int, str]) -> bool:
    lay_in = {parents[index] for index, role in named if role == "child" and index in parents}
    return len(lay_in) > 1 or (bool(lay_in) and any(role == "parent" for _, role in named))


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
