"""Labels to print: GS1 DataMatrix and Digital Link QR of a pack, GS1-128 of a logistic unit; as SVG and as ZPL.

Sizes are whole dots at 300 dpi, so that a label printer draws every module equally wide. No views here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import qrcode
import zxingcpp
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from qrcode.constants import ERROR_CORRECT_M

from traceability.common import clock
from traceability.gs1 import element_string, label
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode

DOTS_PER_INCH = 300
MILLIMETRES_PER_INCH = 25.4
# Module widths in dots: DataMatrix 0.42 mm, QR 0.51 mm, GS1-128 0.51 mm (General Specifications, section 5.12).
DATAMATRIX_DOTS, QR_DOTS, LINEAR_DOTS = 5, 6, 6
DATAMATRIX_QUIET, QR_QUIET, LINEAR_QUIET = 2, 4, 10
LINEAR_HEIGHT_MODULES = 63  # 32 mm: GS1 logistic label
Rows = Sequence[Sequence[bool]]


@dataclass(frozen=True)
class Label:
    """One label: its symbols as SVG ('' where it has none) and what people read beside them."""

    elements: label.Elements
    human_text: str
    svg_datamatrix: str = ""
    svg_qr: str = ""
    svg_linear: str = ""
    link: str = ""
    name: str = ""


def pack_label(code: ScannedCode, *, base_url: str, name: str = "") -> Label:
    """The label of a serialised pack; Gs1Error when GTIN, lot, serial or expiry is missing or malformed.

    `base_url` is where consumers look packs up, `name` the product's name to print beside the codes.
    """
    elements = label.pack_elements(code, today=_today())
    link = label.pack_link(code, base_url=base_url)
    human_text = element_string.bracketed(elements)
    return Label(
        elements=elements,
        human_text=human_text,
        svg_datamatrix=_svg(_datamatrix(elements), DATAMATRIX_DOTS, DATAMATRIX_QUIET, title=human_text),
        svg_qr=_svg(_qr(link), QR_DOTS, QR_QUIET, title=link),
        link=link,
        name=name,
    )


def sscc_label(sscc: str, *, name: str = "") -> Label:
    """The GS1-128 label of a logistic unit; Gs1Error when the SSCC is malformed."""
    elements = label.sscc_elements(sscc)
    human_text = element_string.bracketed(elements)
    rows = _linear(elements)
    return Label(
        elements=elements,
        human_text=human_text,
        svg_linear=_svg(rows, LINEAR_DOTS, LINEAR_QUIET, title=human_text, tall=LINEAR_HEIGHT_MODULES),
        name=name,
    )


def sheet(labels: Iterable[Label]) -> SafeString:
    """All labels as an HTML list to print; its looks come from the page's style sheet."""
    items = format_html_join(
        "\n",
        '<li class="label">{}<p class="label-text">{}{}</p></li>',
        ((_symbols(one), _name(one), _lines(one.elements)) for one in labels),
    )
    return format_html('<ul class="label-sheet">\n{}\n</ul>', items)


def zpl(labels: Iterable[Label]) -> str:
    """The labels for a ZPL printer at 300 dpi: the printer draws the symbols, FNC1 included."""
    return "".join(_zpl_linear(one) if one.svg_linear else _zpl_pack(one) for one in labels)


def _today() -> date:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date()


def _datamatrix(elements: label.Elements) -> Rows:
    return _gs1_rows(elements, zxingcpp.BarcodeFormat.DataMatrix)


def _linear(elements: label.Elements) -> Rows:
    return _gs1_rows(elements, zxingcpp.BarcodeFormat.Code128)[:1]


def _gs1_rows(elements: label.Elements, symbology: zxingcpp.BarcodeFormat) -> Rows:
    """The dark modules of a GS1 symbol, without quiet zones.

    Square brackets mark the AIs for the encoder: unlike round ones they cannot occur in a value.
    """
    text = "".join(f"[{ai}]{value}" for ai, value in elements)
    try:
        barcode = zxingcpp.create_barcode(text, symbology, gs1=True)
    except ValueError as error:
        raise Gs1Error("not-printable", f"{text} cannot be printed: {error}") from error
    # A grey image, one byte a module; the stubs do not tell that it is a buffer.
    image: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    shades: list[list[int]] = memoryview(image).tolist()  # type: ignore[assignment]
    return [[shade == 0 for shade in row] for row in shades]


def _qr(link: str) -> Rows:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(link)
    code.make(fit=True)
    rows: Rows = code.get_matrix()
    return rows


def _svg(rows: Rows, dots: int, quiet: int, *, title: str, tall: int = 1) -> str:
    """Dark modules as one path; `quiet` modules of white around them, rows `tall` modules high."""
    width, height = len(rows[0]) + 2 * quiet, len(rows) * tall + 2 * quiet
    size = dots / DOTS_PER_INCH * MILLIMETRES_PER_INCH
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{}mm" height="{}mm" viewBox="0 0 {} {}"'
        ' shape-rendering="crispEdges"><title>{}</title><rect width="{}" height="{}" fill="#fff"/>'
        '<path fill="#000" d="{}"/></svg>',
        f"{width * size:.3f}",
        f"{height * size:.3f}",
        width,
        height,
        title,
        width,
        height,
        "".join(_runs(rows, quiet, tall)),
    )


def _runs(rows: Rows, quiet: int, tall: int) -> Iterable[str]:
    """One rectangle for each run of dark modules."""
    for line, row in enumerate(rows):
        start = None
        for place, dark in enumerate([*row, False]):
            if dark and start is None:
                start = place
            elif not dark and start is not None:
                length = place - start
                yield f"M{start + quiet} {line * tall + quiet}h{length}v{tall}h-{length}z"
                start = None


def _symbols(one: Label) -> SafeString:
    return mark_safe("".join((one.svg_datamatrix, one.svg_qr, one.svg_linear)))  # noqa: S308  (made by _svg)


def _name(one: Label) -> SafeString:
    return format_html("<strong>{}</strong><br>", one.name) if one.name else mark_safe("")


def _lines(elements: label.Elements) -> SafeString:
    return format_html_join(mark_safe("<br>"), "({}) {}", elements)


def _zpl_pack(one: Label) -> str:
    """`^BX` reads `_1` as FNC1 and `_d095` as the underscore itself; `^BQ` draws the link."""
    data = "_1" + element_string.encode(one.elements).replace("_", "_d095").replace(element_string.GS, "_1")
    return _zpl_format(
        f"^FO30,30^BXN,{DATAMATRIX_DOTS},200,,,,_^FD{data}^FS",
        f"^FO230,30^BQN,2,{QR_DOTS}^FDMA,{one.link}^FS",
        *_zpl_text(one, left=30, top=330),
    )


def _zpl_linear(one: Label) -> str:
    """`>;` starts in subset C, `>8` is FNC1."""
    (ai, sscc), *_ = one.elements
    height = LINEAR_HEIGHT_MODULES * LINEAR_DOTS
    return _zpl_format(
        f"^FO60,30^BY{LINEAR_DOTS}^BCN,{height},N,N,N^FD>;>8{ai}{sscc}^FS",
        *_zpl_text(one, left=60, top=height + 60),
    )


def _zpl_text(one: Label, *, left: int, top: int) -> Iterable[str]:
    texts = [*([one.name] if one.name else []), *(f"({ai}) {value}" for ai, value in one.elements)]
    for line, text in enumerate(texts):
        yield f"^FO{left},{top + 36 * line}^A0N,30,30^FH_^FD{_zpl_escaped(text)}^FS"


def _zpl_escaped(text: str) -> str:
    """Commands begin with `^` or `~`, and `^FH_` gives `_` a meaning: these travel in hexadecimal."""
    return "".join(f"_{ord(char):02X}" if char in "^~_" else char if char.isprintable() else " " for char in text)


def _zpl_format(*fields: str) -> str:
    return "\n".join(("^XA", "^CI28", *fields, "^XZ", ""))
