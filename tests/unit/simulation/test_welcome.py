"""The QR code that the demo draws in the terminal can be read by a phone."""

import zxingcpp

from traceability.simulation.management.commands.welcome import terminal_qr

SCALE = 8
# Light parts of a character cell, upper and lower half (the code is drawn inverted: blocks are light).
HALVES = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0), "\xa0": (0, 0)}


def test_the_terminal_code_reads_back() -> None:
    lines = terminal_qr("http://192.0.2.7:8000/").strip("\n").split("\n")
    pixels = b"".join(
        bytes(HALVES[character][half] for character in line for _ in range(SCALE)) * SCALE
        for line in lines
        for half in (0, 1)
    )
    image = memoryview(pixels).cast("B", (2 * len(lines) * SCALE, len(lines[0]) * SCALE))
    (found,) = zxingcpp.read_barcodes(image)
    assert found.text == "http://192.0.2.7:8000/"
