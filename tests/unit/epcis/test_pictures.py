"""Characters that XML 1.0 has not, made visible."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from traceability.epcis.xml import pictures

TEXTS = st.text(st.characters(codec=None, categories=None))


@given(TEXTS)
def test_whatever_it_is_xml_carries_it_then(text: str) -> None:
    shown = pictures.shown(text)
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "&#13;")
    assert (ElementTree.fromstring(f"<a>{escaped}</a>".encode()).text or "") == shown
    assert len(shown) == len(text)


def test_nothing_else_changes() -> None:
    value = {"a": ["x\t\n\r\u00a0\U0001f600", 1, None, True, {"b": "\x1d\x00"}]}
    assert pictures.shown(value) == {"a": ["x\t\n\r\u00a0\U0001f600", 1, None, True, {"b": "\u241d\u2400"}]}
