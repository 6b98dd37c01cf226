"""Deploying rule contracts: each step is a public statement on the log, signed with the party's hosted key."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.parties import selectors as parties
from traceability.parties import services as party_services
from traceability.parties.models import Member, Party

from . import engine, lifecycle, lifecycle_store
from .lifecycle import Life, LifecycleError, Proposal
from .lifecycle_store import KIND
from .models import Contract


def propose(
    *,
    contract: str,
    template: str,
    party: Party | None = None,
    parameters: Mapping[str, Any] | None = None,
    items: Sequence[str] = (),
    approvals: int = 1,
    approvers: Sequence[Party] = (),
) -> Proposal:
    """Propose the next version of a contract; it counts when published. LifecycleError, ParameterError.

    `parameters` are completed with the template's defaults, so that the log shows every number. `items` = item ids in
    scope (none = all). Without `party` the regulator proposes, without `approvers` the regulator alone approves.
    """
    party = party or _regulator()
    typed = engine.check(template, parameters or {})
    named = [one.uri for one in approvers] or [_regulator().uri]
    history = lifecycle_store.history(contract)
    proposal = Proposal(
        contract=contract,
        version=max((life.proposal.version for life in history), default=0) + 1,
        template=template,
        parameters=typed.write(),
        items=tuple(items),
        approvals=approvals,
        parties=tuple(named),
    )
    lifecycle.propose(history, lifecycle.read_proposal(proposal.content()), index=0, by=party.uri)
    _submit(party, proposal.content())
    return proposal


def approve(*, party: Party, contract: str, version: int, remarks: Mapping[str, str] | None = None) -> str:
    """Approve a published proposal; the statement's hash. LifecycleError when it would change nothing.

    `remarks` stand in the statement beside what it says, in public.
    """
    life = _life(contract, version)
    content = _about("approved", life.proposal) | dict(remarks or {})
    lifecycle.approve(lifecycle_store.history(contract), content, index=0, by=party.uri, regulators=set())
    return _submit(party, content)


def approve_as_member(*, member: Member, password: str, reason: str, contract: str, version: int) -> str:
    """`approve` by a person, who gives the password again and says why; ConfirmationError otherwise.

    Reason and the person's pseudonym go on the log with the approval.
    """
    remarks = {"member": member.pseudonym, "reason": party_services.confirm(member, password, reason)}
    return approve(party=member.party, contract=contract, version=version, remarks=remarks)


def revoke(*, party: Party, contract: str, version: int) -> str:
    """End a version; regulators only. LifecycleError otherwise."""
    life = _life(contract, version)
    content = _about("revoked", life.proposal)
    regulators = {party.uri} if party.has_role(Party.Role.REGULATOR) else set()
    lifecycle.revoke(lifecycle_store.history(contract), content, index=0, by=party.uri, regulators=regulators)
    return _submit(party, content)


def deploy(
    *, contract: str, template: str, parameters: Mapping[str, Any] | None = None, items: Sequence[str] = ()
) -> Proposal:
    """Propose and approve in one go, by the regulator: for a programme where the agency sets the rules alone."""
    regulator = _regulator()
    with transaction.atomic():
        proposal = propose(party=regulator, contract=contract, template=template, parameters=parameters, items=items)
        _submit(regulator, _about("approved", proposal))
    return proposal


def deploy_defaults() -> list[Proposal]:
    """One contract per template for all products, where there is none of that name; limits come from profiles."""
    known = set(Contract.objects.values_list("contract", flat=True))
    return [deploy(contract=name, template=name) for name in engine.TEMPLATES if name not in known]


def _about(step: str, proposal: Proposal) -> dict[str, Any]:
    return {
        "type": step,
        "contract": proposal.contract,
        "version": proposal.version,
        "definition": proposal.definition,
    }


def _life(contract: str, version: int) -> Life:
    for life in lifecycle_store.history(contract):
        if life.proposal.version == version:
            return life
    raise LifecycleError("unknown-version", f"{contract} has no published version {version}")


def _regulator() -> Party:
    regulator = parties.regulator()
    if regulator is None:
        raise LifecycleError("no-regulator", "a contract is approved by a regulator; register one first")
    return regulator


def _submit(party: Party, content: Mapping[str, Any]) -> str:
    statement = ledger.sign_statement(
        key=parties.signer_for(party), iss=party.uri, kind=KIND, payload=dict(content), iat=now_ms() // 1000
    )
    with transaction.atomic():
        return ledger.submit([statement])[0]
