"""The one clock, real and simulated."""

import time
from typing import Any

from traceability.common import clock


def test_the_machine_s_clock_where_none_is_simulated(settings: Any) -> None:
    settings.CLOCK_FILE = None
    before = time.time_ns() // 1_000_000
    assert before <= clock.now_ms() <= time.time_ns() // 1_000_000


def test_a_simulated_time_is_seen_and_given_back(settings: Any, tmp_path: object) -> None:
    settings.CLOCK_FILE = f"{tmp_path}/clock"
    clock.set_simulated_ms(1_700_000_000_123)
    assert clock.now_ms() == 1_700_000_000_123
    clock.set_simulated_ms(0)
    assert clock.now_ms() > 1_700_000_000_123
