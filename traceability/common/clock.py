"""The one clock: recordTime, checkpoints, statements and beat all ask it (architecture.md, idea 6).

A simulated world writes its time into `settings.CLOCK_FILE` (8 bytes, big-endian milliseconds since 1970; 0 or no
file = the machine's clock). Production settings have no such file.
"""

import os
import struct
import time
from pathlib import Path

from django.conf import settings

_FORMAT = struct.Struct(">q")


def now_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z, by the simulated clock where one runs."""
    return _simulated_ms() or time.time_ns() // 1_000_000


def set_simulated_ms(value: int) -> None:
    """Move the simulated clock to `value`; 0 gives the world back to the machine's clock."""
    if settings.CLOCK_FILE is None:
        raise RuntimeError("these settings have no simulated clock")
    path = Path(settings.CLOCK_FILE)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(_FORMAT.pack(value))
    os.replace(draft, path)  # readers see the old or the new eight bytes, never a part


def _simulated_ms() -> int:
    if settings.CLOCK_FILE is None:
        return 0
    try:
        with open(settings.CLOCK_FILE, "rb") as file:
            return int(_FORMAT.unpack(file.read(8))[0])
    except FileNotFoundError:
        return 0
