"""A log line is one line, whatever a stranger put into it; it says routes, not paths."""

import io
import json
import logging
import re
import sys
from typing import Any

import pytest

from traceability.common import log_context, log_lines

FORGED = "2026-01-01T00:00:00.000Z CRITICAL ledger.writer: the log is closed"
EVIL = f"a\r\n{FORGED}\x1b[31m\u202e\u2028\x00\x85"
OLD_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> logging.Logger:
    """A logger of its own, writing to `stream`."""
    found = logging.Logger("test", logging.DEBUG)
    handler = logging.StreamHandler(stream)
    handler.addFilter(log_lines.RoutesNotPaths())
    found.addHandler(handler)
    return found


def _with(log: logging.Logger, formatter: logging.Formatter) -> None:
    log.handlers[0].setFormatter(formatter)


@pytest.mark.parametrize("formatter", [log_lines.JsonFormatter(), log_lines.PlainFormatter()])
def test_nothing_a_stranger_says_starts_a_line(
    log: logging.Logger, stream: io.StringIO, formatter: logging.Formatter
) -> None:
    _with(log, formatter)
    log.warning("Invalid HTTP_HOST header: %s", EVIL, extra={"host": EVIL, "codes": [EVIL]})
    text = stream.getvalue()
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1  # splitlines also splits at \x85, \u2028 and the like
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", text)


def test_the_format_we_had_lets_a_stranger_write_lines(log: logging.Logger, stream: io.StringIO) -> None:
    """Negative control."""
    _with(log, logging.Formatter(OLD_FORMAT))
    log.warning("Invalid HTTP_HOST header: %s", EVIL)
    assert stream.getvalue().splitlines()[1].startswith(FORGED)


def test_an_error_with_its_traceback_is_one_json_line(log: logging.Logger, stream: io.StringIO) -> None:
    _with(log, log_lines.JsonFormatter())
    _fail(log)
    (line,) = stream.getvalue().splitlines()
    said = json.loads(line)
    assert said["level"] == "ERROR"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"])
    assert "Traceback (most recent call last)" in said["exception"]
    assert said["exception"].endswith(EVIL)


def test_in_plain_text_a_traceback_is_indented(log: logging.Logger, stream: io.StringIO) -> None:
    _with(log, log_lines.PlainFormatter())
    _fail(log)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("    ") for line in lines[1:])


def _fail(log: logging.Logger) -> None:
    try:
        raise ValueError(EVIL)
    except ValueError:
        log.exception("it failed")


def test_what_is_too_long_is_cut(log: logging.Logger, stream: io.StringIO) -> None:
    _with(log, log_lines.JsonFormatter())
    log.info("x" * 100_000, extra={"more": "y" * 100_000})
    assert len(stream.getvalue()) < 3 * log_lines.MAX_TEXT


def test_objects_are_left_out(log: logging.Logger, stream: io.StringIO) -> None:
    _with(log, log_lines.JsonFormatter())
    log.info("said", extra={"first": 3, "statements": ["ab"], "request": object(), "secret": sys, "deep": [{}]})
    said = json.loads(stream.getvalue())
    assert (said["first"], said["statements"]) == (3, ["ab"])
    assert not {"request", "secret", "deep"} & set(said)


class _Request:
    path = "/01/09521000001008/21/ABC\u00e9"
    resolver_match = type("Match", (), {"route": "01/<str:gtin>/21/<path:serial>"})


@pytest.mark.parametrize("spelt", [_Request.path, _Request.path.encode("unicode_escape").decode()])
def test_the_path_of_a_look_up_is_not_written(log: logging.Logger, stream: io.StringIO, spelt: str) -> None:
    _with(log, log_lines.PlainFormatter())
    log.warning("%s: %s", "Not Found", spelt, extra={"request": _Request(), "status_code": 404})
    assert "ABC" not in stream.getvalue()
    assert "01/<str:gtin>/21/<path:serial>" in stream.getvalue()


def test_facts_hold_inside_their_scope_only() -> None:
    record = logging.makeLogRecord({"msg": "said"})
    log_context.bind(party="nobody's")
    with log_context.scope(request_id="r-1234567"):
        log_context.bind(party="maker")
        with log_context.scope(task="t"):
            assert "party" not in log_lines.fields(record)
        inside = log_lines.fields(record)
        assert (inside["request_id"], inside["party"]) == ("r-1234567", "maker")
    assert not {"request_id", "party"} & set(log_lines.fields(record))


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "with space", "line\nline", "säure-säure", '{"a":1}xx'])
def test_a_request_id_that_is_no_plain_word_is_not_taken(offered: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", log_context.chosen_id(offered))
    assert log_context.chosen_id("4bf92f3577b34da6a3ce929d0e0e4736") == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_servers_and_tasks_write_through_our_handler_alone() -> None:
    wanted: dict[str, Any] = log_lines.configuration(style="json", level="INFO")
    assert list(wanted["handlers"]) == ["console"]
    assert all(not one["handlers"] and one["propagate"] for one in wanted["loggers"].values())
