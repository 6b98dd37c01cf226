"""The canonical bytes of a stretch of readings: delta-of-delta times, delta values, zigzag varints (D3). PURE.

    count | first ms | first milli-°C | per further reading: delta of the time delta, delta of the value

Each number is a zigzag varint (LEB128, least significant group first). There is exactly one spelling of a series, so
tables and hashes compare by bytes; about two bytes a reading.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from .excursions import Reading

# Readings per chunk: a day at five-minute sampling.
CHUNK_READINGS = 288
_MAX_VARINT_BYTES = 10


class ChunkError(ValueError):
    """Bytes that are not the canonical form of a series."""


def split(readings: Sequence[Reading]) -> Iterator[Sequence[Reading]]:
    """The series in pieces of at most CHUNK_READINGS."""
    for start in range(0, len(readings), CHUNK_READINGS):
        yield readings[start : start + CHUNK_READINGS]


def encode(readings: Sequence[Reading]) -> bytes:
    """The bytes of a non-empty series in strictly increasing time order."""
    if not readings or any(after[0] <= before[0] for before, after in pairwise(readings)):
        raise ChunkError("a chunk holds at least one reading, in strictly increasing time order")
    out = bytearray()
    _put(out, len(readings))
    _put(out, readings[0][0])
    _put(out, readings[0][1])
    step, (time, value) = 0, readings[0]
    for ms, milli in readings[1:]:
        _put(out, ms - time - step)
        _put(out, milli - value)
        step, time, value = ms - time, ms, milli
    return bytes(out)


def decode(data: bytes) -> list[Reading]:
    """The series of a chunk. Raises ChunkError for anything that `encode` would not have written."""
    numbers = _numbers(data)
    try:
        count = next(numbers)
        time, value, step = next(numbers), next(numbers), 0
        readings = [(time, value)]
        for _ in range(count - 1):
            step += next(numbers)
            time += step
            value += next(numbers)
            readings.append((time, value))
    except StopIteration:
        raise ChunkError("the chunk ends early") from None
    if next(numbers, None) is not None:
        raise ChunkError("bytes follow the last reading")
    if encode(readings) != bytes(data):
        raise ChunkError("not the canonical form")
    return readings


def _put(out: bytearray, number: int) -> None:
    zigzag = (number << 1) ^ (number >> 63)
    while zigzag > 0x7F:
        out.append(0x80 | (zigzag & 0x7F))
        zigzag >>= 7
    out.append(zigzag)


def _numbers(data: bytes) -> Iterator[int]:
    zigzag = shift = 0
    for byte in data:
        if shift >= 7 * _MAX_VARINT_BYTES:
            raise ChunkError("a number is too long")
        zigzag |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield (zigzag >> 1) ^ -(zigzag & 1)
            zigzag = shift = 0
    if shift:
        raise ChunkError("the chunk ends early")
