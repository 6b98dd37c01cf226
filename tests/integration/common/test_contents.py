"""`manage.py fsck` over the content beside the log: whatever is changed there is named, and the exit says so."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ledger import api as ledger
from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from traceability.common.models import Document


@pytest.fixture
def event(house: House, writer: Any) -> Document:
    house.capture("pharmacy", observed(writer, "1"), observed(writer, "2"))
    house.settle()
    found = Document.objects.filter(kind="event").first()
    assert found is not None
    return found


def fsck() -> str:
    out = io.StringIO()
    call_command("fsck", stdout=out, stderr=io.StringIO())
    return out.getvalue()


def changed(document: Document, **values: Any) -> None:
    Document.objects.filter(pk=document.pk).update(**values)


def test_what_was_not_changed_is_sound(event: Document) -> None:
    """The negative control."""
    assert "everything is as it was signed" in fsck()


@pytest.mark.parametrize("change", ["body", "no json", "no object", "secret", "party", "kind"])
def test_a_changed_content_is_named(event: Document, change: str, capsys: Any) -> None:
    body = json.loads(bytes(event.body))
    changed(
        event,
        **{
            "body": {"body": json.dumps({**body, "disposition": "dispensed"}).encode()},
            "no json": {"body": b"\xff"},
            "no object": {"body": b"[]"},
            "secret": {"secret": bytes(32)},
            "party": {"party": "urn:dosetrail:party:maker"},
            "kind": {"kind": "master-data"},
        }[change],
    )
    index = ledger.positions([event.statement_hash])[event.statement_hash].index
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 problems"):
        call_command("fsck", stdout=out, stderr=io.StringIO())
    assert f"content of entry {index}: it is not what {event.party} signed" in out.getvalue()


def test_erased_content_is_counted_and_no_fault(event: Document) -> None:
    event.delete()
    assert "1 of them have no content here" in fsck()
