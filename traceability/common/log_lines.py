"""How a log line is written: one JSON object, or one line of plain text, in UTC; nothing in it can start a new line.

What is logged may come from a stranger (OWASP ASVS 5.0, 16.4.1): JSON escapes all but printable ASCII, plain text
escapes control and format characters and indents what a traceback adds. Paths of requests are replaced by their route:
a patient's look-up names a pack, and a log is no place for that.
"""

import json
import logging
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from . import log_context

MAX_TEXT = 8192
_CUT = "…"
_OWN = set(vars(logging.makeLogRecord({}))) | {
    "message", "asctime", "taskName", "request", "status_code", "color_message",
}  # fmt: skip
_PLAIN = (str, int, float, bool, type(None))


def configuration(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error; `style` is json or plain."""
    quiet = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"routes": {"()": f"{__name__}.RoutesNotPaths"}},
        "formatters": {"json": {"()": f"{__name__}.JsonFormatter"}, "plain": {"()": f"{__name__}.PlainFormatter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": style, "filters": ["routes"]}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Servers bring handlers of their own; their lines shall look like ours. Access is said once, by our own.
            "gunicorn.error": quiet,
            "uvicorn": quiet,
            "uvicorn.error": quiet,
            "uvicorn.access": {**quiet, "level": "ERROR"},
            "django": quiet,
            "django.request": {**quiet, "level": "ERROR"},  # what is refused is in the access line
            "celery.app.trace": {**quiet, "level": "WARNING"},  # two lines for each wake-up otherwise
            "celery.worker.strategy": {**quiet, "level": "WARNING"},
            "celery.worker.request": {**quiet, "level": "WARNING"},  # what has expired
            "celery.beat": {**quiet, "level": "WARNING"},
            "httpx": {**quiet, "level": "WARNING"},
        },
    }


class RoutesNotPaths(logging.Filter):
    """Put a request's route where Django would name its path."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        path = getattr(request, "path", None)
        if path and isinstance(record.args, tuple):
            spellings = {path, path.encode("unicode_escape").decode("ascii")}  # as log_response writes it
            record.args = tuple(route_of(request) if value in spellings else value for value in record.args)
        return True


def route_of(request: Any) -> str:
    """The pattern that a request's path matched, such as `01/<str:gtin>/21/<path:serial>`; '' for none."""
    match = getattr(request, "resolver_match", None)
    return str(match.route) if match else ""


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says, in order: time, level, logger, message, what holds for the request, what the call added."""
    said: dict[str, Any] = {
        "time": _time(record.created),
        "level": record.levelname,
        "logger": record.name,
        "message": _cut(record.getMessage()),
        **log_context.current(),
    }
    added = {name: value for name, value in vars(record).items() if name not in _OWN and _is_plain(value)}
    said.update({name: _bounded(value) for name, value in added.items()})
    return said


class JsonFormatter(logging.Formatter):
    """One JSON object per line; a traceback is its member `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        said = fields(record)
        if record.exc_info:
            said["exception"] = _cut_front(self.formatException(record.exc_info))
        return json.dumps(said, default=str)


class PlainFormatter(logging.Formatter):
    """`time LEVEL logger: message name=value …`; a traceback follows on indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        said = fields(record)
        line = f"{said.pop('time')} {said.pop('level')} {said.pop('logger')}: {_escaped(said.pop('message'))}"
        line += "".join(f" {name}={_escaped(str(value))}" for name, value in said.items() if value not in ("", None))
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            line += "".join(f"\n    {_escaped(part)}" for part in trace)
        return line


def _time(created: float) -> str:
    return datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_plain(value: Any) -> bool:
    """Whether a value may stand in a line: no objects, whose repr might hold anything."""
    if isinstance(value, list | tuple):
        return all(isinstance(item, _PLAIN) for item in value)
    if isinstance(value, Mapping):
        return all(isinstance(item, _PLAIN) for pair in value.items() for item in pair)
    return isinstance(value, _PLAIN)


def _bounded(value: Any) -> Any:
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + _CUT


def _cut_front(text: str) -> str:
    """Of a traceback the end says most."""
    return text if len(text) <= MAX_TEXT else _CUT + text[-MAX_TEXT:]


def _escaped(text: str) -> str:
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else character
        for character in text
    )
