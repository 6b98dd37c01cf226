"""Exceptions that are not resolved, by how long they have been open."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.clock import now_ms
from traceability.exceptions import selectors, wording
from traceability.exceptions.models import ExceptionItem
from traceability.web.shared.exception_rows import STATES

from .frame import Answer, Asker, Column, Portion, Report, ReportForm, Row, bars

COLUMNS = (
    Column("reference", gettext_lazy("Reference")),
    Column("opened", gettext_lazy("Opened at"), "moment"),
    Column("days_open", gettext_lazy("Days open"), "number"),
    Column("kind"),
    Column("kind_name", gettext_lazy("Kind")),
    Column("party", gettext_lazy("Organisation")),
    Column("party_uri"),
    Column("partner", gettext_lazy("Partner")),
    Column("partner_uri"),
    Column("goods", gettext_lazy("Goods"), "number"),
    Column("state"),
    Column("state_name", gettext_lazy("State")),
    Column("due", gettext_lazy("Due"), "moment"),
    Column("overdue", gettext_lazy("Overdue"), "yes"),
)
_AGES = (
    gettext_lazy("up to 2 days"),
    gettext_lazy("3 to 7 days"),
    gettext_lazy("8 to 30 days"),
    gettext_lazy("longer than 30 days"),
)


class Form(ReportForm):
    """A party chooses between its own and those that it was asked about; the regulator is told all."""

    side = forms.ChoiceField(
        label=gettext_lazy("Whose"), initial="own",
        choices=[("own", gettext_lazy("Opened by us")), ("asked", gettext_lazy("Asked of us by partners"))],
    )  # fmt: skip

    def __init__(self, given: Any, *, asker: Asker) -> None:
        super().__init__(given, asker=asker)
        if asker.is_inspector:
            del self.fields["side"]


def run(asker: Asker, given: dict[str, Any]) -> Answer:
    """The one that has been open longest first. The words of an exception are on its own page, not here."""
    now = now_ms()
    if asker.is_inspector:
        found, subject = selectors.unresolved(), _("All organisations")
    elif given["side"] == "asked":
        found, subject = selectors.asked_of(asker.party, {}), _("Asked of {party}").format(party=asker.party.name)
    else:
        found, subject = selectors.of_party(asker.party, {}), asker.party.name
    counted = selectors.ages(found, at_ms=now)

    def portion(after: str, limit: int) -> Portion:
        rows = selectors.oldest(found, after=selectors.place_of(after), limit=limit + 1)
        more = rows[limit - 1] if len(rows) > limit else None
        return Portion(_rows(rows[:limit], now), f"{more.opened_ms}-{more.id}" if more else "")

    return Answer(
        subject=subject,
        columns=COLUMNS,
        portion=portion,
        facts=[
            (gettext_lazy("Not resolved"), sum(counted.by_age)),
            (gettext_lazy("Overdue"), counted.overdue),
            (gettext_lazy("Before the regulator"), counted.escalated),
            *((wording.KINDS[kind], number) for kind, number in counted.by_kind.items() if number),
        ],
        bars=bars(list(zip(_AGES, counted.by_age, strict=True))) if any(counted.by_age) else (),
        notes=[_("Whole days since an exception was opened. Overdue is what has run past its own clock.")],
    )


def _rows(items: list[ExceptionItem], now: int) -> list[Row]:
    goods = selectors.counts(items)
    return [
        (
            wording.reference(one), one.opened_ms, selectors.days_open(one, at_ms=now), one.kind,
            str(wording.KINDS[one.kind]), one.party.name, one.party.uri, one.partner.name if one.partner else "",
            one.partner.uri if one.partner else "", goods.get(one.id, 0), one.state, str(STATES[one.state][0]),
            one.due_ms, one.due_ms < now,
        )
        for one in items
    ]  # fmt: skip


REPORT = Report(
    id="open-exceptions",
    title=gettext_lazy("Open exceptions by age"),
    lead=gettext_lazy("Which goods do not fit their data, since when, with whom, and what is overdue"),
    form=Form,
    run=run,
    icon="clock",
)
