"""The strict reader: what a lenient parser lets through is refused, and what it accepts means the same everywhere."""

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.common.strict_json import MAX_DEPTH, MAX_SAFE_INTEGER, StrictJsonError, loads

# Text -> the stable code. json.loads of the standard library takes each of those marked lenient without a word.
REFUSED = [
    (b'{"a": 1, "a": 2}', "duplicate-member", True),
    (b'{"x": {"\\u0061": 1, "a": 1}}', "duplicate-member", True),
    (b"[NaN]", "number", True),
    (b"[Infinity]", "number", True),
    (b"[-Infinity]", "number", True),
    (b"[1e400]", "number", True),
    (b"[9007199254740992]", "number", True),
    (b"[-9007199254740992]", "number", True),
    (b"[%s]" % (b"9" * 4000), "number", True),
    (b"[1e20]", "number", True),  # which RFC 8785 writes as an integer that no verifier takes
    (b"[-9007199254740992.0]", "number", True),
    (b"[0.1000000000000000055511151231257827]", "number", True),
    (b"[3.14159265358979323846]", "number", True),
    (b'["\\ud800"]', "surrogate", True),
    (b'["\\uDC00"]', "surrogate", True),
    (b'{"\\ud83d": 1}', "surrogate", True),
    (b'["\\udc00\\ud83d"]', "surrogate", True),
    (b'["\xed\xa0\x80"]', "not-utf8", False),
    (b'["\xff"]', "not-utf8", False),
    (b"\xef\xbb\xbf{}", "not-json", False),
    (b"{} {}", "not-json", False),
    (b"{'a': 1}", "not-json", False),
    (b"[1,]", "not-json", False),
    (b"[01]", "not-json", False),
    (b'["\x00"]', "not-json", False),
    (b"", "not-json", False),
    (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too-deep", True),
    (b'{"a":' * 100_000, "too-deep", False),
    (b'{"]]":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "too-deep", True),
    (b'{"]\\"]":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "too-deep", True),
    (b"[" * 100_000, "too-deep", False),
]


@pytest.mark.parametrize(("data", "code", "lenient"), REFUSED, ids=[str(item[0][:24]) for item in REFUSED])
def test_refused(data, code, lenient):
    with pytest.raises(StrictJsonError) as refusal:
        loads(data)
    assert refusal.value.code == code
    if lenient:  # the negative control: without this reader it would have passed
        json.loads(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, -0.5, 2.5e3, true, null, "\\u00e9\\ud83d\\ude00"]}', {"a": [1, -0.5, 2500.0, True, None, "é😀"]}),
        (str(MAX_SAFE_INTEGER).encode(), MAX_SAFE_INTEGER),
        (str(-MAX_SAFE_INTEGER).encode(), -MAX_SAFE_INTEGER),
        (b"0.1", 0.1),
        (b"1.10", 1.1),
        (b"12.40", 12.4),
        (b'"[[[[{{{{\\"[["', '[[[[{{{{"[['),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'["%s"]' % (b"[" * 200), ["[" * 200]),
        ('"中文"'.encode(), "中文"),
        (b'"\\\\ud800"', "\\ud800"),
    ],
)
def test_accepted(data, value):
    read = loads(data)
    assert value is None or read == value


doubles = st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: not 2**53 <= abs(value) < 1e21)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | doubles
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values, st.booleans())
def test_whatever_json_writes_reads_back(value, ascii_only):
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:0123456789.eE-+\\utrfalsn dD8', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_and_never_read_otherwise_than_json(data):
    try:
        value = loads(data)
    except StrictJsonError:
        return
    assert json.dumps(value) == json.dumps(json.loads(data))


@given(doubles)
def test_every_double_but_those_written_as_large_integers_survives(value):
    read = loads(repr(value).encode())
    assert read == value
    assert math.copysign(1, read) == math.copysign(1, value)


def test_hostile_text_costs_one_pass():
    started = time.process_time()
    for data in (b'["' + b'\\"' * 500_000, b'"' * 500_001, b"[]" * 300_000, b'[{"a":"' * 100_000):
        with pytest.raises(StrictJsonError):
            loads(data)
    assert time.process_time() - started < 5
