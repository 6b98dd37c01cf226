"""When something that failed is tried again, and when no more."""

import random

MAX_ATTEMPTS = 30  # about 19 hours
_LONGEST_MS = 3_600_000


def pause_ms(attempts: int) -> int:
    """How long to wait after so many failures in a row: doubling from a second to an hour, a random part taken off.

    The random part keeps all that failed with one receiver from coming back at one moment.
    """
    longest = min(1000 * 2 ** min(attempts - 1, 20), _LONGEST_MS)
    return int(longest * random.uniform(0.5, 1))  # noqa: S311  # no secret
