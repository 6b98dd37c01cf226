"""The machine's clock: what a member's node goes by. A house that runs a log names its own (settings.LOG_CLOCK)."""

import time


def now_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1_000_000
