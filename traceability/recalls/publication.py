"""Putting a signed recall on the log: the notice in clear, and the class-level event that custody folds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ledger import api as ledger
from traceability.capture import services as capture
from traceability.common.clock import now_ms
from traceability.custody import opening
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties import selectors as parties

from . import content as contents
from .models import Recall, RecallSignature

NOTICE_KIND = "recall-notice"


def publish(recall: Recall, signatures: Sequence[RecallSignature]) -> None:
    """Submit notice and event; within the transaction that stores the signature which completes them.

    Preflight, findings and patients' pages follow the event as they follow one of a maker's own system; a drill's says
    that it is one, and changes nothing (custody/drill.py).
    """
    at_ms = now_ms()
    event = _event(recall, signatures, at_ms)
    accepted = capture.accept_events([event], reporter=recall.owner)
    recall.event_id = accepted[0].event_id
    content = {
        **recall.content,
        "definition": recall.definition,
        "signatures": [{"member": one.member.pseudonym, "time": one.at_ms} for one in signatures],
        "event": recall.event_id,
        "time": at_ms,
    }
    key = parties.signer_for(recall.owner)
    statement = ledger.sign_statement(
        key=key, iss=recall.owner.uri, kind=NOTICE_KIND, payload=content, iat=at_ms // 1000
    )
    recall.statement_hash = ledger.submit([statement])[0]
    recall.state, recall.published_ms = Recall.State.PUBLISHED, at_ms
    recall.save(update_fields=["state", "published_ms", "statement_hash", "event_id"])


def _event(recall: Recall, signatures: Sequence[RecallSignature], at_ms: int) -> dict[str, Any]:
    content = contents.of_public(recall.content)
    return {
        "@context": [DEFAULT_CONTEXT, {"dosetrail": opening.NAMESPACE}],
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventID": f"urn:uuid:{uuid4()}",
        "eventTime": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": "holding",
        "quantityList": [{"epcClass": name} for name in content.classes],
        "persistentDisposition": {"set": ["recalled"]},
        "dosetrail:recall": recall.id,
        "dosetrail:recallClass": content.level,
        "dosetrail:reason": content.reason,
        "dosetrail:instruction": content.instruction,
        "dosetrail:signedBy": [one.member.pseudonym for one in signatures],
        **({"dosetrail:drill": True} if content.is_drill else {}),
    }
