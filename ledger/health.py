"""What a health check says, and the answer that holds them all. PURE."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

OK, FAILING, UNKNOWN = "ok", "failing", "unknown"
Value = int | str | None
# What a proxy adds. Behind one, every caller has the proxy's address.
_PROXIED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is watched: its stable name, what was found against which limit, and that in words.

    `unknown` is for what cannot be seen from here; it fails nothing.
    """

    name: str
    state: str
    words: str
    value: Value = None
    limit: Value = None
    unit: str = ""
    detail: Mapping[str, Value] = field(default_factory=dict)


def at_most(name: str, value: int | None, limit: int, unit: str, words: str, **detail: Value) -> Check:
    """A check that a number is not above its limit; None = not known."""
    state = UNKNOWN if value is None else OK if value <= limit else FAILING
    return Check(name, state, words, value, limit, unit, detail)


def at_least(name: str, value: int | None, limit: int, unit: str, words: str) -> Check:
    """A check that a number is not below its limit; None = not known."""
    state = UNKNOWN if value is None else OK if value >= limit else FAILING
    return Check(name, state, words, value, limit, unit)


def is_fine(checks: Sequence[Check]) -> bool:
    return not failing(checks)


def failing(checks: Sequence[Check]) -> list[str]:
    """The names of the checks that fail."""
    return [check.name for check in checks if check.state == FAILING]


def report(checks: Sequence[Check], *, detailed: bool) -> dict[str, Any]:
    """The JSON answer: a stranger learns whether all is well and, if not, which checks fail; others learn it all."""
    said: dict[str, Any] = {"status": OK if is_fine(checks) else FAILING, "failing": failing(checks)}
    if detailed:
        said["checks"] = {check.name: _shown(check) for check in checks}
    return said


def is_from_here(address: str, headers: Mapping[str, str]) -> bool:
    """Whether a process of this machine called, and not a proxy on somebody's behalf."""
    if any(name in headers for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _shown(check: Check) -> dict[str, Any]:
    said: dict[str, Any] = {"state": check.state, "value": check.value, "limit": check.limit, "words": check.words}
    if check.unit:
        said["unit"] = check.unit
    if check.detail:
        said["detail"] = dict(check.detail)
    return said
