"""The Python reference client for devices: the same bytes as the ledger's own code; its outbox loses nothing."""

import ast
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ledger import canonical, claims
from tests.vectors.device import generate

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "clients" / "python" / "dosetrail_device.py"
VECTORS = json.loads((ROOT / "tests/vectors/device/vectors.json").read_text())


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("dosetrail_device", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


client = _loaded()


def test_it_stands_alone() -> None:
    """Standard library, PyNaCl and cbor2; nothing of ours, so that it can be copied."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(FILE.read_text())):
        if isinstance(node, ast.Import):
            names |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - sys.stdlib_module_names == {"cbor2", "nacl"}


def test_the_file_is_what_the_program_makes() -> None:
    assert json.loads(json.dumps(generate.vectors())) == VECTORS


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_the_same_bytes_as_the_ledger(case: dict[str, Any]) -> None:
    made = client.sign(
        case["event"],
        secret=bytes.fromhex(case["secret"]),
        key=SigningKey(bytes.fromhex(case["seed"])),
        party=case["party"],
        iat=case["iat"],
    )
    assert made == case["item"]


@pytest.mark.parametrize("name", VECTORS["refused"])
def test_what_cannot_be_committed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"reserved|eventTime"):
        client.claims_root(VECTORS["refused"][name], secret=bytes(32), party="urn:x:y")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(_JSON)
def test_any_value_has_the_ledger_s_canonical_form(value: Any) -> None:
    try:
        wanted = canonical.canonical(value)
    except canonical.CanonicalError:
        with pytest.raises(ValueError, match="beyond"):
            client.canonical(value)
        return
    assert client.canonical(value) == wanted


@given(st.dictionaries(st.sampled_from(["epcList", "ilmd", "a", "quantityList"]), _JSON, max_size=4))
def test_any_document_has_the_ledger_s_root(document: dict[str, Any]) -> None:
    try:
        wanted = claims.commit(document, secret=bytes(32), party="urn:x:y").root
        found = client.claims_root(document, secret=bytes(32), party="urn:x:y")
    except ValueError:
        return
    assert found == wanted


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {"a": object()}, 1e17])
def test_what_is_read_differently_by_others_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        client.canonical(value)


class House:
    """Answers as told, and remembers what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.seen = list(answers), []

    def __call__(self, url: str, token: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.seen.append(body["statements"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(body) if callable(answer) else answer


def taken(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    hashes = [client._leaf(client._bytes(item["statement"])).hex() for item in body["statements"]]
    return 202, {"statements": [{"statementHash": name} for name in hashes], "receipt": {"note": "x"}}


@pytest.fixture
def device(tmp_path: Path) -> Any:
    return client.Device.init(tmp_path / "device", "urn:dosetrail:party:acme")


def record(device: Any, *serials: str) -> None:
    for serial in serials:
        device.record(generate.event(eventID=None, epcList=[serial]))


def test_a_retry_sends_the_same_bytes_and_the_receipt_ends_the_secret(device: Any, monkeypatch: Any) -> None:
    record(device, "1", "2")
    house = House(OSError("no network"), (503, {}), taken)
    monkeypatch.setattr(client, "_post", house)
    for _ in range(2):
        with pytest.raises(OSError, match=r"network|503"):
            device.send("http://house", "t")
    again = client.Device(device.folder)  # the device was switched off meanwhile
    assert again.send("http://house", "t") == 2
    assert house.seen[0] == house.seen[1] == house.seen[2]
    assert again.waiting() == []
    database = (device.folder / "outbox.sqlite3").read_bytes()
    assert house.seen[0][0]["secret"].encode() not in database


def test_one_that_is_refused_is_set_aside_and_the_others_go(device: Any, monkeypatch: Any) -> None:
    record(device, "1", "2", "3")
    house = House((400, {"errors": [{"event": 1}], "detail": "no"}), taken)
    monkeypatch.setattr(client, "_post", house)
    assert device.send("http://house", "t") == 2
    assert [problem["detail"] for _, problem in device.refused()] == ["no"]
    assert house.seen[1] == [house.seen[0][0], house.seen[0][2]]


def test_an_answer_about_something_else_ends_nothing(device: Any, monkeypatch: Any) -> None:
    record(device, "1")
    monkeypatch.setattr(client, "_post", House((202, {"statements": [{"statementHash": "00"}], "receipt": {}})))
    with pytest.raises(OSError, match="other statements"):
        device.send("http://house", "t")
    assert len(device.waiting()) == 1


def test_the_seed_is_the_owner_s_alone_and_made_once(device: Any) -> None:
    assert (device.folder / "seed").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        client.Device.init(device.folder, "urn:x:y")
    assert client.Device(device.folder).public_key == device.public_key
