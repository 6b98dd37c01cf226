"""Readers of logger files. `parse` tells the format by content and refuses what it does not know. PURE."""

from datetime import tzinfo

from . import berlinger, plain_csv
from .model import LoggerError, Recording, _

TOO_LARGE = "logger.too-large"
# Two months at one reading a minute are about 2 MiB; reading that takes about a second.
MAX_BYTES = 4 * 1024 * 1024

# What people try to upload, and what to do instead: the first bytes of the file, what it is.
_FOREIGN = (
    (b"%PDF", _("a PDF report")),
    (b"PK\x03\x04", _("a spreadsheet or zip archive")),
    (b"\xd0\xcf\x11\xe0", _("an old spreadsheet")),
)


def parse(content: bytes, *, zone: tzinfo) -> Recording:
    """The readings, device alarms and signature verdict of a logger file.

    `zone` is the time zone of the place whose local time the device shows; a file with UTC offsets does not use it.
    Raises LoggerError (code, detail, line) for anything but the formats of docs/logger-files.md; never guesses.
    """
    if len(content) > MAX_BYTES:
        raise LoggerError(TOO_LARGE, _("The file is larger than {limit} MiB."), limit=MAX_BYTES // 1024 // 1024)
    if not content.strip():
        raise LoggerError("logger.empty", _("The file is empty. Export it again from the logger."))
    is_text = b"\0" not in content
    if is_text and berlinger.recognises(content):
        return berlinger.parse(content, zone=zone)
    if is_text and plain_csv.recognises(content):
        return plain_csv.parse(content, zone=zone)
    what = next((name for magic, name in _FOREIGN if content.startswith(magic)), _("no logger file that we know"))
    raise LoggerError(
        "logger.unknown-format",
        _(
            "This is {what}. Upload the .txt file of a Berlinger Fridge-tag or Q-tag as the logger wrote it, or a CSV "
            "file whose header line is “timestamp,temperature_c”."
        ),
        what=what,
    )
