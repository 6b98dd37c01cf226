"""Organisations that used to record and have stopped."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.capture import habits
from traceability.common.clock import now_ms

from .frame import REGULATOR, Answer, Asker, Column, Report, ReportForm, listed

COLUMNS = (
    Column("party", gettext_lazy("Organisation")),
    Column("party_uri"),
    Column("roles", gettext_lazy("Roles")),
    Column("last_event", gettext_lazy("Last event"), "moment"),
    Column("days_silent", gettext_lazy("Days since"), "number"),
    Column("weeks_active", gettext_lazy("Weeks with events before"), "number"),
)
_ROLES = {
    "manufacturer": gettext_lazy("Manufacturer"),
    "distributor": gettext_lazy("Distributor"),
    "hospital": gettext_lazy("Hospital"),
    "pharmacy": gettext_lazy("Pharmacy"),
    "regulator": gettext_lazy("Regulator"),
}


class Form(ReportForm):
    """How long a silence, and how steady the habit before it."""

    days = forms.IntegerField(label=gettext_lazy("No event for so many days"), min_value=1, max_value=365, initial=7)
    weeks = forms.IntegerField(
        label=gettext_lazy("Recorded before in at least so many of 12 weeks"), min_value=1, max_value=habits.WEEKS,
        initial=6,
    )  # fmt: skip


def run(asker: Asker, given: dict[str, Any]) -> Answer:
    """The longest silence first."""
    now = now_ms()
    found = habits.fell_silent(now_ms=now, days=given["days"], weeks=given["weeks"])
    rows = [
        (
            one.party.name, one.party.uri, ", ".join(str(_ROLES.get(role, role)) for role in one.party.roles),
            one.last_ms, (now - one.last_ms) // habits.DAY_MS, one.weeks,
        )
        for one in found
    ]  # fmt: skip
    return Answer(
        subject=_("Silent for %(days)s days or longer") % {"days": given["days"]},
        columns=COLUMNS,
        portion=listed(rows),
        facts=[(gettext_lazy("Organisations"), len(rows))],
        notes=[
            _("By the time at which events happened, as their reporters say."),
            _("Who never recorded steadily has no habit to compare with."),
        ],
    )


REPORT = Report(
    id="silent-parties",
    title=gettext_lazy("Organisations that fell silent"),
    lead=gettext_lazy("Who used to record and has stopped"),
    form=Form,
    run=run,
    icon="bell",
    faces=frozenset({REGULATOR}),
)
