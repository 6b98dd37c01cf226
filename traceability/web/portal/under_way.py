"""Shipments under way, as a step's form offers them, and finds the one that scanned goods belong to."""

from collections.abc import Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traceability.custody import selectors as custody
from traceability.custody.models import Shipment
from traceability.custody.sides import Standing
from traceability.epcis.documents import document_uri
from traceability.exceptions import standings
from traceability.gs1.scan import ScannedCode
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.scans.steps import Step
from traceability.visibility.rules import visible_indexes
from traceability.web.shared import names


def options(step: Step, party: Party) -> list[tuple[str, str]]:
    """To the party for receiving, from it for calling back: the number, and with whom and how many packs."""
    if step.biz_step == "shipping":
        return []
    is_receipt = step.biz_step == "receiving"
    rows = list(_open(step, party).defer("despatched", "received"))
    naming = names.Names().learn(parties_of=[row.sender if is_receipt else row.receiver for row in rows])
    found, counted = [], standings.of(party, rows)
    for row in rows:
        one = counted.get(row.despatch)
        if one and one.standing == Standing.RECEIVED:
            continue  # by its parts: the fold counts what the despatch names
        packs = ngettext("{n} pack", "{n} packs", one.sent).format(n=one.sent) if one else _("Being counted")
        other = naming.party(row.sender if is_receipt else row.receiver)
        found.append((names.document(row.despatch), f"{other} · {packs}"))
    return found


def completed(step: Step, party: Party, details: Mapping[str, str], codes: list[ScannedCode]) -> dict[str, str]:
    """The details of a receipt with the despatch advice that its goods say, and its sender.

    Found where exactly one shipment under way to the party names them or a container around them. A number that was
    typed as it is printed is that of the one such shipment which bears it; any other stays as it was typed.
    """
    found = dict(details)
    if step.biz_step != "receiving" or "despatch" not in (*step.needs, *step.optional):
        return found
    typed = details.get("despatch", "")
    rows = _bearing(typed, step, party) if typed else _naming({code.epc for code in codes if code.epc}, step, party)
    if len(rows) == 1 and visible_indexes([rows[0].shipped_index or 0], party):
        found["despatch"] = names.document(rows[0].despatch)
        if "sender" in step.optional and "sender" not in found and (sender := parties.party_by_uri(rows[0].sender)):
            found["sender"] = sender.id
    return found


def _open(step: Step, party: Party) -> QuerySet[Shipment]:
    uris, is_receipt = parties.uris_of(party), step.biz_step == "receiving"
    rows = custody.shipments_of(uris).filter(status__in=["open", "partial"])
    return rows.filter(receiver__in=uris) if is_receipt else rows.filter(sender__in=uris)


def _bearing(typed: str, step: Step, party: Party) -> list[Shipment]:
    rows = _open(step, party).defer("despatched", "received")
    exact = [row for row in rows if row.despatch == document_uri(typed)]
    return exact or [row for row in rows if names.short_document(row.despatch) == typed]


def _naming(epcs: set[str], step: Step, party: Party) -> list[Shipment]:
    around = custody.paths(epcs)
    things = epcs.union(*around.values())
    return [row for row in _open(step, party) if not things.isdisjoint(row.despatched)] if epcs else []
