"""The message to the partner: words in each language of the house, and the JSON document that holds them beside fields.

The document is `dosetrail.exception-message/1` (docs/formats.md).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import override

from traceability.common.clock import now_ms
from traceability.epcis.documents import document_uri
from traceability.exchange.partner_document import EXCEPTION_MESSAGE, identity
from traceability.parties import selectors as parties
from traceability.queries.documents import time_text

from . import wording
from .models import ExceptionGoods, ExceptionItem


@dataclass(frozen=True)
class Text:
    """The message in one language (a code of settings.LANGUAGES)."""

    language: str
    subject: str
    body: str


def texts(item: ExceptionItem, goods: Sequence[ExceptionGoods]) -> list[Text]:
    """The message in every language; times are those of the place where the goods are."""
    site = parties.site_by_uri(item.place)
    zone = ZoneInfo(site.time_zone if site else "UTC")
    due = f"{datetime.fromtimestamp(item.due_ms / 1000, zone):%Y-%m-%d %H:%M} ({zone.key})"
    found = []
    for code, _language in settings.LANGUAGES:
        with override(code):
            found.append(Text(code, wording.subject(item), wording.message(item, goods, due=due)))
    return found


def document(item: ExceptionItem, goods: Sequence[ExceptionGoods]) -> bytes:
    """The message for the partner's system; each is another document, also of the same exception."""
    partner = item.partner
    assert partner is not None  # who sends it has asked
    return json.dumps(
        {
            "format": EXCEPTION_MESSAGE,
            "messageID": f"urn:uuid:{uuid4()}",
            "createdAt": time_text(now_ms()),
            "sender": identity(item.party),
            "senderName": item.party.name,
            "receiver": identity(partner),
            "receiverName": partner.name,
            "exceptionID": item.id,
            "reference": wording.reference(item),
            "kind": item.kind,
            "openedAt": time_text(item.opened_ms),
            "answerBy": time_text(item.due_ms),
            "place": item.place,
            "despatch": document_uri(item.despatch) if item.despatch else "",
            "note": item.note,
            "goods": [{"epc": row.epc, "lot": row.lot, "expiry": row.expiry, "onHold": row.held} for row in goods],
            "texts": [
                {"language": one.language, "subject": one.subject, "body": one.body} for one in texts(item, goods)
            ],
        },
        ensure_ascii=False,
    ).encode()
