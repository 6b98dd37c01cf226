"""Pages of a list that is read by a key: the token carries size and key, signed; it is good for its own list only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from . import tokens, values
from .event_query import PER_PAGE, bad_parameter, page_size
from .values import QueryFault

Row = TypeVar("Row")


def page(
    given: Mapping[str, Sequence[str]],
    of: str,
    fetch: Callable[[Any, int, Mapping[str, str]], list[Row]],
    key: Callable[[Row], Any],
    *,
    holder: str,
    filters: Collection[str] = (),
) -> tuple[list[Row], str | None]:
    """The rows of a page and the token of the next one; ProblemError 400 names the parameter at fault.

    `of` names the list, `holder` whose it is. `fetch(after, limit, chosen)` reads rows behind a key (None = from the
    start); `chosen` are the given parameters of `filters`, which the token carries along.
    """
    for name in given.keys() - {"perPage", tokens.PARAMETER, *filters}:
        raise bad_parameter(name, "is not a parameter of this list")
    after = None
    try:
        size = page_size(given["perPage"]) if "perPage" in given else PER_PAGE
        chosen = {name: values.single(name, given[name]) for name in filters if name in given}
        if token := given.get(tokens.PARAMETER):
            size, chosen, after = tokens.read(of, holder, values.single(tokens.PARAMETER, token))
    except QueryFault as fault:
        raise bad_parameter(fault.parameter, fault.detail) from fault
    rows = fetch(after, size + 1, chosen)
    if len(rows) <= size:
        return rows, None
    return rows[:size], tokens.issue(of, holder, [size, chosen, key(rows[size - 1])])
