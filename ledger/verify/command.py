"""The command line of `python -m ledger.verify` (docs/auditing.md).

Exit status: 0 everything checks out, 1 refused (the message says what), 2 called wrongly or a file cannot be read,
3 the log does not answer.
"""

import argparse
import json
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ledger.follower import LogLiedError, UnreachableError
from ledger.tlog import policy
from ledger.tlog.errors import TlogError
from ledger.tlog.policy import Checked, Policy

from . import in_words
from .bundle import BundleError, CheckedBundle, check, load
from .sources import UnreadableError
from .tools import check_consistency, check_log, check_proof

CHECKED, REFUSED, MISUSED, UNREACHABLE = 0, 1, 2, 3
COMMANDS = ("bundle", "proof", "consistency", "log")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: as JSON and in words."""

    value: Mapping[str, Any]
    words: str


class MisuseError(Exception):
    """The tool was called wrongly, or a file cannot be read."""


class RefusedError(Exception):
    """Something does not check out; `value` is what the JSON says beside the message."""

    def __init__(self, message: str, **value: Any) -> None:
        super().__init__(message)
        self.value = value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] not in COMMANDS and words[0] not in ("-h", "--help"):
        words.insert(0, "bundle")  # python -m ledger.verify FILE --vkey VKEY
    options = _parser().parse_args(words)
    try:
        outcome = options.run(options, _trust(options))
    except (MisuseError, UnreadableError) as error:
        return _fail(MISUSED, str(error))
    except UnreachableError as error:
        return _fail(UNREACHABLE, str(error))
    except RefusedError as error:
        return _refuse(options.json, str(error), error.value)
    except LogLiedError as error:
        finding = error.finding
        found = {"kind": finding.kind, "detail": finding.detail, "evidence": dict(finding.evidence)}
        return _refuse(options.json, str(error), {"finding": found})
    except (BundleError, TlogError) as error:
        return _refuse(options.json, str(error), {})
    value = {"ok": True, **outcome.value}
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n" if options.json else outcome.words)
    return CHECKED


def _fail(status: int, message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return status


def _refuse(as_json: bool, message: str, value: Mapping[str, Any]) -> int:
    sys.stdout.write(json.dumps({"ok": False, "error": message, **value}) + "\n" if as_json else f"NO: {message}\n")
    return REFUSED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(MISUSED, f"{message}\n")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    keys = common.add_mutually_exclusive_group(required=True)
    keys.add_argument("--vkey", help="the log's verifier key, from a source that you trust")
    keys.add_argument("--policy", metavar="FILE", help="C2SP tlog-policy: the checkpoint must have its quorum too")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    parser = _Parser(prog="python -m ledger.verify", description="Check what a log says without asking its operator.")
    commands = parser.add_subparsers(required=True, metavar="|".join(COMMANDS))

    def command(name: str, run: Callable[..., Outcome], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    bundle = command("bundle", _bundle, "an evidence bundle, offline")
    bundle.add_argument("file", metavar="FILE", help="the bundle (JSON); - reads standard input")
    proof = command("proof", _proof, "one entry's proof (C2SP tlog-proof), offline")
    proof.add_argument("file", metavar="FILE", help="the tlog-proof")
    proof.add_argument("--entry", metavar="FILE", required=True, help="the entry's bytes")
    two = command("consistency", _consistency, "that the log of a newer checkpoint begins with that of an older one")
    two.add_argument("old", metavar="OLD")
    two.add_argument("new", metavar="NEW")
    by = two.add_mutually_exclusive_group(required=True)
    by.add_argument("--tiles", metavar="URL_OR_FOLDER", help="a log or a mirror to read the hashes from")
    by.add_argument("--proof", metavar="FILE", help="the consistency proof, one base64 hash a line")
    whole = command("log", _log, "a whole log: every tile, every bundle, every statement")
    whole.add_argument("where", metavar="URL_OR_FOLDER", help="where `checkpoint` and `tile/` are")
    whole.add_argument("--kept", metavar="FILE", action="append", default=[], help="a checkpoint seen before")
    whole.add_argument("--receipt", metavar="FILE", action="append", default=[], help="a submission receipt to look up")
    whole.add_argument("--token-file", metavar="FILE", help="a bearer token, where entries are for members only")
    whole.add_argument("--jobs", type=_jobs, default=0, metavar="N", help="processes (default: one per core)")
    return parser


def _jobs(word: str) -> int:
    number = int(word)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError("between 1 and 256")
    return number


def _trust(options: argparse.Namespace) -> Policy:
    try:
        if options.vkey is not None:
            return policy.of_vkey(options.vkey)
        return policy.parse(_bytes(options.policy).decode())
    except (TlogError, UnicodeDecodeError) as error:
        raise MisuseError(f"{options.policy or '--vkey'}: {error}") from error


def _bundle(options: argparse.Namespace, trust: Policy) -> Outcome:
    checked = check(load(_bytes(options.file)), trust)
    _require_quorum(trust, checked)
    value = {
        **_tree(checked),
        "operator": checked.operator,
        "entries": [
            {
                "index": entry.index,
                "statement_hash": entry.statement_hash,
                "kind": entry.kind,
                "iss": entry.iss,
                "iat": entry.iat,
                "claims": dict(entry.claims),
            }
            for entry in checked.entries
        ],
    }
    return Outcome(value, in_words.bundle(checked))


def _proof(options: argparse.Namespace, trust: Policy) -> Outcome:
    index, checked = check_proof(_bytes(options.file), _bytes(options.entry), trust)
    _require_quorum(trust, checked)
    return Outcome({**_tree(checked), "index": index}, in_words.proof(index, checked))


def _consistency(options: argparse.Namespace, trust: Policy) -> Outcome:
    old, new = _bytes(options.old), _bytes(options.new)
    lines = None if options.proof is None else _bytes(options.proof)
    sizes = check_consistency(old, new, trust, where=options.tiles, lines=lines)
    return Outcome({"old": sizes[0], "new": sizes[1]}, in_words.consistency(*sizes))


def _log(options: argparse.Namespace, trust: Policy) -> Outcome:
    token = _bytes(options.token_file).decode().strip() if options.token_file else ""
    kept, receipts = ([_bytes(path) for path in paths] for paths in (options.kept, options.receipt))
    found = check_log(options.where, trust, token=token, kept=kept, receipts=receipts, jobs=options.jobs)
    value = {
        **_tree(found.log.checked),
        "operator": found.log.operator,
        "kinds": dict(sorted(found.log.kinds.items())),
        "void": dict(sorted(found.log.void.items())),
        "seconds": round(found.seconds, 1),
    }
    if found.log.findings:
        details = [{"kind": one.kind, "detail": one.detail, **one.evidence} for one in found.log.findings]
        raise RefusedError(in_words.findings(found.log), **value, findings=details)
    if found.missing:
        raise RefusedError(in_words.missing(found.missing), **value, missing=found.missing)
    _require_quorum(trust, found.log.checked)
    return Outcome(value, in_words.log(found))


def _require_quorum(trust: Policy, checked: Checked | CheckedBundle) -> None:
    if trust.quorum != policy.NONE and not checked.final:
        names = ", ".join(sorted(checked.cosigned)) or "nobody"
        raise RefusedError(f"the checkpoint has no quorum: {names} cosigned it", **_tree(checked))


def _tree(checked: Checked | CheckedBundle) -> dict[str, Any]:
    tree = checked.checkpoint
    return {
        "origin": tree.origin,
        "size": tree.size,
        "root": b64encode(tree.root).decode(),
        "cosigned": dict(sorted(checked.cosigned.items())),
        "final": checked.final,
    }


def _bytes(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise MisuseError(str(error)) from error
