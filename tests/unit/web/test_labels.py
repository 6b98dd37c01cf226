"""Labels: what is printed decodes to what was asked for, GS and FNC1 in their places, or is not printed at all."""

import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.gs1.test_keys import gtins, texts_82
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.web.portal import labels

GTIN = "09521141012345"
PACK = scan.parse(f"]d201{GTIN}21SN(1)_7\x1d1728120010LOT/4")
BASE = "https://packs.example"
SSCC = "006141411234567890"
MM = re.compile(r"([0-9.]+)mm")


def rendered(svg, *, dpi=300):
    """The SVG as a printer of `dpi` would draw it: a grey image of whole dots, drawn without our encoder."""
    root = ElementTree.fromstring(svg)
    columns, lines = (int(number) for number in root.get("viewBox").split()[2:])
    width = round(float(MM.fullmatch(root.get("width"))[1]) / 25.4 * dpi)
    height = round(float(MM.fullmatch(root.get("height"))[1]) / 25.4 * dpi)
    pixels = [bytearray(b"\xff" * width) for _ in range(height)]
    path = root.find("{http://www.w3.org/2000/svg}path").get("d")
    for x, y, across, down in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+z", path):
        left, right = round(int(x) * width / columns), round((int(x) + int(across)) * width / columns)
        top, bottom = round(int(y) * height / lines), round((int(y) + int(down)) * height / lines)
        for line in range(top, bottom):
            pixels[line][left:right] = b"\x00" * (right - left)
    return memoryview(b"".join(pixels)).cast("B", (height, width))


def decoded(svg, **options):
    """The one barcode in the rendered SVG."""
    (found,) = zxingcpp.read_barcodes(rendered(svg, **options))
    return found


def test_the_datamatrix_decodes_with_its_separators():
    found = decoded(labels.pack_label(PACK, base_url=BASE).svg_datamatrix)
    assert found.bytes == f"01{GTIN}21SN(1)_7\x1d1728123110LOT/4".encode()
    assert (found.symbology_identifier, found.format) == ("]d2", zxingcpp.BarcodeFormat.DataMatrix)
    read = scan.parse("]d2" + found.bytes.decode(), today=date(2026, 6, 1))
    assert (read.gtin, read.serial, read.lot, read.expiry) == (GTIN, "SN(1)_7", "LOT/4", date(2028, 12, 31))
    assert read.flags == ()


def test_the_qr_code_carries_lot_and_expiry():
    label = labels.pack_label(PACK, base_url=BASE + "/")
    assert label.link == f"https://packs.example/01/{GTIN}/10/LOT%2F4/21/SN%281%29_7?17=281231"
    found = decoded(label.svg_qr)
    assert found.text == label.link
    read = scan.parse(found.text, today=date(2026, 6, 1))
    assert (read.epc, read.lot, read.expiry) == (PACK.epc, "LOT/4", date(2028, 12, 31))


def test_the_logistic_label_decodes_as_gs1_128():
    label = labels.sscc_label(SSCC)
    found = decoded(label.svg_linear)
    assert (found.bytes, found.symbology_identifier) == (b"00" + SSCC.encode(), "]C1")
    assert scan.parse("]C1" + found.bytes.decode()).sscc == SSCC
    assert label.human_text == f"(00){SSCC}"


@pytest.mark.parametrize("dpi", [203, 600])
def test_other_printers_can_be_read_too(dpi):
    label = labels.pack_label(PACK, base_url=BASE)
    assert decoded(label.svg_datamatrix, dpi=dpi).bytes
    assert decoded(label.svg_qr, dpi=dpi).text == label.link
    assert decoded(labels.sscc_label(SSCC).svg_linear, dpi=dpi).bytes


def test_modules_are_whole_dots():
    label = labels.pack_label(PACK, base_url=BASE)
    for svg, dots in ((label.svg_datamatrix, labels.DATAMATRIX_DOTS), (label.svg_qr, labels.QR_DOTS)):
        columns = int(ElementTree.fromstring(svg).get("viewBox").split()[2])
        assert rendered(svg).shape[1] == columns * dots


def test_the_decoder_would_notice_a_damaged_label():
    svg = labels.pack_label(PACK, base_url=BASE).svg_datamatrix
    lines = svg.count("M")
    damaged = re.sub(r"M\d+ \d+h\d+v\d+h-\d+z", "", svg, count=lines // 3)
    assert not zxingcpp.read_barcodes(rendered(damaged))


@settings(max_examples=25, deadline=None)
@given(gtins, texts_82, texts_82, st.dates(date(2020, 1, 1), date(2049, 12, 31)))
def test_any_pack_that_can_be_named_can_be_printed(gtin, serial, lot, expiry):
    code = scan.ScannedCode("pack", "", gtin=gtin, serial=serial, lot=lot, expiry=expiry)
    label = labels.pack_label(code, base_url=BASE)
    read = scan.parse("]d2" + decoded(label.svg_datamatrix).bytes.decode(), today=date(2026, 6, 1))
    assert (read.gtin, read.serial, read.lot, read.expiry) == (gtin, serial, lot, expiry)
    assert decoded(label.svg_qr).text == label.link


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"gtin": "09521141012346"}, "check-digit"),
        ({"serial": None}, "no-serial"),
        ({"kind": "lot"}, "no-serial"),
        ({"lot": None}, "label-incomplete"),
        ({"expiry": None}, "label-incomplete"),
        ({"serial": "A B"}, "format"),
        ({"serial": "A" * 21}, "format"),
        ({"lot": "批号"}, "format"),
        ({"expiry": date(1931, 1, 1)}, "date"),
        ({"expiry": date(2131, 1, 1)}, "date"),
    ],
)
def test_what_cannot_be_read_back_is_not_printed(changes, code):
    with pytest.raises(Gs1Error) as refusal:
        labels.pack_label(replace(PACK, **changes), base_url=BASE)
    assert refusal.value.code == code


@pytest.mark.parametrize("sscc", ["006141411234567891", "00614141123456789", "x" * 18])
def test_a_wrong_sscc_is_not_printed(sscc):
    with pytest.raises(Gs1Error):
        labels.sscc_label(sscc)


def test_the_sheet_lists_every_label_and_escapes_its_texts():
    serial = '<b>"&'
    pack = replace(PACK, serial=serial)
    html = labels.sheet([labels.pack_label(pack, base_url=BASE, name="<i>Insulin</i>"), labels.sscc_label(SSCC)])
    root = ElementTree.fromstring(html.replace("<br>", "<br/>"))
    assert len(root.findall("li")) == 2
    assert len(root.findall(".//{http://www.w3.org/2000/svg}svg")) == 3
    text = "".join(root.itertext())
    assert f"(21) {serial}" in text
    assert "<i>Insulin</i>" in text
    assert root.find(".//i") is None


def test_zpl_for_a_pack():
    text = labels.zpl([labels.pack_label(PACK, base_url=BASE, name="A^B~C_胰岛素")])
    assert text.startswith("^XA\n^CI28\n")
    assert text.endswith("^XZ\n")
    assert f"^BXN,5,200,,,,_^FD_101{GTIN}21SN(1)_d0957_11728123110LOT/4^FS" in text
    assert f"^BQN,2,6^FDMA,https://packs.example/01/{GTIN}/10/LOT%2F4/21/SN%281%29_7?17=281231^FS" in text
    assert "^FDA_5EB_7EC_5F胰岛素^FS" in text
    assert "(21) SN(1)_5F7" in text


def test_zpl_for_a_logistic_unit_and_for_several():
    text = labels.zpl([labels.sscc_label(SSCC), labels.sscc_label(SSCC)])
    assert text.count("^XA") == text.count("^XZ") == 2
    assert f"^BCN,378,N,N,N^FD>;>800{SSCC}^FS" in text


def test_commands_cannot_be_smuggled_into_zpl():
    label = labels.pack_label(PACK, base_url=BASE, name="x^XZ^XA^FDevil\n~JR")
    commands = re.findall(r"[\^~][A-Z]{2}", labels.zpl([label]))
    assert commands.count("^XA") == 1
    assert "~JR" not in commands
