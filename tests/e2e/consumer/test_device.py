"""The browser's reference client: the same bytes as everywhere, a key that stays inside, an outbox that keeps."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import api as ledger
from ledger import verify
from tests.integration.api.test_statements import event_of
from tests.integration.conftest import House, house, writer  # noqa: F401
from tests.unit.clients.test_device_client import client
from traceability.capture.models import PublishedEvent
from traceability.common.models import Document
from traceability.parties import services as parties

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs/device-signing.md").read_text()
VECTORS = json.loads((ROOT / "tests/vectors/device/vectors.json").read_text())
SIGN = """async ([cases, path]) => {
  const { sign } = await import(path);
  const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const pkcs8 = (seed) => bytes("302e020100300506032b657004220420" + seed);
  const items = [];
  for (const { event, secret, seed, public: publicKey, party, iat } of cases) {
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8(seed), "Ed25519", false, ["sign"]);
    const key = { privateKey, publicKey: bytes(publicKey) };
    items.push(await sign(event, { secret: bytes(secret), key, party, iat }).catch((error) => error.message));
  }
  return items;
}"""


def test_the_same_bytes_as_the_ledger_and_the_python_client(secure_page: Any) -> None:
    made = secure_page.evaluate(SIGN, [VECTORS["cases"], "/device/device.js"])
    wrong = [case["name"] for case, item in zip(VECTORS["cases"], made, strict=True) if item != case["item"]]
    assert wrong == []


def test_what_cannot_be_committed_is_refused(secure_page: Any) -> None:
    like = VECTORS["cases"][0]
    made = secure_page.evaluate(
        SIGN, [[{**like, "event": event} for event in VECTORS["refused"].values()], "/device/device.js"]
    )
    assert [item for item in made if not isinstance(item, str)] == []


OPEN = """async (party) => {
  const { Device } = await import("/static/device/device.js");
  globalThis.device = await Device.open(party);
  return device.publicKey;
}"""
# The outcome of a call as text: what it resolves to, or the message of its failure.
CALL = """async ([method, arguments_]) => {
  return device[method](...arguments_).then((value) => ({ value }), (error) => ({ error: error.message }));
}"""
VERIFY = """async ([bundle, vkey]) => {
  const { verifyBundle } = await import("/static/verify/verify.js");
  const { policyOfVkey } = await import("/static/verify/policy.js");
  return verifyBundle(bundle, policyOfVkey(vkey)).then(({ entries }) => entries.length, (error) => error.message);
}"""


@pytest.fixture
def page(chromium: Any, live_server: Any) -> Iterator[Any]:
    page = chromium.new_page()
    page.goto(live_server.url)
    yield page
    page.close()


def call(page: Any, method: str, *arguments: Any) -> Any:
    return page.evaluate(CALL, [method, list(arguments)])


def proved(page: Any, house: House, event_id: str) -> None:  # noqa: F811
    """The event is published, counts, and its evidence verifies here and in the browser."""
    house.settle()
    row = PublishedEvent.objects.get(event_id=event_id)
    assert row.voided_by is None
    document = Document.objects.get(statement_hash=row.statement_hash)
    event, secret = json.loads(bytes(document.body)), bytes(document.secret)
    bundle = ledger.evidence([(row.statement_hash, event, secret, lambda _name: True)])
    assert len(verify.check(bundle, ledger.vkey()).entries) == 1
    assert page.evaluate(VERIFY, [bundle, ledger.vkey()]) == 1


@pytest.mark.usefixtures("transactional_db")
def test_a_browser_signs_offline_and_an_answer_that_is_lost_costs_nothing(
    live_server: Any,
    page: Any,
    house: House,  # noqa: F811
    writer: Any,  # noqa: F811
) -> None:
    pharmacy = house.parties["pharmacy"]
    public = page.evaluate(OPEN, pharmacy.uri)
    parties.register_device_key(party=pharmacy, public=bytes.fromhex(public), label="browser")
    house.settle()
    page.context.set_offline(True)
    event = event_of(writer, "1")
    assert call(page, "record", event) == {"value": event["eventID"]}
    assert "error" in call(page, "send", live_server.url, house.tokens["pharmacy"])
    page.context.set_offline(False)
    page.goto(live_server.url)  # the page was closed meanwhile; key and outbox are kept
    assert page.evaluate(OPEN, pharmacy.uri) == public
    (waiting,) = page.evaluate("device.outbox()")

    def lose(route: Any) -> None:
        assert route.fetch().status == 202
        route.abort()

    page.route("**/api/v1/statements", lose)
    assert "error" in call(page, "send", live_server.url, house.tokens["pharmacy"])
    page.unroute("**/api/v1/statements")
    assert page.evaluate("device.outbox()") == [waiting]
    assert call(page, "send", live_server.url, house.tokens["pharmacy"]) == {"value": 1}
    assert page.evaluate("device.outbox()") == []
    proved(page, house, event["eventID"])
    assert PublishedEvent.objects.count() == 1


@pytest.mark.usefixtures("transactional_db")
def test_in_a_browser_s_batch_one_bad_item_is_set_aside(
    live_server: Any,
    page: Any,
    house: House,  # noqa: F811
    writer: Any,  # noqa: F811
) -> None:
    pharmacy = house.parties["pharmacy"]
    public = page.evaluate(OPEN, pharmacy.uri)
    parties.register_device_key(party=pharmacy, public=bytes.fromhex(public), label="browser")
    house.settle()
    good = [event_of(writer, serial) for serial in ("1", "3")]
    for event in (good[0], event_of(writer, "2", bizStep="selling_on_the_side"), good[1]):
        call(page, "record", event)
    assert call(page, "send", live_server.url, house.tokens["pharmacy"]) == {"value": 2}
    (refused,) = page.evaluate("device.outbox()")
    assert refused["problem"]["errors"][0]["pointer"] == "/bizStep"
    for event in good:
        proved(page, house, event["eventID"])
    key = page.evaluate("device.key.privateKey.extractable")
    assert key is False


@pytest.mark.usefixtures("transactional_db")
def test_the_python_client_against_the_same_house(
    live_server: Any,
    page: Any,
    house: House,  # noqa: F811
    writer: Any,  # noqa: F811
    tmp_path: Path,
) -> None:
    device = client.Device.init(tmp_path / "device", house.parties["pharmacy"].uri)
    parties.register_device_key(
        party=house.parties["pharmacy"], public=bytes.fromhex(device.public_key), label="python"
    )
    house.settle()
    event = event_of(writer, "7")
    assert device.record(event) == event["eventID"]
    (kept,) = device.waiting()
    assert device.send(live_server.url, house.tokens["pharmacy"]) == 1
    proved(page, house, event["eventID"])
    again = client._post(f"{live_server.url}/api/v1/statements", house.tokens["pharmacy"], {"statements": [kept[1]]})
    assert (again[0], again[1]["statements"][0]["alreadyRecorded"]) == (202, True)
    device.record(event_of(writer, "8", bizStep="selling_on_the_side"))
    assert device.send(live_server.url, house.tokens["pharmacy"]) == 0
    assert len(device.refused()) == 1
    device.record(event_of(writer, "9"))
    with pytest.raises(OSError, match="401"):
        device.send(live_server.url, "nobody")
    assert len(device.waiting()) == 1


def example(language: str) -> str:
    """A code block of the guide."""
    return GUIDE.split(f"```{language}\n")[1].split("```")[0]


@pytest.mark.usefixtures("transactional_db")
def test_the_guide_s_examples_run(
    live_server: Any,
    page: Any,
    house: House,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pharmacy = house.parties["pharmacy"]
    public = page.evaluate(OPEN, pharmacy.uri)
    parties.register_device_key(party=pharmacy, public=bytes.fromhex(public), label="browser")
    script = example("js").replace("dt_…", house.tokens["pharmacy"]).replace("await device.send", "return device.send")
    assert page.evaluate(f"async () => {{ {script} }}") == 1

    folder, token = str(tmp_path / "till-7"), tmp_path / "token"
    token.write_text(house.tokens["pharmacy"])
    client.main(["init", folder, "--party", pharmacy.uri])
    public = capsys.readouterr().out.strip()
    parties.register_device_key(party=pharmacy, public=bytes.fromhex(public), label="till 7")
    monkeypatch.setattr("sys.stdin", io.StringIO(example("json")))
    client.main(["record", folder])
    assert client.main(["send", folder, "--url", live_server.url, "--token-file", str(token)]) == 0
    assert "1 sent, 0 refused" in capsys.readouterr().out
    house.settle()
    assert list(PublishedEvent.objects.values_list("voided_by", flat=True)) == [None, None]
