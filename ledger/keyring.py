"""The status of a signing key at a log index: a fold over the entries about keys (docs/formats.md). PURE.

A rotation retires a key as of a time: what it signed before counts, wherever it stands. A revocation takes the word of
a key that may be in wrong hands: no later entry of it counts, whatever time it claims.

Entry 0, the genesis, names the operator's root key and the registrars; a party key counts iff a registrar's statement
registers it. A statement that its signer had no right to make changes nothing.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from . import statement as statements
from .canonical import MAX_INTEGER
from .log_keys import LogKeys
from .statement import Statement, StatementError
from .tlog.errors import NoteError
from .tlog.note import decode_base64

_KID = re.compile(r"[0-9a-f]{64}")
GENESIS_FORMAT = "dosetrail.genesis/1"


class KeyState(StrEnum):
    """What the log says about a key at an index."""

    UNKNOWN = "unknown"
    VALID = "valid"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Ending:
    """An entry that ends a key: a revocation, or a rotation that retires it as of a time (ms since 1970)."""

    index: int
    bad_since_ms: int
    revokes: bool

    def covers(self, index: int, iat: int) -> bool:
        """Whether a statement of time `iat` (seconds) at `index` does not count once this entry is on the log."""
        return (self.revokes and self.index < index) or iat * 1000 >= self.bad_since_ms


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """All that the log says about one key: whose it is, from which entry on, and what ends it, in order of index."""

    kid: bytes
    party: str
    public: bytes
    registered_index: int
    endings: tuple[Ending, ...] = ()

    def void_from(self, index: int, iat: int) -> int | None:
        """The log index from which on a statement of the key at `index` does not count; None while it counts.

        Its own index where it never counted; a later one where an entry there reaches back to its time `iat` (seconds).
        More endings never change an index that was given once.
        """
        if self.registered_index >= index:
            return index
        ends = [end.index for end in self.endings if end.covers(index, iat)]
        return max(index, ends[0]) if ends else None


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """A key's state as an entry at some index meets it; `record` is None for an unknown key."""

    state: KeyState
    record: KeyRecord | None

    @property
    def party(self) -> str | None:
        return self.record.party if self.record else None

    @property
    def public(self) -> bytes | None:
        return self.record.public if self.record else None

    def believes(self, iat: int) -> bool:
        """Whether a statement of time `iat` (seconds) at this index counts: not revoked before it, not bad at `iat`."""
        if self.state is not KeyState.VALID or self.record is None:
            return False
        return all(iat * 1000 < end.bad_since_ms for end in self.record.endings)


@dataclass
class Keyring:
    """The fold. `add` takes key entries in index order; entry 0 must be the genesis."""

    operator: str = ""
    origin: str = ""
    registrars: dict[bytes, bytes] = field(default_factory=dict)  # kid -> public key
    keys: dict[bytes, KeyRecord] = field(default_factory=dict)
    effective: list[int] = field(default_factory=list)  # the entries that took effect
    root: bytes = b""  # the operator's root key: the only one that speaks about the log key
    log_keys: LogKeys = field(default_factory=LogKeys)
    past: tuple[str, ...] = ()  # origins of the logs that this one continues, newest first (a new epoch)

    def add(self, index: int, statement: Statement) -> None:
        """Fold one key entry; StatementError when it is malformed or its signer had no right to make it."""
        if statement.kind not in statements.KEY_KINDS:
            raise StatementError("bad-key-entry", f"entry {index} is not about keys")
        if statement.kind == "genesis":
            self._add_genesis(index, statement)
        elif statement.kind in statements.LOG_KEY_KINDS:
            if not self._add_roots_word(index, statement):
                return
        else:
            self._add_registrars_word(index, statement)
        self.effective.append(index)

    def copy(self) -> "Keyring":
        """The same fold, to go on with on its own."""
        return replace(self, registrars=dict(self.registrars), keys=dict(self.keys), effective=list(self.effective))

    def status(self, kid: bytes, index: int) -> KeyStatus:
        """The key as the entry at `index` meets it. Since when it is bad also counts when that was logged later."""
        record = self.keys.get(kid)
        if record is None or record.registered_index >= index:
            return KeyStatus(KeyState.UNKNOWN, None)
        if any(end.revokes and end.index < index for end in record.endings):
            return KeyStatus(KeyState.REVOKED, record)
        return KeyStatus(KeyState.VALID, record)

    def _add_registrars_word(self, index: int, statement: Statement) -> None:
        public = self.registrars.get(statement.kid)
        if public is None or statement.iss != self.operator:
            raise StatementError("not-a-registrar", f"entry {index} about keys is not signed by a registrar")
        statements.verify(statement, public)
        content = _object(statement)
        records = []
        if statement.kind != "key-revoked":
            records.append(self._registered(index, content))
        if statement.kind != "key-registered":
            revokes = statement.kind == "key-revoked"
            old = content.get("kid" if revokes else "replaces")
            records.append(self._ended(old, index, content.get("badSince"), revokes=revokes))
        self.keys.update({record.kid: record for record in records})  # all of the statement takes effect, or nothing

    def _add_roots_word(self, index: int, statement: Statement) -> bool:
        """Fold a word about the log key; False for one about a log that this one continues: it has had its effect."""
        if not self.root or statement.iss != self.operator or statement.kid != statements.key_id(self.root):
            raise StatementError("not-the-root", f"entry {index} about the log key is not signed by the root key")
        statements.verify(statement, self.root)
        content = _object(statement)
        if content.get("origin") in self.past:
            return False
        if content.get("origin") != self.origin:
            raise StatementError("bad-key-entry", f"entry {index} is about the key of another log")
        if statement.kind == "log-key-retired":
            self.log_keys = self.log_keys.retired(index, _kid(content.get("kid")))
            return True
        public, old = _public(content.get("public")), _public(content.get("replacesPublic"))
        named = (content.get("kid"), content.get("replaces"))
        kid = statements.key_id(public)
        if named != (kid.hex(), statements.key_id(old).hex()):
            raise StatementError("bad-key-entry", f"entry {index} does not give the two keys their own ids")
        if public == self.root or kid in self.registrars or kid in self.keys:
            raise StatementError("bad-key-entry", f"entry {index} names a key that signs statements")
        if not isinstance(content.get("overlap"), bool):
            raise StatementError("bad-key-entry", f"entry {index} does not say whether both keys sign for a time")
        self.log_keys = self.log_keys.followed(index, public, replaces=old, overlap=content["overlap"])
        return True

    def _add_genesis(self, index: int, statement: Statement) -> None:
        if index != 0 or self.registrars:
            raise StatementError("bad-genesis", "the genesis statement is entry 0 and there is one")
        content = _object(statement)
        if content.get("format") != GENESIS_FORMAT or not isinstance(content.get("registrars"), list):
            raise StatementError("bad-genesis", f"entry 0 is not a {GENESIS_FORMAT}")
        root = _public(content.get("root"))
        statements.verify(statement, root)
        publics = [_public(item) for item in content["registrars"]]
        self.operator, self.origin, self.root = statement.iss, str(content.get("origin")), root
        self.registrars = {statements.key_id(public): public for public in publics}
        self.past = tuple(_past(content.get("continues")))

    def _registered(self, index: int, content: dict[str, Any]) -> KeyRecord:
        public, party = _public(content.get("public")), content.get("party")
        kid = statements.key_id(public)
        if not isinstance(party, str) or not party or content.get("kid") != kid.hex():
            raise StatementError("bad-key-entry", f"entry {index} names no party or not the key's own id")
        if kid in self.keys:
            raise StatementError("bad-key-entry", f"entry {index} registers a key that is registered already")
        return KeyRecord(kid, party, public, index)

    def _ended(self, kid: Any, index: int, bad_since: Any, *, revokes: bool) -> KeyRecord:
        record = self.keys.get(_kid(kid))
        if record is None or type(bad_since) is not int or not 0 <= bad_since <= MAX_INTEGER:
            raise StatementError("bad-key-entry", f"entry {index} ends an unknown key, or says not since when")
        return replace(record, endings=(*record.endings, Ending(index, bad_since, revokes)))


def _past(continues: Any) -> Iterator[str]:
    """The origins of the logs before this one, as its genesis tells them, newest first."""
    while isinstance(continues, dict):
        yield str(continues.get("origin"))
        continues = continues.get("continues")


def fold(entries: Iterable[tuple[int, bytes]]) -> Keyring:
    """The keyring of key entries in index order; those that are void are passed over."""
    keyring = Keyring()
    for index, data in entries:
        try:
            keyring.add(index, statements.parse(data))
        except StatementError:
            if index == 0:
                raise  # without a genesis nothing can be believed
    return keyring


def genesis(*, origin: str, operator_name: str, root: bytes, registrars: Iterable[bytes]) -> dict[str, Any]:
    """The content of entry 0."""
    return {
        "format": GENESIS_FORMAT,
        "origin": origin,
        "operator": operator_name,
        "root": b64encode(root).decode(),
        "registrars": [b64encode(public).decode() for public in registrars],
    }


def registration(*, public: bytes, party: str) -> dict[str, Any]:
    """The content of a key-registered statement."""
    return {"party": party, "kid": statements.key_id(public).hex(), "public": b64encode(public).decode()}


def rotation(*, public: bytes, party: str, replaces: bytes, bad_since_ms: int) -> dict[str, Any]:
    """The content of a key-rotated statement: registers a key and retires another as of `bad_since_ms`.

    That moment may lie in the future; until then both keys count.
    """
    return {**registration(public=public, party=party), "replaces": replaces.hex(), "badSince": bad_since_ms}


def revocation(*, kid: bytes, bad_since_ms: int) -> dict[str, Any]:
    """The content of a key-revoked statement; `bad_since_ms` may lie in the past."""
    return {"kid": kid.hex(), "badSince": bad_since_ms}


def log_key(*, origin: str, public: bytes, replaces: bytes, overlap: bool) -> dict[str, Any]:
    """The content of a log-key statement: `public` follows the key `replaces`; `overlap` = both sign for a time."""
    return {
        "origin": origin,
        "kid": statements.key_id(public).hex(),
        "public": b64encode(public).decode(),
        "replaces": statements.key_id(replaces).hex(),
        "replacesPublic": b64encode(replaces).decode(),
        "overlap": overlap,
    }


def log_key_retired(*, origin: str, kid: bytes) -> dict[str, Any]:
    """The content of a log-key-retired statement: the key that was followed signs no longer."""
    return {"origin": origin, "kid": kid.hex()}


def subject_kids(statement: Statement) -> list[str]:
    """Hex ids of the keys that a key entry is about; the root key's for the genesis, none if it is malformed."""
    content = json_object(statement)
    if statement.kind == "genesis":
        return [statement.kid.hex()]
    named = [content.get(name) for name in ("kid", "replaces")]
    return [value for value in named if isinstance(value, str) and _KID.fullmatch(value)]


def json_object(statement: Statement) -> dict[str, Any]:
    """The content of a public statement if it is an object, else an empty one."""
    content = statement.content
    return content if isinstance(content, dict) else {}


def _object(statement: Statement) -> dict[str, Any]:
    content = json_object(statement)
    if not content:
        raise StatementError("bad-key-entry", "the payload of an entry about keys is an object")
    return content


def _public(value: Any) -> bytes:
    try:
        public = decode_base64(value) if isinstance(value, str) else b""
    except NoteError as error:
        raise StatementError("bad-key-entry", "a public key is 32 bytes in standard base64") from error
    statements.check_public_key(public)
    return public


def _kid(value: Any) -> bytes:
    if not isinstance(value, str) or not _KID.fullmatch(value):
        raise StatementError("bad-key-entry", "a key id is 32 bytes in lower-case hex")
    return bytes.fromhex(value)
