"""Writing: a logger file comes in, its bytes are kept and its hash goes on the log."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db import transaction

from traceability.capture import services as capture
from traceability.common.clock import now_ms
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Party, Site

from . import loggers, originals, sensor_event
from .loggers.model import LoggerError, Recording, _
from .models import LoggerFile
from .sensor_event import Binding, Source, Window

# How far a logger's last reading may lie in the future, as for any event (architecture.md, idea 3).
CLOCK_TOLERANCE_MS = 5 * 60 * 1000


class UploadError(LoggerError):
    """The upload's own particulars are wrong; `field` names which (holder, site, time_zone, start_ms)."""

    def __init__(self, code: str, template: str, *, field: str, **params: object) -> None:
        super().__init__(code, template, line=None, **params)
        self.field = field


@dataclass(frozen=True)
class _Upload:
    """An upload read and found good, about to be recorded."""

    recording: Recording
    source: Source
    binding: Binding
    window: Window
    zone: ZoneInfo


def upload(
    *,
    content: bytes,
    filename: str,
    party: Party,
    holder_epc: str | None = None,
    site: Site | None = None,
    time_zone: str | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
    member_pseudonym: str = "",
) -> LoggerFile:
    """Keep the file, capture its summary event, and return its record; the same upload again returns the first.

    The readings belong to `holder_epc` (pack, case, pallet) or, without one, to `site`. `time_zone` (IANA) is the zone
    of the logger's clock; default: the site's; a file with UTC offsets needs none. `start_ms`..`end_ms` narrow the
    part that counts (when the logger rode with this holder). Raises LoggerError (file not readable, altered),
    UploadError (particulars) or capture.CaptureError; then nothing stays behind.
    """
    checked = _check(content, filename, party, _binding(holder_epc, site), _zone_name(time_zone, site))
    counted = sensor_event.window(checked.recording, checked.zone, start_ms=start_ms, end_ms=end_ms)
    if counted is None:
        raise UploadError("logger.window", _("No reading of this file lies between start and end."), field="start_ms")
    ready = _Upload(checked.recording, checked.source, checked.binding, counted, checked.zone)
    return _record(ready, content=content, filename=filename, party=party, site=site, pseudonym=member_pseudonym)


def _check(content: bytes, filename: str, party: Party, binding: Binding, zone_name: str | None) -> _Upload:
    zone = ZoneInfo(zone_name or "UTC")
    recording = loggers.parse(content, zone=zone)
    if zone_name is None and recording.clock != "utc":
        raise UploadError(
            "logger.time-zone-missing",
            _("The times in this file are local: say in which time zone the logger's clock ran."),
            field="time_zone",
        )
    if recording.signature.verdict == "does-not-match":
        raise LoggerError(
            "logger.signature",
            _(
                "The file's signature does not match its content: it was changed after the logger wrote it (opening "
                "and saving it in an editor is enough). Upload the file as it came from the logger."
            ),
        )
    last_ms = recording.readings[-1][0] if recording.readings else recording.created_ms
    if last_ms is None:
        raise LoggerError("logger.no-readings", _("There is neither a reading nor a day's summary in this file."))
    if last_ms > now_ms() + CLOCK_TOLERANCE_MS:
        raise UploadError(
            "logger.future",
            _("The last reading lies in the future: the time zone is wrong or the logger's clock is."),
            field="time_zone",
        )
    sha256 = originals.digest(content)
    source = Source(
        party.uri, sha256, file_url(sha256), sensor_event.device_uri(recording, filename), zone_name or "UTC"
    )
    return _Upload(recording, source, binding, Window(last_ms, last_ms), zone)


def _record(
    ready: _Upload, *, content: bytes, filename: str, party: Party, site: Site | None, pseudonym: str
) -> LoggerFile:
    """Bytes, row, event, in this order: what the log names is always there to be read.

    A crash after the bytes or the row leaves something that no event names; the same upload again completes it, for
    the eventID is derived from the upload.
    """
    event = sensor_event.build(ready.recording, ready.source, ready.binding, ready.window, ready.zone)
    originals.keep(content)
    with transaction.atomic():
        file, created = LoggerFile.objects.get_or_create(
            event_id=event["eventID"], defaults=_columns(ready, filename, party, site, len(content))
        )
    try:
        (accepted,) = capture.accept_events(
            [event], reporter=party, annotation={"member": pseudonym} if pseudonym else {}
        )
    except capture.CaptureError:
        if created:  # the bytes stay: another upload of the same file may just be naming them
            with transaction.atomic():
                LoggerFile.objects.filter(pk=file.pk, statement_hash="").delete()
        raise
    with transaction.atomic():
        LoggerFile.objects.filter(pk=file.pk).update(statement_hash=accepted.statement_hash)
    file.statement_hash = accepted.statement_hash
    return file


def file_url(sha256: str) -> str:
    """The address that an event's rawData names; members read it there with their token."""
    return f"https://{settings.LOG_ORIGIN.partition('/')[0]}/api/v1/logger-files/{sha256}"


def _columns(ready: _Upload, filename: str, party: Party, site: Site | None, size: int) -> dict[str, object]:
    recording, source = ready.recording, ready.source
    return {
        "sha256": source.sha256,
        "party": party,
        "site": site,
        "holder": ready.binding.holder,
        "filename": filename[:200],
        "size": size,
        "format": recording.format,
        "model": recording.model[:64],
        "device": source.device,
        "time_zone": source.time_zone,
        "clock": recording.clock,
        "first_ms": ready.window.start_ms,
        "last_ms": ready.window.end_ms,
        "readings": len(ready.window.clip(recording.readings)),
        "missing": recording.missing,
        "alarms": len(recording.alarms),
        "signature": recording.signature.verdict,
        "key_id": recording.signature.key_id,
        "key_issuer": recording.signature.issuer[:100],
        "key_lot": recording.signature.lot[:64],
        "uploaded_ms": now_ms(),
    }


def _binding(holder_epc: str | None, site: Site | None) -> Binding:
    if not holder_epc and site is None:
        raise UploadError(
            "logger.holder-missing",
            _("Say what the logger rode with (a code) or where it hung (a site)."),
            field="holder",
        )
    epc = ""
    if holder_epc:
        try:
            scanned = scan.parse(holder_epc)
        except Gs1Error as error:
            raise UploadError(
                "logger.holder", _("The holder's code cannot be read: {why}"), field="holder", why=error.detail
            ) from error
        if not scanned.epc or scanned.kind in {"gtin", "gln"}:
            raise UploadError(
                "logger.holder",
                _("The holder must be one pack, case or pallet: its code as scanned, or its URI."),
                field="holder",
            )
        epc = scanned.epc
    return Binding(epc, site.uri if site else "")


def _zone_name(time_zone: str | None, site: Site | None) -> str | None:
    name = time_zone or (site.time_zone if site else None)
    if name is not None and name not in available_timezones():
        raise UploadError(
            "logger.time-zone",
            _("“{name}” is no IANA time zone like Asia/Shanghai."),
            field="time_zone",
            name=name[:64],
        )
    return name
