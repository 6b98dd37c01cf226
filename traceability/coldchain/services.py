"""Writing: a logger file comes in, its bytes are kept and its hash goes on the log."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from traceability.capture import services as capture
from traceability.common import storage_full, time_zones
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Party, Site

from . import loggers, originals, sensor_event, wording
from .loggers.model import LoggerError, Recording, _
from .models import LoggerFile
from .sensor_event import Binding, Source, Window

# How far a logger's last reading may lie in the future, as for any event (architecture.md, idea 3).
CLOCK_TOLERANCE_MS = 5 * 60 * 1000


class UploadError(ProblemError):
    """The upload is refused and nothing was stored; `field` names what is wrong: the file or one of its particulars."""

    def __init__(self, error: LoggerError, *, field: str = "file") -> None:
        fault: dict[str, Any] = {"field": field, "code": error.code, "message": wording.explain(error)}
        if error.line is not None:
            fault["line"] = error.line
        status = 413 if error.code == loggers.TOO_LARGE else 400
        super().__init__(status, error.code, fault["message"], "ValidationException", [fault])
        self.field = field


@dataclass(frozen=True)
class _Upload:
    """An upload read and found good, about to be recorded."""

    recording: Recording
    source: Source
    binding: Binding
    zone: ZoneInfo


@storage_full.refused()
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
    part that counts (when the logger rode with this holder). Raises UploadError (the file or its particulars) or
    capture.CaptureError; both are problem documents, and nothing stays behind.
    """
    ready = _check(content, filename, party, _binding(holder_epc, site), _zone_name(time_zone, site))
    counted = sensor_event.window(ready.recording, ready.zone, start_ms=start_ms, end_ms=end_ms)
    if counted is None:
        raise _refusal("logger.window", _("No reading of this file lies between start and end."), field="start_ms")
    event = sensor_event.build(ready.recording, ready.source, ready.binding, counted, ready.zone)
    columns = {"party": party, "site": site, "filename": filename.replace("\0", "")[:200], "size": len(content)}
    file, created = _keep(content, event["eventID"], {**columns, **_found(ready, counted)})
    return _capture(file, event, created=created, pseudonym=member_pseudonym)


def _check(content: bytes, filename: str, party: Party, binding: Binding, zone_name: str | None) -> _Upload:
    zone = ZoneInfo(zone_name or "UTC")
    try:
        recording = loggers.parse(content, zone=zone)
    except LoggerError as error:
        raise UploadError(error) from error
    if zone_name is None and recording.clock != "utc":
        raise _refusal(
            "logger.time-zone-missing",
            _("The times in this file are local: say in which time zone the logger's clock ran."),
            field="time_zone",
        )
    _require_plausible(recording)
    sha256 = originals.digest(content)
    device = sensor_event.device_uri(recording, filename)
    source = Source(party.uri, sha256, file_url(sha256), device, zone_name or "UTC")
    return _Upload(recording, source, binding, zone)


def _require_plausible(recording: Recording) -> None:
    if recording.signature.verdict == "does-not-match":
        raise _refusal(
            "logger.signature",
            _(
                "The file's signature does not match its content: it was changed after the logger wrote it (opening "
                "and saving it in an editor is enough). Upload the file as it came from the logger."
            ),
        )
    last_ms = recording.readings[-1][0] if recording.readings else recording.created_ms
    if last_ms is None:
        raise _refusal("logger.no-readings", _("There is neither a reading nor a day's summary in this file."))
    if last_ms > now_ms() + CLOCK_TOLERANCE_MS:
        raise _refusal(
            "logger.future",
            _("The last reading lies in the future: the time zone is wrong or the logger's clock is."),
            field="time_zone",
        )


def _refusal(code: str, template: str, *, field: str = "file", **params: object) -> UploadError:
    return UploadError(LoggerError(code, template, line=None, **params), field=field)


def _keep(content: bytes, event_id: str, columns: dict[str, object]) -> tuple[LoggerFile, bool]:
    """Bytes, then row, both before the event: what the log names is always there to be read.

    A crash after either leaves something that no event names; the same upload again completes it, for the eventID is
    derived from the upload.
    """
    originals.keep(content)
    # Crash here: bytes that no row names.
    with transaction.atomic():
        return LoggerFile.objects.get_or_create(event_id=event_id, defaults=columns)


def _capture(file: LoggerFile, event: dict[str, Any], *, created: bool, pseudonym: str) -> LoggerFile:
    annotation = {"member": pseudonym} if pseudonym else {}
    try:
        (accepted,) = capture.accept_events([event], reporter=file.party, annotation=annotation)
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


def _found(ready: _Upload, counted: Window) -> dict[str, object]:
    """What the reader found, as columns of LoggerFile."""
    recording, source = ready.recording, ready.source
    return {
        "sha256": source.sha256,
        "holder": ready.binding.holder,
        "format": recording.format,
        "model": recording.model[:64],
        "device": source.device,
        "time_zone": source.time_zone,
        "clock": recording.clock,
        "first_ms": counted.start_ms,
        "last_ms": counted.end_ms,
        "readings": len(counted.clip(recording.readings)),
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
        raise _refusal(
            "logger.holder-missing",
            _("Say what the logger rode with (a code) or where it hung (a site)."),
            field="holder",
        )
    epc = ""
    if holder_epc:
        try:
            scanned = scan.parse(holder_epc)
        except Gs1Error as error:
            raise _refusal(
                "logger.holder", _("The holder's code cannot be read: {why}"), why=error.detail, field="holder"
            ) from error
        if not scanned.epc or scanned.kind in {"gtin", "gln"}:
            raise _refusal(
                "logger.holder",
                _("The holder must be one pack, case or pallet: its code as scanned, or its URI."),
                field="holder",
            )
        epc = scanned.epc
    return Binding(epc, site.uri if site else "")


def _zone_name(time_zone: str | None, site: Site | None) -> str | None:
    name = time_zone or (site.time_zone if site else None)
    if name is not None and not time_zones.is_known(name):
        raise _refusal(
            "logger.time-zone",
            _("“{name}” is no IANA time zone like Asia/Shanghai."),
            field="time_zone",
            name=name[:64],
        )
    return name
