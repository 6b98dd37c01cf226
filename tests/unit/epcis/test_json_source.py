"""Streaming JSON: the same documents and the same refusals as the strict reader of the whole."""

import codecs
import io
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.epcis.samples import document, event, query_document
from traceability.common import strict_json
from traceability.epcis import json_source
from traceability.epcis.source import SourceError
from traceability.epcis.validation import DOCUMENTS, validate_document

KINDS = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
SAMPLES = [
    json.dumps(document(*map(event, KINDS)), indent=1, ensure_ascii=False).encode(),
    json.dumps(query_document(*map(event, KINDS))).encode(),
    json.dumps(
        document(event("ObjectEvent", **{"ours:多": ["é😀", -1.5e3, 0.25, None, True]}), 7, "x", [], 1.5)
    ).encode(),
    json.dumps({"epcisBody": {"eventList": []}, "type": "EPCISDocument"}).encode(),
    json.dumps(dict(reversed(list(document(event("ObjectEvent")).items())))).encode(),
    json.dumps({"epcisBody": {"eventList": 5}}).encode(),
    b'{"epcisBody":{"event\\u004cist":[1,2,{"a":"\\ud83d\\ude00"}]},"type":"EPCISDocument"}',
    b'{"type":"EPCISDocument","epcisBody":{"eventList":[1],"eventList":[2]}}',
    b'{"type":"EPCISDocument","epcisBody":{"queryResults":{"resultsBody":{"eventList":[1]}},"eventList":[2,3]}}',
    b'{"type":"EPCISQueryDocument","epcisBody":{"eventList":[1],"queryResults":{"resultsBody":{"eventList":[2,3]}}}}',
    b"[]",
    b"",
    b"7",
    b'{"a":1}x',
]


@pytest.fixture(autouse=True, params=[1, 3, 64, 10_000])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that end within every kind of token."""
    monkeypatch.setattr(json_source, "_CHUNK", request.param)
    return


def whole(data: bytes) -> Any:
    """What the strict reader makes of all bytes: the document, or the code of what is wrong."""
    try:
        return strict_json.loads(data.removeprefix(codecs.BOM_UTF8))
    except strict_json.StrictJsonError as error:
        return f"json-{error.code}"


def streamed(data: bytes) -> Any:
    """The same, put together again from the stream."""
    try:
        source = json_source.stream_document(io.BytesIO(data))
        events = list(source.events())
        assert events == list(source.events())  # each pass reads anew
    except SourceError as error:
        return error.code
    frame = json.loads(json.dumps(source.frame))
    place = frame
    for name in json_source._list_path(frame):
        place = place.get(name) if isinstance(place, dict) else None
    if events and isinstance(place, dict):
        assert place["eventList"] == []
        place["eventList"] = events
    return frame


def require_same(data: bytes) -> None:
    """Both read the same value, or refuse; which of several faults is named first may differ."""
    expected, found = whole(data), streamed(data)
    if isinstance(expected, str):
        assert isinstance(found, str), data
    elif _lists(data) == 1 and isinstance(expected, dict) and expected.get("type") in DOCUMENTS:
        assert found == expected, data
    else:  # two lists, or no kind of document: what is kept may differ, and the validator refuses it either way
        assert bool(validate_document(found)) == bool(validate_document(expected))


def _lists(data: bytes) -> int:
    return max(1, data.count(b"eventList"))


@pytest.mark.parametrize("data", SAMPLES)
def test_a_stream_is_what_the_whole_is(data: bytes) -> None:
    require_same(data)


def test_a_byte_order_mark_is_passed_over_once() -> None:
    """Windows programs write one, and RFC 8259 lets a reader ignore it."""
    data = SAMPLES[0]
    for read in (json_source.open_document, json_source.stream_document):
        marked, plain = (read(io.BytesIO(mark + data)) for mark in (codecs.BOM_UTF8, b""))
        assert (marked.frame, list(marked.events())) == (plain.frame, list(plain.events()))
        with pytest.raises(SourceError):
            list(read(io.BytesIO(codecs.BOM_UTF8 * 2 + data)).events())


@pytest.mark.parametrize("data", SAMPLES[:3])
def test_truncated_anywhere_it_is_refused(data: bytes) -> None:
    for end in range(0, len(data) - 1, 17):
        require_same(data[:end])


@settings(max_examples=60, deadline=None)
@given(sample=st.sampled_from(SAMPLES[:7]), seed=st.integers(0, 2**32))
def test_mutated_bytes_get_the_same_verdict(sample: bytes, seed: int) -> None:
    require_same(mutated(sample, random.Random(seed)))


_STUMBLING = [
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b" ", b"0", b"\\ud800", b"\xff", b"\xc3", b"\x00"),
    *(b"1e999", b"NaN", b"9007199254740993", b"0.12345678901234567890123", b"[" * 70, b'"type":1,', b"\xef\xbb\xbf"),
]


def mutated(data: bytes, choice: random.Random) -> bytes:
    """Some bytes dropped, doubled, replaced by what JSON and UTF-8 stumble over."""
    for _ in range(choice.randint(1, 3)):
        at, to = sorted(choice.randint(0, len(data)) for _ in "ab")
        inserted = data[:at] + choice.choice(_STUMBLING) + data[at:]
        dropped = data[:at] + data[min(to, at + 4) :]
        doubled = data[:to] + data[at:to] + data[to:]
        data = choice.choice([inserted, dropped, doubled])
    return data


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ('{"a":1,"a":2}', "json-duplicate-member"),
        ('{"a":9007199254740992}', "json-number"),
        ('{"a":NaN}', "json-number"),
        ('{"a":"\\ud800"}', "json-surrogate"),
        ("[" * 62 + "]" * 62, "json-too-deep"),
        ("[" * 100_000, "json-too-deep"),
        ('{"a":tru}', "json-not-json"),
        ('{"a":"\x01"}', "json-not-json"),
    ],
)
def test_the_strict_rules_hold_within_an_event(value: str, code: str) -> None:
    data = b'{"epcisBody":{"eventList":[{},%s]},"type":"EPCISDocument"}' % value.encode()
    assert whole(data) == streamed(data) == code


def test_an_event_may_nest_as_deep_as_in_the_whole() -> None:
    deep = b'{"epcisBody":{"eventList":[%s]},"type":"EPCISDocument"}' % (b"[" * 61 + b"]" * 61)
    assert not isinstance(whole(deep), str)
    require_same(deep)


@pytest.mark.parametrize("name", ["MAX_EVENT", "MAX_FRAME"])
def test_what_must_stand_in_memory_has_an_end(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_source, name, 1000)
    long = b'"' + b"x" * 30_000 + b'"'
    data = {
        "MAX_EVENT": b'{"epcisBody":{"eventList":[%s]},"type":"EPCISDocument"}' % long,
        "MAX_FRAME": b'{"epcisBody":{"eventList":[]},"x":%s,"type":"EPCISDocument"}' % long,
    }[name]
    assert streamed(data) == "too-large"
