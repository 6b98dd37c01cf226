"""What the loggers say about one pack, in one sentence. Unknown is never shown as fine."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from traceability.coldchain import selectors as coldchain
from traceability.coldchain.excursions import Excursion, find_excursions
from traceability.contracts.wording import celsius
from traceability.custody import selectors as custody
from traceability.products.models import StorageProfile


@dataclass(frozen=True)
class Exposure:
    """A pack's readings against its product's limits. Temperatures in milli-°C, excursions with both bounds."""

    profile: StorageProfile | None
    readings: int = 0
    lowest: int = 0
    highest: int = 0
    excursions: Sequence[Excursion] = ()


@dataclass(frozen=True)
class Summary:
    """What the page says; `tone` as in static/shared/dosetrail.css."""

    tone: str
    title: str
    text: str


def exposure(epc: str, profile: StorageProfile | None, past: custody.Past) -> Exposure:
    """The readings along a pack's way, each leg judged by itself."""
    if profile is None:
        return Exposure(None)
    legs = [leg.readings for leg in coldchain.exposure_path(epc, past) if leg.readings]
    values = [value for leg in legs for _, value in leg]
    if not values:
        return Exposure(profile)
    found = [excursion for leg in legs for excursion in _beyond(leg, profile)]
    return Exposure(profile, len(values), min(values), max(values), found)


def summary(found: Exposure) -> Summary:
    """The exposure in words."""
    profile = found.profile
    if profile is None or not found.readings:
        text = _("No logger has reported on this pack's way. That is not the same as fine: it is not known.")
        return Summary("unknown", _("No temperature record"), text)
    allowed = _("Allowed: {low} to {high}.").format(low=celsius(profile.low_mc), high=celsius(profile.high_mc))
    measured = _("Measured: {low} to {high} in {count} readings; between readings and without a logger it is unknown.")
    measured = measured.format(low=celsius(found.lowest), high=celsius(found.highest), count=found.readings)
    if not found.excursions:
        return Summary("ok", _("All readings within the limits"), f"{allowed} {measured}")
    certain = sum(excursion.certain_s for excursion in found.excursions) // 60
    possible = -(-sum(excursion.possible_s for excursion in found.excursions) // 60)  # an upper bound is rounded up
    outside = _("Outside for at least {certain} and at most {possible} minutes.").format(
        certain=certain, possible=possible
    )
    return Summary("warn", _("Outside the limits on its way"), f"{outside} {allowed} {measured}")


def _beyond(readings: Sequence[tuple[int, int]], profile: StorageProfile) -> list[Excursion]:
    limits = [("above", profile.high_mc, profile.high_seconds), ("below", profile.low_mc, profile.low_seconds)]
    if profile.freeze_sensitive:
        limits.append(("below", profile.freeze_mc, profile.freeze_seconds))
    found = [
        excursion
        for side, limit, seconds in limits
        for excursion in find_excursions(readings, limit_mc=limit, side=side, limit_s=seconds)  # type: ignore[arg-type]
    ]
    return [one for one in found if not any(_within(one, other) for other in found)]


def _within(one: Excursion, other: Excursion) -> bool:
    """Whether `one` is a part of `other`: the frozen part of a cold run is not counted again."""
    wider = other.end_ms - other.start_ms > one.end_ms - one.start_ms
    return wider and other.start_ms <= one.start_ms and one.end_ms <= other.end_ms
