"""A device that signs its own events: reference client of docs/device-signing.md. Needs PyNaCl and cbor2, nothing else.

    python dosetrail_device.py init FOLDER --party urn:dosetrail:party:acme     prints the public key to be registered
    python dosetrail_device.py record FOLDER < event.json                       signs and keeps, also without a network
    python dosetrail_device.py send FOLDER --url https://trace.example --token-file TOKEN

Copy this file where you need it; it imports nothing of Dosetrail. `sign` is the whole of the cryptography.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
import sys
import time
import urllib.error
import urllib.request
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import cbor2
from nacl.signing import SigningKey

# Members of EPCIS events that are lists without order: each member of the list is a claim of its own.
LISTS = frozenset(
    "epcList childEPCs inputEPCList outputEPCList quantityList childQuantityList inputQuantityList outputQuantityList"
    " bizTransactionList sourceList destinationList sensorElementList".split()
)
BATCH = 100
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")


def sign(event: dict, *, secret: bytes, key: SigningKey, party: str, iat: int) -> dict[str, str]:
    """The item for POST /api/v1/statements; the same arguments always give the same bytes.

    `secret`: 32 random bytes, new for each event; `iat`: seconds since 1970. ValueError: the event cannot be committed.
    """
    public = bytes(key.verify_key)
    kid = hashlib.sha256(bytes.fromhex("a301012006215820") + public).digest()  # RFC 9679 thumbprint
    claims = {1: party, 2: "dosetrail:event", 6: iat}
    header = cbor2.dumps({1: -8, 3: "application/vnd.dosetrail.claims-root", 4: kid, 15: claims})
    root = claims_root(event, secret=secret, party=party)
    signature = key.sign(cbor2.dumps(["Signature1", header, b"", root])).signature
    statement = cbor2.dumps(cbor2.CBORTag(18, [header, {}, root, signature]))
    return {"event": _text(canonical(event).encode()), "secret": _text(secret), "statement": _text(statement)}


def claims_root(event: dict, *, secret: bytes, party: str) -> bytes:
    """The root of the event's salted claims tree (docs/formats.md, "Claims")."""
    seen: dict[str, int] = {}
    leaves = []
    for name, value in _claims(event, party):
        pair = f"{canonical(name)},{canonical(value)}"
        seen[pair] = repeat = seen.get(pair, 0) + 1
        salt = _text(_mac(secret, b"dosetrail/claim/1\0" + f"[{pair},{repeat}]".encode())[:16])
        leaves.append(_leaf(f'["{salt}",{pair}]'.encode()))
    size = max(16, 1 << (len(leaves) - 1).bit_length())
    pads = range(size - len(leaves))
    leaves += [_leaf(_mac(secret, b"dosetrail/pad/1\0" + place.to_bytes(4, "big"))) for place in pads]
    level = sorted(leaves)
    while len(level) > 1:
        level = [
            hashlib.sha256(b"\1" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]


def canonical(value: object) -> str:
    """RFC 8785 JSON; ValueError for what has none."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(item)}" for name, item in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int) and abs(value) < 2**53:
        return str(value)
    if isinstance(value, float):
        return _number(value)
    raise ValueError(f"{value!r} has no canonical form")


def _number(value: float) -> str:
    """A double as ECMAScript writes it (ECMA-262, Number::toString)."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("NaN and Infinity are not JSON")
    text = "".join(map(str, digits)).lstrip("0")
    point = len(text) + exponent  # where the decimal point stands
    text = text.rstrip("0")
    if value.is_integer() and 2**53 <= abs(value) < 1e21:
        raise ValueError("an integer beyond 2^53 - 1 is read differently by different readers")
    if len(text) <= point <= 21:
        shown = text.ljust(point, "0")
    elif 0 < point <= 21:
        shown = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        shown = "0." + "0" * -point + text
    else:
        shown = text[0] + (f".{text[1:]}" if len(text) > 1 else "") + f"e{point - 1:+d}"
    return "-" * sign + shown


def _claims(event: dict, party: str):
    """Name and value of each claim."""
    for name, value in event.items():
        if name in LISTS and isinstance(value, list):
            yield from ((name, item) for item in value)
            yield f"{name}#count", len(value)
        elif name == "ilmd" and isinstance(value, dict):
            yield from ((f"ilmd/{key}", item) for key, item in value.items())
            yield "ilmd#members", sorted(value)
        elif name.startswith(("#", "ilmd/")) or name == "ilmd#members" or name.removesuffix("#count") in LISTS - {name}:
            raise ValueError(f"the member name {name!r} is reserved")
        else:
            yield name, value
    yield "#members", sorted(event)
    yield "#party", party
    if "eventTime" in event:
        yield "#day", _local_day(event["eventTime"], event.get("eventTimeZoneOffset"))


def _local_day(event_time: object, offset: object) -> str:
    """The calendar day of an eventTime at its offset."""
    shift = _OFFSET.fullmatch(str(offset))
    if not shift or not _TIME.fullmatch(str(event_time)):
        raise ValueError("an event has an eventTime such as 2026-03-01T08:00:00.000Z and an eventTimeZoneOffset")
    minutes = (int(shift[2]) * 60 + int(shift[3])) * (-1 if shift[1] == "-" else 1)
    return (datetime.fromisoformat(str(event_time)).astimezone(UTC) + timedelta(minutes=minutes)).date().isoformat()


def _mac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha256")


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Device:
    """A key and an outbox in a folder that only its owner can read.

    What `record` has returned is on the disk. A retry sends the bytes that were signed then, never a new signature:
    the house knows it again. Once the house has answered with its receipt, event and secret are deleted here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.party = (folder / "party").read_text().strip()
        self.key = SigningKey((folder / "seed").read_bytes())
        with closing(self._open()) as database, database:
            database.execute(
                "create table if not exists outbox (id integer primary key, item text not null, problem text)"
            )
            database.execute("create table if not exists receipts (statement text primary key, receipt text not null)")

    @classmethod
    def init(cls, folder: Path, party: str) -> "Device":
        """A new device; FileExistsError where there is one."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / "seed", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        (folder / "party").write_text(party)
        return cls(folder)

    @property
    def public_key(self) -> str:
        """What is registered for the party (`manage.py add_device_key`), in hex."""
        return bytes(self.key.verify_key).hex()

    def record(self, event: dict) -> str:
        """Sign an event and keep it in the outbox; its ID. ValueError: it cannot be committed, nothing is kept."""
        event = {**event, "eventID": event.get("eventID") or f"urn:uuid:{uuid.uuid4()}"}
        secret = secrets.token_bytes(32)
        item = sign(event, secret=secret, key=self.key, party=self.party, iat=int(time.time()))
        with closing(self._open()) as database, database:
            database.execute("insert into outbox (item) values (?)", [json.dumps(item)])
        return str(event["eventID"])

    def waiting(self) -> list[tuple[int, dict[str, str]]]:
        """What is to be sent, oldest first; what the house refused stays in the outbox with its problem."""
        with closing(self._open()) as database:
            rows = database.execute("select id, item from outbox where problem is null order by id limit ?", [BATCH])
            return [(number, json.loads(item)) for number, item in rows]

    def refused(self) -> list[tuple[int, dict[str, object]]]:
        """What the house refused, with its problem document: somebody must look."""
        with closing(self._open()) as database:
            rows = database.execute("select id, problem from outbox where problem is not null order by id")
            return [(number, json.loads(problem)) for number, problem in rows]

    def send(self, url: str, token: str) -> int:
        """Send what waits; how many events the house now has. OSError: not reached, or busy; try again later."""
        sent = 0
        while batch := self.waiting():
            status, answer = _post(f"{url}/api/v1/statements", token, {"statements": [item for _, item in batch]})
            if status == 202:
                self._forget(batch, answer)
                sent += len(batch)
            elif status in {400, 403, 409} and answer.get("errors"):
                # All or none was taken: set the one that is named aside, and send the others again.
                place = answer["errors"][0].get("event") or 0
                with closing(self._open()) as database, database:
                    problem = json.dumps(answer)
                    database.execute("update outbox set problem = ? where id = ?", [problem, batch[place][0]])
            else:
                raise OSError(f"the house answered {status}: {answer.get('detail', '')}")
        return sent

    def _forget(self, batch: list, answer: dict) -> None:
        """Delete the secrets; keep the receipt, by which an omission can be proved."""
        hashes = [_leaf(_bytes(item["statement"])).hex() for _, item in batch]
        if [one["statementHash"] for one in answer["statements"]] != hashes:
            raise OSError("the house's answer is about other statements than those sent")
        with closing(self._open()) as database, database:
            receipt = json.dumps(answer["receipt"])
            database.executemany("insert or replace into receipts values (?, ?)", [(name, receipt) for name in hashes])
            database.executemany("delete from outbox where id = ?", [(number,) for number, _ in batch])

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.folder / "outbox.sqlite3", timeout=20)
        database.execute("pragma synchronous = full")
        database.execute("pragma secure_delete = on")
        return database


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _post(url: str, token: str, body: object) -> tuple[int, dict]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 (the caller's address)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
        try:
            found = json.loads(text)
        except ValueError:
            found = {}
        return error.code, found if isinstance(found, dict) else {}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Sign events on this device and send them.")
    parser.add_argument("action", choices=["init", "record", "send"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--party", help="the party's URI (init)")
    parser.add_argument("--url", help="where the house answers (send)")
    parser.add_argument("--token-file", type=Path, help="the party's bearer token (send)")
    options = parser.parse_args(arguments)
    if options.action == "init":
        if not options.party:
            parser.error("init needs --party")
        print(Device.init(options.folder, options.party).public_key)  # noqa: T201
        return 0
    device = Device(options.folder)
    if options.action == "record":
        print(device.record(json.load(sys.stdin)))  # noqa: T201
        return 0
    if not (options.url and options.token_file):
        parser.error("send needs --url and --token-file")
    sent = device.send(options.url.rstrip("/"), options.token_file.read_text().strip())
    refused = device.refused()
    print(f"{sent} sent, {len(refused)} refused")  # noqa: T201
    for number, problem in refused:
        print(f"  {number}: {problem.get('detail')}", file=sys.stderr)  # noqa: T201
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
