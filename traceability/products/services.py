"""Changing products and lots; each change is a logged version, signed by the maker (profiles: by the regulator)."""

import hashlib
from collections.abc import Sequence
from datetime import date

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction

from traceability.common.clock import now_ms
from traceability.gs1 import check_digit
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.parties.versions import log_version

from .models import InspectionReport, Lot, StorageProfile, TradeItem, UnknownIdentifier

REPORT_MAX_BYTES = 10 * 1024 * 1024


def save_profile(
    *,
    id: str,
    name: str,
    source: str,
    low_mc: int,
    high_mc: int,
    low_seconds: int,
    high_seconds: int,
    freeze_sensitive: bool = False,
    freeze_mc: int = -500,
    freeze_seconds: int = 3600,
) -> StorageProfile:
    """Create or change a storage profile. Temperatures in milli-°C, times in seconds."""
    fields = {
        "name": name,
        "source": source,
        "low_mc": low_mc,
        "high_mc": high_mc,
        "low_seconds": low_seconds,
        "high_seconds": high_seconds,
        "freeze_sensitive": freeze_sensitive,
        "freeze_mc": freeze_mc,
        "freeze_seconds": freeze_seconds,
    }
    if low_mc >= high_mc:
        raise ValidationError({"low_mc": "the lowest temperature must lie below the highest"})
    by = parties.regulator()
    if by is None:
        raise ValidationError({"id": "a storage profile is vouched for by the regulator; register one first"})
    with transaction.atomic():
        profile, _ = StorageProfile.objects.update_or_create(id=id, defaults=fields)
        log_version(subject=f"profile:{id}", content=fields, by=by)
    return profile


def save_item(
    *,
    id: str,
    manufacturer: Party,
    name: str,
    generic_name: str,
    strength: str,
    pack_size: str,
    authorisation: str,
    profile_id: str,
    gtin: str | None = None,
    nmpa_prefix: str | None = None,
) -> TradeItem:
    """Create or change a trade item; it needs a GTIN (14 digits) or an NMPA product resource code.

    ValidationError, Gs1Error: a field is malformed or taken, or the item is another manufacturer's.
    """
    fields = {
        "name": name,
        "generic_name": generic_name,
        "strength": strength,
        "pack_size": pack_size,
        "authorisation": authorisation,
        "gtin": gtin,
        "nmpa_prefix": nmpa_prefix,
    }
    if gtin:
        check_digit.require(gtin, name="GTIN", length=14)
    if not (gtin or nmpa_prefix):
        raise ValidationError({"gtin": "a trade item needs a GTIN or an NMPA product resource code"})
    profile = StorageProfile.objects.filter(id=profile_id).first()
    if profile is None:
        raise ValidationError({"profile_id": f"there is no storage profile {profile_id}"})
    known = TradeItem.objects.filter(id=id).first()
    if known is not None and known.manufacturer_id != manufacturer.id:
        raise ValidationError({"id": ValidationError(f"the item {id} is another manufacturer's", code="not-yours")})
    changed = known or TradeItem(id=id)
    for name, value in {**fields, "manufacturer": manufacturer, "profile": profile}.items():
        setattr(changed, name, value)
    changed.full_clean()
    with transaction.atomic():
        changed.save(force_insert=known is None)  # never over what another party made meanwhile
        content = {**fields, "manufacturer": manufacturer.id, "profile": profile.id}
        log_version(subject=f"item:{id}", content=content, by=manufacturer)
    return changed


def save_lot(*, item: TradeItem, number: str, production_date: date, expiry_date: date) -> Lot:
    """Create or change a lot; `expiry_date` is its last valid day."""
    if expiry_date <= production_date:
        raise ValidationError({"expiry_date": "the expiry date must lie after the production date"})
    if not number.isprintable():
        raise ValidationError({"number": "a lot number has printable characters only"})
    Lot(item=item, number=number, production_date=production_date, expiry_date=expiry_date).full_clean(
        validate_unique=False, validate_constraints=False
    )
    with transaction.atomic():
        lot, _ = Lot.objects.update_or_create(
            item=item, number=number, defaults={"production_date": production_date, "expiry_date": expiry_date}
        )
        _log_lot(lot)
    return lot


def attach_report(*, lot: Lot, filename: str, content: bytes, verdict: str) -> InspectionReport:
    """Keep a lot's inspection report; its hash becomes part of the lot's logged version."""
    if verdict not in {"conformant", "non_conformant"}:
        raise ValidationError({"verdict": "must be conformant or non_conformant"})
    if not 0 < len(content) <= REPORT_MAX_BYTES:
        raise ValidationError({"content": f"a report has 1 to {REPORT_MAX_BYTES} bytes"})
    report = InspectionReport(lot=lot, sha256=hashlib.sha256(content).hexdigest(), verdict=verdict, created_ms=now_ms())
    # The file is written before the row: a crash between leaves a file that nobody names, never a row without one.
    report.document.save(f"{report.sha256[:16]}-{filename}", ContentFile(content), save=False)
    with transaction.atomic():
        report.save()
        _log_lot(lot)
    return report


def note_unknown(found: Sequence[tuple[str, str]], *, event_id: str, reporter: str) -> None:
    """Put (scheme, value) pairs that no master data knows on the steward's list; known ones on it stay as they are."""
    with transaction.atomic():
        UnknownIdentifier.objects.bulk_create(
            [
                UnknownIdentifier(
                    scheme=scheme,
                    value=value,
                    first_event_id=event_id,
                    first_reporter=reporter,
                    first_seen_ms=now_ms(),
                )
                for scheme, value in dict.fromkeys(found)
            ],
            ignore_conflicts=True,
        )


def _log_lot(lot: Lot) -> None:
    reports = lot.reports.order_by("created_ms", "id").values("sha256", "verdict")
    content = {
        "item": lot.item_id,
        "gtin": lot.item.gtin,
        "number": lot.number,
        "production_date": lot.production_date.isoformat(),
        "expiry_date": lot.expiry_date.isoformat(),
        "reports": list(reports),
    }
    log_version(subject=f"lot:{lot.item_id}:{lot.number}", content=content, by=lot.item.manufacturer)
