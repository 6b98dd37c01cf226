"""What became of a document that went to a partner, as pages show it."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy

from traceability.exchange.models import Delivery

from . import names

STATES = {
    "queued": (gettext_lazy("Ready"), "is-unknown"),
    "sent": (gettext_lazy("Put into the folder"), "is-unknown"),
    "fetched": (gettext_lazy("Fetched"), "is-ok"),
    "answered": (gettext_lazy("Taken by the partner"), "is-ok"),
    "failed": (gettext_lazy("Failed"), "is-danger"),
}
WAYS = {
    "download": gettext_lazy("The partner downloads it"),
    "folder": gettext_lazy("Into the partner's folder (SFTP, AS2)"),
    "webhook": gettext_lazy("Sent to a web address"),
}


def steps(delivery: Delivery, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Its log, the oldest first."""
    naming = names.Names()
    return [
        {
            "at": names.moment(step.at_ms, zone),
            "state": STATES[step.state][0],
            "who": naming.party(step.actor) if step.actor.startswith("urn:") else step.actor,
            "detail": step.detail,
        }
        for step in sorted(delivery.steps.all(), key=lambda one: one.pk)
    ]
