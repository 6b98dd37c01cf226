"""A pack's way in plain words: the steps a patient cares about, by day and city, never by clock or address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from traceability.capture.models import PublishedEvent
from traceability.parties import selectors as parties
from traceability.parties.models import Party, Site

from .dossier import day

# Packing, storing and the like are in the evidence, but tell a patient nothing.
_TITLES = {
    "commissioning": _("Made"),
    "shipping": _("Sent on"),
    "departing": _("Sent on"),
    "receiving": _("Arrived"),
    "accepting": _("Arrived"),
    "arriving": _("Arrived"),
    "dispensing": _("Sold or dispensed"),
    "retail_selling": _("Sold or dispensed"),
    "returning": _("Returned"),
    "holding": _("Set aside"),
    "destroying": _("Destroyed"),
    "decommissioning": _("Taken out of use"),
    "sampling": _("Taken as a sample"),
}
_TITLE_OF_DISPOSITION = {"partially_dispensed": _("Opened for dispensing"), "recalled": _("Recalled")}
_ICONS: Mapping[str, str] = {"manufacturer": "factory", "hospital": "hospital", "pharmacy": "store"}


@dataclass(frozen=True)
class Step:
    """One line of the timeline; `index` is its log entry, so that the browser can compare it with the proof."""

    index: int
    day: date
    title: Promise
    biz_step: str
    who: str
    city: str
    icon: str
    party_uri: str
    reported_by: str  # the reporter's name, where another party's place is meant


def steps(events: Sequence[PublishedEvent]) -> list[Step]:
    """The timeline of these events, in their order; two queries, however long the way."""
    shown = [(event, title) for event in events if (title := _title(event)) is not None]
    sites = parties.sites_by_uri({_place(event) for event, _ in shown})
    reporters = parties.parties_by_own_uri({event.reporter for event, _ in shown})
    return [_step(event, title, sites.get(_place(event)), reporters.get(event.reporter)) for event, title in shown]


def _place(event: PublishedEvent) -> str:
    return event.biz_location or event.read_point


def _title(event: PublishedEvent) -> Promise | None:
    if "stolen" in event.persistent_set.split():
        return _("Reported stolen")
    return _TITLE_OF_DISPOSITION.get(event.disposition) or _TITLES.get(event.biz_step)


def party_name(uri: str) -> str:
    """The name of a party as the register has it, or its URI."""
    party = parties.party_by_uri(uri)
    return party.name if party else uri


def _step(event: PublishedEvent, title: Promise, site: Site | None, reporter: Party | None) -> Step:
    actor = site.party if site else reporter
    name = reporter.name if reporter else event.reporter
    role = actor.roles[0] if actor and actor.roles else ""
    moving = event.biz_step in {"shipping", "departing"}
    return Step(
        index=event.index,
        day=day(event),
        title=title,
        biz_step=event.biz_step,
        who=actor.name if actor else name,
        city=site.city if site else "",
        icon="truck" if moving else _ICONS.get(role, "box"),
        party_uri=event.reporter,
        reported_by=name if actor and reporter and actor.pk != reporter.pk else "",
    )
