"""What the two temperature templates share: from readings to incidents with certain and possible bounds (D1.4)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median_low

from traceability.coldchain.excursions import Excursion, Reading, Side, find_excursions, is_beyond
from traceability.contracts.draft import Certainty, Draft
from traceability.contracts.facts import Chunk, HolderFacts, Limits

RULE = "temperature"


@dataclass(frozen=True)
class Line:
    """A limit for one product: beyond `limit_mc` on `side` for `limit_s` seconds; `code` names the explanation.

    `strict`: the limit itself is still good. `rank`: of several lines broken in one incident the highest names it.
    """

    code: str
    side: Side
    limit_mc: int
    limit_s: int
    strict: bool = True
    rank: int = 0
    item: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Judging:
    """How runs are found and grouped: no run goes across a gap; runs less than `group_s` apart are one incident."""

    max_gap_s: int | None
    group_s: int


@dataclass(frozen=True)
class _Run:
    line: Line
    excursion: Excursion
    certainty: Certainty


def findings(facts: HolderFacts, lines: Sequence[Line], judging: Judging) -> Iterable[Draft]:
    """One finding per incident: runs of all loggers and products that belong together by time."""
    runs = [run for line in lines for run in _runs(facts, line, judging)]
    runs.sort(key=lambda run: (run.excursion.start_ms, run.excursion.end_ms, run.line.code, run.line.item))
    group: list[_Run] = []
    reach = 0
    for run in runs:
        if group and run.excursion.start_ms > reach + judging.group_s * 1000:
            yield _draft(facts, group)
            group = []
        reach = max(reach, run.excursion.end_ms) if group else run.excursion.end_ms
        group.append(run)
    if group:
        yield _draft(facts, group)


def relevant(facts: HolderFacts) -> Sequence[Limits]:
    """The products whose limits count: all in a container; at a place the one that the logger's usual value suits.

    A cold room and a shelf may share a place's identifier; a sensor in one must not condemn what lies in the other.
    """
    values = [value for chunk in facts.chunks for _, value in chunk.readings] or [
        value for chunk in facts.chunks for value in (chunk.min_mc, chunk.max_mc) if value is not None
    ]
    if not facts.is_place or len(facts.limits) < 2 or not values:
        return facts.limits
    usual = median_low(values)

    def distance(limits: Limits) -> tuple[int, int, str]:
        outside = max(limits.low_mc - usual, usual - limits.high_mc, 0)
        return outside, limits.high_mc - limits.low_mc, limits.item

    return [min(facts.limits, key=distance)]


def _runs(facts: HolderFacts, line: Line, judging: Judging) -> Iterable[_Run]:
    for readings in _series(facts.chunks).values():
        for excursion in find_excursions(
            readings,
            limit_mc=line.limit_mc,
            side=line.side,
            limit_s=line.limit_s,
            strict=line.strict,
            max_gap_s=judging.max_gap_s,
        ):
            certainty = excursion.certainty(line.limit_s)
            if certainty is not None:
                yield _Run(line, excursion, certainty)
    for chunk in facts.chunks:
        summary = _summarised(chunk, line)
        if summary is not None:
            yield _Run(line, summary, "possible")


def _series(chunks: Iterable[Chunk]) -> dict[str, list[Reading]]:
    """The readings per logger: two interleaved probes must not break each other's runs."""
    found: dict[str, set[Reading]] = defaultdict(set)
    for chunk in chunks:
        if chunk.readings:
            found[chunk.device].update(chunk.readings)
    return {device: sorted(found[device]) for device in sorted(found)}


def _summarised(chunk: Chunk, line: Line) -> Excursion | None:
    """A reported extreme without the readings behind it: it may have lasted all the time, or a moment."""
    extreme = chunk.max_mc if line.side == "above" else chunk.min_mc
    if chunk.readings or extreme is None:
        return None
    possible_s = (chunk.end_ms - chunk.start_ms) // 1000
    if possible_s < line.limit_s or not is_beyond(extreme, limit_mc=line.limit_mc, side=line.side, strict=line.strict):
        return None
    return Excursion(chunk.start_ms, chunk.end_ms, 0, possible_s, extreme)


def _draft(facts: HolderFacts, runs: Sequence[_Run]) -> Draft:
    certain = [run for run in runs if run.certainty == "certain"]
    side = runs[0].line.side
    pick = max if side == "above" else min
    worst = pick(run.excursion.extreme_mc for run in runs)
    longest = max(
        certain or runs,
        key=lambda run: (run.line.rank, run.excursion.possible_s, run.excursion.certain_s, run.line.item),
    )
    start, end = min(run.excursion.start_ms for run in runs), max(run.excursion.end_ms for run in runs)
    chunks = [chunk for chunk in facts.chunks if chunk.start_ms <= end and chunk.end_ms >= start]
    return Draft(
        rule=RULE,
        code=longest.line.code,
        subject=facts.subject,
        severity="S2" if certain else "S3",
        certainty="certain" if certain else "possible",
        evidence=tuple(sorted({chunk.index for chunk in chunks})),
        parties=tuple(sorted({chunk.reporter for chunk in chunks} | set(facts.parties))),
        at_ms=start,
        incident=f"{RULE}|{side}|{facts.subject}|{start}",
        discriminator=f"{side}:{start}",
        params={
            "limit_mc": longest.line.limit_mc,
            "limit_s": longest.line.limit_s,
            "extreme_mc": worst,
            "certain_s": longest.excursion.certain_s,
            "possible_s": longest.excursion.possible_s,
            "start_ms": start,
            "end_ms": end,
            "item": longest.line.item,
            "profile": longest.line.profile,
        },
    )
