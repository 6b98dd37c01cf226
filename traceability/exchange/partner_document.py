"""The document that a partner gets: the events it may see, in the form that it wants."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from traceability.capture import vocabulary
from traceability.common.clock import now_ms
from traceability.epcis import event as epcis_event
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.epcis.xml import pictures
from traceability.epcis.xml.markup import WriteError
from traceability.epcis.xml.spelling import Spelling
from traceability.epcis.xml.writer import write
from traceability.gs1 import urn
from traceability.parties import selectors as parties
from traceability.parties.models import Party, PartyIdentifier
from traceability.queries.documents import time_text

from .models import Channel

EXCEPTION_MESSAGE = "dosetrail.exception-message/1"  # no EPCIS document, whatever the channel's form (docs/formats.md)
MEDIA_TYPES = {"json-2.0": "application/json", "xml-2.0": "application/xml", "xml-1.2": "application/xml",
               EXCEPTION_MESSAGE: "application/json"}  # fmt: skip
SUFFIXES = {"json-2.0": "json", "xml-2.0": "xml", "xml-1.2": "xml", EXCEPTION_MESSAGE: "exception.json"}
# GS1 US, "Applying GS1 Standards for DSCSA and Traceability", release 1.2: in the header, beside the master data.
_US = {"gs1ushc": "http://epcis.gs1us.org/hc/ns"}
_STATEMENT = "gs1ushc:dscsaTransactionStatement"


def render(channel: Channel, name: str, events: Sequence[Mapping[str, Any]]) -> bytes:
    """The bytes; `name` identifies the document. WriteError where XML cannot carry an event."""
    document = _document(channel, name, events)
    if channel.format == Channel.Format.JSON_2_0:
        return json.dumps(document, ensure_ascii=False).encode()
    document = pictures.shown(document)
    if channel.format == Channel.Format.XML_2_0:
        return b"".join(write(document, version="2.0"))
    # 1.2 knows EPCs as URNs; company prefixes are known by registration, or from URNs that stand in the document.
    prefixes = urn.prefixes_in(document) | parties.company_prefixes()
    spelling = Spelling(epc=lambda uri: urn.with_prefixes(uri, prefixes))
    return b"".join(write(document, version="1.2", spelling=spelling))


def without_unwritable(
    channel: Channel, name: str, events: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The events that the form can carry, and for each other one its ID and why: one must not hold up the rest."""
    good, left_out = [], []
    for event in events:
        try:
            render(channel, name, [event])
            good.append(event)
        except WriteError as error:
            left_out.append(f"{event.get('eventID', '')}: {error.detail}")
    return good, left_out


def _document(channel: Channel, name: str, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    header: dict[str, Any] = {}
    if vocabularies := vocabulary.header_for(_named_in(channel, events)):
        header["epcisMasterData"] = {"vocabularyList": vocabularies}
    context: list[Any] = [DEFAULT_CONTEXT]
    if channel.statement:
        context.append(_US)
        header[_STATEMENT] = {
            "gs1ushc:affirmTransactionStatement": "true",
            "gs1ushc:legalNotice": channel.statement,
        }
    document: dict[str, Any] = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": time_text(now_ms()),
        "instanceIdentifier": f"urn:uuid:{_uuid(name)}",
        "sender": identity(channel.party),
        "receiver": identity(channel.partner),
    }
    if header:
        document["epcisHeader"] = header
    return {**document, "epcisBody": {"eventList": list(events)}}


def _named_in(channel: Channel, events: Sequence[Mapping[str, Any]]) -> set[str]:
    """What the events name, canonically: goods, places, and parties; and the two parties themselves."""
    found = {identity(channel.party), identity(channel.partner)}
    for view in map(epcis_event.read, events):
        found |= {epc for _, epc in view.epcs} | {one[1] for one in view.classes}
        found |= {view.read_point, view.biz_location} | {uri for _, uri in [*view.sources, *view.destinations]}
    return found - {""}


def identity(party: Party) -> str:
    """What a document calls a party: its GLN as Digital Link, or its own URI where it has none."""
    gln = party.identifiers.filter(scheme=PartyIdentifier.Scheme.GLN).order_by("value").first()
    return f"https://id.gs1.org/417/{gln.value}" if gln else party.uri


def _uuid(name: str) -> str:
    """A delivery's id (128 random bits) as UUID of version 8 (RFC 9562)."""
    digits = f"{name[:12]}8{name[13:16]}{'89ab'[int(name[16], 16) % 4]}{name[17:]}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
