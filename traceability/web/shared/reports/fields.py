"""What the reports' forms have in common: places, parties, lots and dates as people give them."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.clock import now_ms
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties.models import Party, PartyIdentifier, Site
from traceability.web.shared import names

from .frame import ReportForm

_SUGGESTED = 5
Named = TypeVar("Named", Site, Party)


def text(label: Any, hint: Any) -> forms.CharField:
    """A line of text that is no prose."""
    plain = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=hint, max_length=300, widget=plain)


def day(label: Any) -> forms.DateField:
    """A day, as browsers send it."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, widget=widget, input_formats=["%Y-%m-%d"])


class SiteForm(ReportForm):
    """One site: of one's own by choice, for the regulator any by GLN, short name or name."""

    site = text(gettext_lazy("Site"), gettext_lazy("GLN, short name or name"))

    def __init__(self, given: Any, *, asker: Any) -> None:
        super().__init__(given, asker=asker)
        if not asker.is_inspector:
            own = [(one.id, one.name) for one in asker.party.sites.order_by("name")]
            self.fields["site"] = forms.ChoiceField(label=gettext_lazy("Site"), choices=own)

    def clean_site(self) -> Site:
        """The site; ValidationError with what may have been meant."""
        given = self.cleaned_data["site"].strip()
        sites = Site.objects.all() if self.asker.is_inspector else self.asker.party.sites.all()
        return _one(sites, Q(id=given) | Q(gln=given) | Q(name__iexact=given), Q(name__icontains=given))


class PartyForm(ReportForm):
    """One party: one's own without asking, for the regulator any by GLN, short name or name."""

    party = text(gettext_lazy("Organisation"), gettext_lazy("GLN, short name or name"))

    def __init__(self, given: Any, *, asker: Any) -> None:
        if asker.is_inspector:
            super().__init__(given, asker=asker)
        else:
            super().__init__({**given, "party": asker.party.id}, asker=asker)
            del self.fields["party"]

    def clean_party(self) -> Party:
        """The party; ValidationError with what may have been meant."""
        given = self.cleaned_data["party"].strip()
        by_gln = PartyIdentifier.objects.filter(scheme=PartyIdentifier.Scheme.GLN, value=given).values("party")
        exact = Q(id=given) | Q(id__in=by_gln) | Q(name__iexact=given)
        return _one(Party.objects.all(), exact, Q(name__icontains=given))

    def clean(self) -> dict[str, Any]:
        """The party is there, whoever asks."""
        cleaned = super().clean() or self.cleaned_data
        return cleaned if self.asker.is_inspector else {**cleaned, "party": self.asker.party}


def _one(rows: QuerySet[Named], exact: Q, similar: Q) -> Named:
    found = list(rows.filter(exact)[:2])
    if len(found) == 1:
        return found[0]
    meant = found or list(rows.filter(similar).order_by("name")[:_SUGGESTED])
    if not meant:
        raise ValidationError(_("Nothing of that name is registered."))
    offered = ", ".join(f"{one.name} ({one.id})" for one in meant)
    raise ValidationError(_("Which one? Give the name in brackets: %(offered)s"), params={"offered": offered})


def read_code(given: str) -> ScannedCode:
    """A code as scanned or typed; ValidationError in words."""
    try:
        return scan.parse(given.strip(), today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    except Gs1Error as error:
        raise ValidationError(names.code_fault(error.code)) from error
