"""While a recorded event does not count: stretches of the log, by index. PURE."""

# From one entry on (included) until another (excluded); None = still.
Span = tuple[int, int | None]
Spans = tuple[Span, ...]


def stands(spans: Spans, as_of: int | None = None) -> bool:
    """Whether an event that is void over these spans counts: now, or as the log held it after an entry."""
    if not spans:
        return True
    if as_of is None:
        return all(until is not None for _, until in spans)
    return not any(start <= as_of and (until is None or as_of < until) for start, until in spans)
