"""Typed, frozen parameters of a template: read strictly from a contract's JSON. PURE."""

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, fields
from typing import Any, Self

MAX_SECONDS = 400 * 24 * 3600


class ParameterError(ValueError):
    """A contract's parameters do not fit its template; `field` names which, `code` is stable."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Parameters:
    """Base of every template's parameters. A field's metadata `range` bounds integers; None is allowed if default."""

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """The parameters in `values`; absent ones take their default. ParameterError for anything else."""
        known = {item.name: item for item in fields(cls)}
        for name in values:
            if name not in known:
                raise ParameterError(name, "unknown-parameter", f"the template has {', '.join(sorted(known))}")
        for name, value in values.items():
            _check(known[name], value)
        return cls(**values)

    def write(self) -> dict[str, Any]:
        """All parameters as JSON values."""
        return asdict(self)


def _check(item: Field[Any], value: Any) -> None:
    if value is None and item.default is None:
        return
    kind = item.metadata.get("kind", int)
    if type(value) is not kind:  # bool is no int here
        raise ParameterError(item.name, "wrong-type", f"must be a JSON {'integer' if kind is int else 'boolean'}")
    low, high = item.metadata.get("range", (None, None))
    if kind is int and not low <= value <= high:
        raise ParameterError(item.name, "out-of-range", f"must lie between {low} and {high}")
