"""Where something stood, from its events: places with from and to. PURE."""

from collections.abc import Iterable
from dataclasses import dataclass

# Steps after which no place's temperature speaks for the thing: it is on the road, or out of the chain.
_LEAVING = {"shipping", "departing", "transporting"}
_ENDING = {"dispensing", "retail_selling", "destroying", "decommissioning", "killing"}


@dataclass(frozen=True)
class Step:
    """One event that moved or saw the thing: its own or, while inside, its container's."""

    at_ms: int
    biz_step: str
    biz_location: str
    disposition: str = ""

    @property
    def leaves(self) -> bool:
        """Whether the thing is at no place of the chain afterwards."""
        return self.biz_step in _LEAVING or self.ends

    @property
    def ends(self) -> bool:
        """Whether the thing leaves the chain: sold, dispensed or destroyed."""
        return self.biz_step in _ENDING and self.disposition != "partially_dispensed"


@dataclass(frozen=True)
class Stay:
    """A stay at a place; `to_ms` None = still there. Half open."""

    place: str
    from_ms: int
    to_ms: int | None


def stays(steps: Iterable[Step]) -> list[Stay]:
    """The stays that the steps tell of. An event's bizLocation is where the thing is afterwards (EPCIS 2.0, 7.3.5.4).

    A leaving step ends the stay whatever location it names; another step without a location changes nothing, and
    neither does a read-out of its logger, which may happen elsewhere.
    """
    found: list[Stay] = []
    place, since = "", 0
    for step in sorted(steps, key=lambda step: step.at_ms):
        if step.biz_step == "sensor_reporting":
            continue
        after = "" if step.leaves else step.biz_location or place
        if after == place:
            continue
        if place:
            found.append(Stay(place, since, step.at_ms))
        place, since = after, step.at_ms
    if place:
        found.append(Stay(place, since, None))
    return [stay for stay in found if stay.to_ms is None or stay.to_ms > stay.from_ms]


def gone_ms(own: Iterable[Step]) -> int | None:
    """When the thing left the chain, by its own steps; None while it is in it (or came back)."""
    gone: int | None = None
    for step in sorted(own, key=lambda step: step.at_ms):
        if step.biz_step != "sensor_reporting":
            gone = step.at_ms if step.ends else None
    return gone
