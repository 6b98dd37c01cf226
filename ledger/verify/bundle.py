"""An evidence bundle, as `/evidence/…` serves it, checked without Django, database or network. PURE.

The rules are those of docs/formats.md.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import claims as claim_rules
from ledger import statement as statements
from ledger.canonical import MAX_INTEGER, CanonicalError, canonical
from ledger.keyring import Keyring, KeyState
from ledger.statement import Statement, StatementError
from ledger.tlog import checkpoint, merkle, note, policy
from ledger.tlog.errors import TlogError
from ledger.tlog.policy import Policy

FORMAT = "dosetrail.evidence/1"
MAX_BUNDLE_SIZE = 64 * 1024 * 1024
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,15}", re.ASCII)


class BundleError(Exception):
    """The bundle does not prove what it claims; the text says which check failed, at which entry."""


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """One entry whose inclusion, signature, key and claims were checked. Claims of lists hold all values shown."""

    index: int
    statement_hash: str
    kind: str
    iss: str
    iat: int
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """What a bundle proves: the log it is from, the tree it is under, who cosigned it (seconds), and its entries."""

    checkpoint: checkpoint.Checkpoint
    operator: str
    entries: Sequence[CheckedEntry]
    cosigned: Mapping[str, int]
    final: bool  # a quorum of the policy's witnesses cosigned the checkpoint


def check(bundle: Any, trust: Policy | str) -> CheckedBundle:
    """Check a bundle (as `load` reads it) under a policy, or a log's verifier key alone; BundleError for what fails."""
    try:
        return _check(_object(bundle, "the bundle"), policy.of_vkey(trust) if isinstance(trust, str) else trust)
    except (TlogError, StatementError) as error:
        raise BundleError(str(error)) from error


def load(data: bytes) -> Any:
    """The JSON of a bundle; BundleError for text that two readers could read differently: a name twice, any number
    that is not whole, below 2^53 and spelled as one.
    """
    if len(data) > MAX_BUNDLE_SIZE:
        raise BundleError("the bundle is too long")
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_no_duplicates,
            parse_int=_whole,
            parse_float=_whole,
            parse_constant=_whole,
        )
    except (ValueError, RecursionError) as error:
        raise BundleError(f"not a JSON document: {error}") from error


def _check(bundle: dict[str, Any], trust: Policy) -> CheckedBundle:
    if bundle.get("format") != FORMAT:
        raise BundleError(f"not a bundle of format {FORMAT}")
    text = _text(bundle.get("checkpoint"), "checkpoint")
    checked = trust.check(text.encode("utf-8", "surrogatepass"))
    tree = checked.checkpoint
    if bundle.get("origin") != tree.origin:
        raise BundleError("the bundle names another origin than its checkpoint")
    keyring = Keyring()
    last = -1
    for item in _list(bundle.get("keys"), "keys"):
        index, _, statement = _included(item, tree)
        if index <= last or statement.kind in statements.LOG_KEY_KINDS:
            raise BundleError("keys are entries about signers' keys, in order of their index")
        last = index
        keyring.add(index, statement)
    if not keyring.registrars:
        raise BundleError("the genesis entry is missing")
    if keyring.origin != tree.origin:
        raise BundleError("the genesis is of another log")
    _fold_log_keys(bundle.get("logKeys", []), tree, keyring)
    entries = [_check_entry(item, tree, keyring) for item in _list(bundle.get("entries"), "entries")]
    if not entries or len({entry.index for entry in entries}) != len(entries):
        raise BundleError("the bundle has no entry, or one twice")
    return CheckedBundle(tree, keyring.operator, entries, checked.cosigned, checked.final)


def _fold_log_keys(items: Any, tree: checkpoint.Checkpoint, keyring: Keyring) -> None:
    """What the log says about its own keys; it proves nothing about the pinned one, and nothing about the entries."""
    last = -1
    for item in _list(items, "logKeys"):
        index, _, statement = _included(item, tree)
        if index <= last or statement.kind not in statements.LOG_KEY_KINDS:
            raise BundleError("logKeys are entries about log keys, in order of their index")
        last = index
        keyring.add(index, statement)


def _check_entry(item: Any, tree: checkpoint.Checkpoint, keyring: Keyring) -> CheckedEntry:
    index, data, statement = _included(item, tree)
    status = keyring.status(statement.kid, index)
    if status.state is KeyState.UNKNOWN or status.public is None:
        raise BundleError(f"entry {index}: no registrar registered the signer's key before it")
    if status.party != statement.iss:
        raise BundleError(f"entry {index}: its key belongs to {status.party}, not to {statement.iss}")
    if not status.believes(statement.iat):
        raise BundleError(f"entry {index}: its key was revoked")
    statements.verify(statement, status.public)
    shown = check_claims(item.get("claims"), statement, where=f"entry {index}")
    return CheckedEntry(index, statements.statement_hash(data), statement.kind, statement.iss, statement.iat, shown)


def check_claims(shown: Any, statement: Statement, *, where: str) -> dict[str, Any]:
    """The disclosed claims by name, proved under the statement's root; list names hold all values shown."""
    if statement.kind not in statements.PRIVATE_KINDS:
        raise BundleError(f"{where}: a {statement.kind} entry has no claims")
    found: dict[str, Any] = {}
    places: set[int] = set()
    depths: set[int] = set()
    for item in _list(shown, f"{where}: claims"):
        index, name, value, depth = _proved_claim(item, statement.payload, where)
        depths.add(depth)
        if index in places or len(depths) > 1:
            raise BundleError(f"{where}: one claim twice, or claims of trees of different size")
        places.add(index)
        if name in claim_rules.LISTS:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise BundleError(f"{where}: two values for {name}")
        else:
            found[name] = value
    _check_shape(found, statement, where)
    return found


def _check_shape(found: Mapping[str, Any], statement: Statement, where: str) -> None:
    """Refuse a disclosure that leaves out what changes the meaning of the rest."""
    members = found.get("#members")
    if not isinstance(members, list):
        raise BundleError(f"{where}: #members is not shown")
    if found.get("#party") != statement.iss:
        raise BundleError(f"{where}: #party is not the signer")
    if statement.kind != "event":
        return
    if "type" not in found:
        raise BundleError(f"{where}: type is not shown")
    if "action" not in found and found["type"] != "TransformationEvent":
        raise BundleError(f"{where}: action is not shown")
    if "#day" not in found and not ("eventTime" in found and "eventTimeZoneOffset" in found):
        raise BundleError(f"{where}: neither time nor day is shown")
    if "bizStep" in members and "bizStep" not in found:
        raise BundleError(f"{where}: bizStep is not shown")


def _proved_claim(item: Any, root: bytes, where: str) -> tuple[int, str, Any, int]:
    """Index, name, value and depth of one claim whose path leads to `root`."""
    fields = _object(item, f"{where}: a claim")
    text = _text(fields.get("claim"), f"{where}: claim")
    path = [_hash(value, where) for value in _list(fields.get("path"), f"{where}: path")]
    index = _index(fields.get("index"), where)
    if len(path) > 32:
        raise BundleError(f"{where}: a claim's path is too long")
    try:
        value = json.loads(text)
        if canonical(value) != text:
            raise CanonicalError("not in RFC 8785 form")
        leaf = merkle.leaf_hash(text.encode())
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{where}: a claim is not canonical JSON: {error}") from error
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(part, str) for part in value[:2]):
        raise BundleError(f"{where}: a claim is [salt, name, value]")
    merkle.verify_inclusion(index, 1 << len(path), leaf=leaf, proof=path, root=root)
    return index, value[1], value[2], len(path)


def _included(item: Any, tree: checkpoint.Checkpoint) -> tuple[int, bytes, Statement]:
    """Index, bytes and statement of a bundle's ENTRY, after its inclusion proof was checked."""
    fields = _object(item, "an entry")
    index = _index(fields.get("index"), "an entry")
    data = note.decode_base64(_text(fields.get("statement"), f"entry {index}: statement"))
    path = [_hash(value, f"entry {index}") for value in _list(fields.get("inclusion"), f"entry {index}: inclusion")]
    merkle.verify_inclusion(index, tree.size, leaf=merkle.leaf_hash(data), proof=path, root=tree.root)
    return index, data, statements.parse(data)


def _hash(value: Any, where: str) -> bytes:
    data = note.decode_base64(_text(value, f"{where}: a hash"))
    if len(data) != merkle.HASH_SIZE:
        raise BundleError(f"{where}: a hash is 32 bytes")
    return data


def _index(value: Any, where: str) -> int:
    if type(value) is not int or value < 0:
        raise BundleError(f"{where}: index is not a whole number")
    return value


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BundleError(f"{what} is not a JSON object")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise BundleError(f"{what} is not a list")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"{what} is not text")
    return value


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"{text} is not a whole number below 2^53")
    return int(text)


def _no_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    items = list(pairs)
    found = dict(items)
    if len(found) != len(items):
        raise ValueError("a member name occurs twice")
    return found
