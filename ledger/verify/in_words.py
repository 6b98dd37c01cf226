"""What a check found, for people."""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.tlog.policy import Checked

from .bundle import CheckedBundle
from .tools import LogOutcome
from .whole_log import CheckedLog


def bundle(checked: CheckedBundle) -> str:
    lines = _tree(checked)
    for entry in checked.entries:
        lines.append(f"Entry {entry.index}: {entry.kind}, signed by {entry.iss}")
        for name, value in sorted(entry.claims.items()):
            lines.append(f"    {name}: {json.dumps(value, ensure_ascii=False)}")
    lines += [
        "Checked: the checkpoint's signature, that the log holds each entry, whose key signed it, the claims shown.",
        "Not checked: whether what was recorded is true, and whether a later entry corrects it.",
    ]
    return _text(lines)


def proof(index: int, checked: Checked) -> str:
    return _text([*_tree(checked), f"The log holds this entry at index {index}."])


def consistency(old: int, new: int) -> str:
    return _text([f"The log of {new} entries begins with the one of {old} entries. Both were signed."])


def log(found: LogOutcome) -> str:
    checked = found.log
    lines = _tree(checked.checked)
    lines += [f"    {kind}: {count}" for kind, count in sorted(checked.kinds.items())]
    for kid, count in checked.void.items():
        lines.append(f"{count} statements of key {kid} do not count: it was revoked or retired.")
    size, seconds = checked.checked.checkpoint.size, found.seconds
    lines += [
        f"{size} entries in {seconds:.1f} s, {size / max(seconds, 0.001):,.0f} a second.",
        "Checked: every tile and bundle, every statement's spelling and signature, whose key signed it.",
        "Not checked: whether what was recorded is true, and whether others were shown another log: compare the root.",
    ]
    return _text(lines)


def findings(checked: CheckedLog) -> str:
    shown = "; ".join(finding.detail for finding in checked.findings[:5])
    return f"{len(checked.findings)} entries that no registered key stands behind: {shown}"


def missing(hashes: Sequence[str]) -> str:
    return f"{len(hashes)} statements that a receipt promises are not in the log: {', '.join(hashes[:5])}"


def _tree(checked: Checked | CheckedBundle) -> list[str]:
    tree = checked.checkpoint
    lines = [
        f"Checked against the signed checkpoint of {tree.origin}, {tree.size} entries.",
        f"Root: {b64encode(tree.root).decode()}",
    ]
    for name, time_s in sorted(checked.cosigned.items()):
        lines.append(f"Cosigned by {name} at {datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S} UTC")
    return lines


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
