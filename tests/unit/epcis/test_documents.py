"""Numbers of documents as URIs, and as people typed them."""

import pytest

from traceability.epcis.documents import document_number, document_uri


@pytest.mark.parametrize(
    ("written", "uri"),
    [
        ("DA1", "urn:dosetrail:document:DA1"),
        ("2026/17 b", "urn:dosetrail:document:2026/17%20b"),
        ("发货-7", "urn:dosetrail:document:%E5%8F%91%E8%B4%A7-7"),
        ("5%", "urn:dosetrail:document:5%25"),
        ("A%41", "urn:dosetrail:document:A%41"),
        ("urn:epcglobal:cbv:bt:9521000000018:DA1", "urn:epcglobal:cbv:bt:9521000000018:DA1"),
        ("https://erp.example/da/1", "https://erp.example/da/1"),
    ],
)
def test_a_document_number_becomes_one_uri_and_is_shown_as_it_was_typed(written: str, uri: str) -> None:
    assert document_uri(written) == document_uri(uri) == uri
    assert document_number(uri) == written
