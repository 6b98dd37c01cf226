"""A regulator's freeze of a lot, a product or a place, and its end: events that its own key signs (identifiers §1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from traceability.capture import services as capture
from traceability.capture.services import Accepted
from traceability.common import storage_full
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.custody.models import LotStatus
from traceability.gs1 import digital_link, scan
from traceability.gs1.errors import Gs1Error
from traceability.parties import selectors as parties
from traceability.parties import services as party_services
from traceability.parties.models import Member, Party

from . import build

MAX_REASON = 500
_GLN_PLACE = "https://id.gs1.org/414/"


@dataclass(frozen=True)
class Subject:
    """What a freeze is about: a lot or product (its class) or a place, by its canonical URI."""

    kind: str  # lot | product | place
    uri: str
    gtin: str = ""
    lot: str = ""


def subject(text: str) -> Subject:
    """What a code, a URI or a GLN names, a pack standing for its lot; ProblemError for what cannot be frozen."""
    bare = text.strip()
    place = parties.site_by_uri(_GLN_PLACE + bare if bare.isdecimal() and len(bare) == 13 else bare)
    if place is not None:
        return Subject("place", place.uri)
    try:
        read = scan.parse(bare, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    except Gs1Error as error:
        raise ProblemError(400, f"code-{error.code}", error.detail, pointer="/of") from error
    if read.kind == "gln" and (place := parties.site_by_uri(read.epc)):
        return Subject("place", place.uri)
    if read.kind == "gtin":
        return Subject("product", read.epc, read.gtin or "")
    pack = custody.items([read.epc]).get(read.epc) if read.kind in {"pack", "nmpa"} else None
    gtin, lot = (pack.gtin, pack.lot) if pack else (read.gtin, read.lot)
    if not (gtin and lot):
        raise ProblemError(
            400, "not-frozen-so", "a freeze is about a lot, a product or a registered place", pointer="/of"
        )
    return Subject("lot", digital_link.lot_class(gtin, lot), gtin, lot)


def frozen_index(of: Subject) -> int | None:
    """The event that froze exactly this, or None; a lot of a frozen product is not frozen by itself."""
    if of.kind == "place":
        return stops.frozen_places([of.uri]).get(of.uri)
    return LotStatus.objects.filter(lot_class=of.uri).values_list("frozen_index", flat=True).first()


@storage_full.refused()
def freeze(*, member: Member, password: str, reason: str, of: Subject) -> Accepted:
    """Freeze; it holds once the log has published it. ConfirmationError without password or reason, ProblemError."""
    return _say(member, password, reason, of, step="holding", disposition="unavailable")


@storage_full.refused()
def unfreeze(*, member: Member, password: str, reason: str, of: Subject) -> Accepted:
    """End a freeze; a maker's own hold of the lot stays."""
    return _say(member, password, reason, of, step="inspecting", disposition="conformant")


def _say(member: Member, password: str, reason: str, of: Subject, *, step: str, disposition: str) -> Accepted:
    if not member.party.has_role(Party.Role.REGULATOR):
        raise ProblemError(403, "not-a-regulator", "only a regulator freezes goods, or ends that")
    if len(reason) > MAX_REASON or "\x00" in reason:
        raise ProblemError(400, "reason", f"a reason has at most {MAX_REASON} characters and no NUL", pointer="/reason")
    if (frozen_index(of) is not None) is (step == "holding"):
        raise ProblemError(409, "frozen-already" if step == "holding" else "not-frozen", "somebody was faster")
    confirmed = party_services.confirm(member, password, reason)
    event = {
        "@context": build.CONTEXT,
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventTime": datetime.fromtimestamp(now_ms() / 1000, UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        "disposition": disposition,
        **_named(of),
        "dosetrail:reason": confirmed,
        "dosetrail:member": member.pseudonym,
    }
    annotation = {"member": member.pseudonym, "role": member.role, "verdict": "allow"}
    return capture.accept_events([event], reporter=member.party, annotation=annotation)[0]


def _named(of: Subject) -> Mapping[str, Any]:
    """The place itself is the thing that the event is about, so that it says nothing of single goods there."""
    if of.kind == "place":
        return {"epcList": [of.uri], "readPoint": {"id": of.uri}, "bizLocation": {"id": of.uri}}
    return {"quantityList": [{"epcClass": of.uri}]}
