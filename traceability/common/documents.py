"""Committing a document: claims tree, hosted signature, off-log content and submission, in one transaction."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from ledger import api as ledger

from . import bulk
from .clock import now_ms
from .models import Document

HOUR_SECONDS = 3600


@dataclass(frozen=True)
class Draft:
    """A document about to be committed. `body` must be what strict JSON can hold (ledger.md, section 5b)."""

    kind: str
    body: Mapping[str, Any]
    party: str  # the signer's party URI
    key: ledger.SigningKey
    annotation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Signed:
    """Drafts that are committed and signed, ready to be stored."""

    documents: list[Document]
    statements: list[bytes]


def record(drafts: Sequence[Draft]) -> list[Document]:
    """Sign each draft with its hosted key and submit it; durable when the enclosing transaction commits."""
    signed = prepare(drafts)
    store(signed)
    return signed.documents


def prepare(drafts: Sequence[Draft]) -> Signed:
    """Commit and sign: the work to do before the write gate is taken.

    The statement's time (iat) is rounded down to the hour: it is public, and the exact time is the document's business.
    """
    now = now_ms()
    iat = now // 1000 // HOUR_SECONDS * HOUR_SECONDS
    signed = Signed([], [])
    for draft in drafts:
        secret = secrets.token_bytes(32)
        root = ledger.commit_claims(draft.body, secret=secret, party=draft.party).root
        statement = ledger.sign_statement(key=draft.key, iss=draft.party, kind=draft.kind, payload=root, iat=iat)
        signed.statements.append(statement)
        signed.documents.append(
            Document(
                statement_hash=ledger.statement_hash(statement),
                kind=draft.kind,
                party=draft.party,
                body=json.dumps(draft.body, ensure_ascii=False, separators=(",", ":")).encode(),
                secret=secret,
                submitted_ms=now,
                annotation=dict(draft.annotation),
            )
        )
    return signed


def sealed(items: Sequence[tuple[bytes, bytes, bytes]], *, kind: str, party: str) -> Signed:
    """Documents whose statements were made elsewhere, from (JSON bytes, secret, statement); the caller checked them."""
    now = now_ms()
    rows = [
        Document(
            statement_hash=ledger.statement_hash(statement),
            kind=kind,
            party=party,
            body=body,
            secret=secret,
            submitted_ms=now,
            annotation={},
        )
        for body, secret, statement in items
    ]
    return Signed(rows, [statement for _, _, statement in items])


def store(signed: Signed) -> None:
    """Keep the documents and queue their statements, in one transaction (the caller's, where there is one)."""
    with transaction.atomic(savepoint=False):
        keep(signed)
        ledger.submit(signed.statements)


def keep(signed: Signed) -> None:
    """Keep the documents alone, in the caller's transaction; the caller sees to it that their statements are queued."""
    rows = (
        (one.statement_hash, one.kind, one.party, one.body, one.secret, one.submitted_ms, json.dumps(one.annotation))
        for one in signed.documents
    )
    bulk.insert(Document, _COLUMNS, rows)


_COLUMNS = ("statement_hash", "kind", "party", "body", "secret", "submitted_ms", "annotation")
