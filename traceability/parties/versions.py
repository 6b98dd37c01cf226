"""Logging a version of master data: the content is committed under the key of who vouches for it."""

from collections.abc import Mapping
from typing import Any

from traceability.common import documents
from traceability.common.clock import now_ms
from traceability.common.masterdata import KIND

from . import selectors
from .models import Party


def log_version(*, subject: str, content: Mapping[str, Any], by: Party, effective_ms: int | None = None) -> None:
    """Submit a version of `subject`, signed with the hosted key of `by`; call it in the transaction of the row."""
    body = {
        "@type": "MasterDataVersion",
        "subject": subject,
        "effectiveTime": now_ms() if effective_ms is None else effective_ms,
        "content": dict(content),
    }
    documents.record([documents.Draft(KIND, body, by.uri, selectors.signer_for(by))])
