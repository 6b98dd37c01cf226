"""Whose content a follower may copy: the house that it belongs to shows its token (settings.LOG_CONTENT_READER)."""

from collections.abc import Collection, Iterator, Sequence

from django.http import HttpRequest

from traceability.capture.models import PublishedEvent
from traceability.common.models import Document
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.visibility import receipts

from .authentication import token_reader

# Documents that lie in memory at once: each may have 16 MiB.
_AT_ONCE = 16

Readable = Iterator[tuple[str, bytes | None, bytes | None]]


def readable(request: HttpRequest, hashes: Sequence[str]) -> Readable | None:
    """Body and secret of each of these statements, as far as the caller may see and we hold them; None: no such caller.

    A regulator sees all, everybody else what they signed themselves.
    """
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    party = parties.party_for_token(plain.strip()) if scheme.lower() == "bearer" and plain.isascii() else None
    if party is None:
        return None
    receipts.read_by(party, token_reader(plain.strip()))
    return _read(party, hashes)


def _read(party: Party, hashes: Sequence[str]) -> Readable:
    visible = (
        Document.objects.all() if party.has_role(Party.Role.REGULATOR) else Document.objects.filter(party=party.uri)
    )
    for start in range(0, len(hashes), _AT_ONCE):
        part = hashes[start : start + _AT_ONCE]
        held = visible.in_bulk(part)
        _receipt(held)
        for name in part:
            document = held.get(name)
            is_here = document is not None and document.body and document.secret
            yield (name, bytes(document.body), bytes(document.secret)) if document and is_here else (name, None, None)


def _receipt(held: Collection[str]) -> None:
    """Who copies content has read the events in it."""
    receipts.shown(PublishedEvent.objects.filter(statement_hash__in=held).values_list("index", "reporter"))
