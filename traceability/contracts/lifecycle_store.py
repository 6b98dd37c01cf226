"""Contract entries of the log into rows of `Contract`: the shell around lifecycle.py."""

import json
from collections.abc import Sequence
from typing import Any

from traceability.common import masterdata
from traceability.common.projection import LogEntry, in_force

from . import lifecycle
from .engine import Version
from .lifecycle import Life, LifecycleError, Proposal, State
from .models import Contract
from .parameters import ParameterError

KIND = "contract"


def apply(entries: Sequence[LogEntry]) -> None:
    """Fold the contract statements among the entries; those that do not fit change nothing."""
    known: dict[str, list[Life]] = {}
    for entry in in_force([entry for entry in entries if entry.kind == KIND]):
        try:
            _fold(entry, json.loads(entry.payload), known)
        except (LifecycleError, ParameterError):
            continue
    _save([life for lives in known.values() for life in lives])


def versions() -> list[Version]:
    """All versions that are or were active, as the engine wants them."""
    rows = Contract.objects.filter(active_index__isnull=False).order_by("contract", "version")
    return [
        Version(
            contract=row.contract,
            number=row.version,
            template=row.template,
            parameters=row.parameters,
            items=frozenset(row.items),
            active_from=row.active_index or 0,
            active_to=row.ended_index,
        )
        for row in rows
    ]


def history(contract: str) -> list[Life]:
    """The versions of a contract so far."""
    return [_life(row) for row in Contract.objects.filter(contract=contract).order_by("version")]


def _fold(entry: LogEntry, content: Any, known: dict[str, list[Life]]) -> None:
    """Take up one statement in what is `known` of its contract, which is read when it is first named."""
    if not isinstance(content, dict) or not isinstance(content.get("contract"), str):
        raise LifecycleError("malformed", "a contract statement names its contract")
    name = content["contract"]
    if name not in known:
        known[name] = history(name)
    lives = known[name]
    if content.get("type") == "proposed":
        lives.append(lifecycle.propose(lives, lifecycle.read_proposal(content), index=entry.index, by=entry.iss))
    elif content.get("type") in {"approved", "revoked"}:
        step = lifecycle.approve if content["type"] == "approved" else lifecycle.revoke
        regulators = {
            party for life in lives for party in (*life.proposal.parties, entry.iss) if _rules(party, entry.index)
        }
        step(lives, content, index=entry.index, by=entry.iss, regulators=regulators)
    else:
        raise LifecycleError("type", "proposed, approved or revoked")


def _rules(party_uri: str, index: int) -> bool:
    version = masterdata.at(f"party:{party_uri.rpartition(':')[2]}", index)
    return version is not None and "regulator" in version["roles"]


def _life(row: Contract) -> Life:
    proposal = Proposal(
        row.contract, row.version, row.template, row.parameters, tuple(row.items), row.approvals, tuple(row.parties)
    )
    return Life(
        proposal,
        row.proposed_index,
        row.proposed_by,
        dict(row.approved_by),
        State(row.state),
        row.active_index,
        row.ended_index,
    )


def _save(lives: Sequence[Life]) -> None:
    columns = [field.name for field in Contract._meta.concrete_fields if not field.primary_key]
    rows = [_row(life) for life in lives]
    Contract.objects.bulk_create(rows, update_conflicts=True, unique_fields=["key"], update_fields=columns)


def _row(life: Life) -> Contract:
    proposal = life.proposal
    return Contract(
        key=f"{proposal.contract}/{proposal.version}",
        contract=proposal.contract,
        version=proposal.version,
        template=proposal.template,
        parameters=dict(proposal.parameters),
        items=list(proposal.items),
        approvals=proposal.approvals,
        parties=list(proposal.parties),
        definition=proposal.definition,
        state=life.state.value,
        approved_by=life.approved_by,
        proposed_by=life.proposed_by,
        proposed_index=life.proposed_index,
        active_index=life.active_index,
        ended_index=life.ended_index,
    )
