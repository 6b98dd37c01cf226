"""The evidence bundle of events that somebody may see, with all their claims."""

import json
from collections.abc import Sequence
from typing import Any

from ledger import api as ledger
from traceability.common.models import Document


def bundle(statement_hashes: Sequence[str]) -> dict[str, Any]:
    """The bundle (docs/formats.md); what is not held here is left out. The caller has seen to it who may see them."""
    held = Document.objects.in_bulk(statement_hashes)
    return ledger.evidence(
        [
            ledger.EvidenceRequest(
                name, json.loads(bytes(held[name].body)), bytes(held[name].secret), lambda _name: True
            )
            for name in statement_hashes
            if name in held
        ]
    )
