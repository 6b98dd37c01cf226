"""A contract's life on the log: proposed, approved by k of n with a regulator among them, active, superseded, revoked.

PURE. Three statements of kind `contract`, public, JSON:

    {"type": "proposed", "contract", "version", "template", "parameters", "items", "policy": {"approvals", "parties"}}
    {"type": "approved", "contract", "version", "definition"}      definition = hash of the proposal
    {"type": "revoked", "contract", "version", "definition"}

An approval given by a person also says who and why: "member" (a pseudonym) and "reason"; neither changes what it does.
Version n+1 can be proposed once n is known. Everybody approves the hash, so that all mean the same parameters. A
statement that does not fit is passed over: it stands on the log and changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from . import engine
from .parameters import ParameterError

MAX_NAME = 64
MAX_ITEMS = 1000


class State(StrEnum):
    PROPOSED = "proposed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Proposal:
    """What is proposed; `items` empty = every product."""

    contract: str
    version: int
    template: str
    parameters: Mapping[str, Any]
    items: tuple[str, ...]
    approvals: int
    parties: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """The statement's payload."""
        return {
            "type": "proposed",
            "contract": self.contract,
            "version": self.version,
            "template": self.template,
            "parameters": dict(self.parameters),
            "items": list(self.items),
            "policy": {"approvals": self.approvals, "parties": list(self.parties)},
        }

    @property
    def definition(self) -> str:
        """SHA-256 (hex) of the content as canonical JSON: texts, integers and booleans, so sorting keys is enough."""
        text = json.dumps(self.content(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Life:
    """One version and what became of it; indexes are log indexes."""

    proposal: Proposal
    proposed_index: int
    proposed_by: str
    approved_by: dict[str, int] = field(default_factory=dict)  # party URI -> index
    state: State = State.PROPOSED
    active_index: int | None = None
    ended_index: int | None = None


class LifecycleError(ValueError):
    """A contract statement that changes nothing; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def read_proposal(content: Mapping[str, Any]) -> Proposal:
    """The proposal in a payload; LifecycleError or ParameterError when it does not fit."""
    try:
        policy = content["policy"]
        proposal = Proposal(
            contract=content["contract"],
            version=content["version"],
            template=content["template"],
            parameters=content["parameters"],
            items=tuple(content["items"]),
            approvals=policy["approvals"],
            parties=tuple(policy["parties"]),
        )
    except (KeyError, TypeError) as error:
        raise LifecycleError("malformed", f"a proposal lacks {error}") from error
    _require(proposal)
    return proposal


def _require(proposal: Proposal) -> None:
    name = proposal.contract
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= MAX_NAME
        or not name.replace("-", "").replace(".", "").isalnum()
    ):
        raise LifecycleError("contract-name", f"a contract's name has 1 to {MAX_NAME} letters, digits, dots and dashes")
    if type(proposal.version) is not int or proposal.version < 1:
        raise LifecycleError("version", "a version is a whole number from 1")
    if type(proposal.approvals) is not int or not 1 <= proposal.approvals <= len(set(proposal.parties)):
        raise LifecycleError(
            "policy", "the policy asks for at least one approval and for no more than it names parties"
        )
    if len(proposal.items) > MAX_ITEMS or any(
        not isinstance(item, str) for item in (*proposal.items, *proposal.parties)
    ):
        raise LifecycleError("scope", f"items and parties are at most {MAX_ITEMS} texts")
    if not isinstance(proposal.parameters, Mapping):
        raise ParameterError("parameters", "wrong-type", "must be a JSON object")
    engine.check(proposal.template, proposal.parameters)


def propose(history: Sequence[Life], proposal: Proposal, *, index: int, by: str) -> Life:
    """The life that begins with a proposal; `history` = the versions of this contract so far."""
    newest = max((life.proposal.version for life in history), default=0)
    if proposal.version != newest + 1:
        raise LifecycleError("version", f"the next version of {proposal.contract} is {newest + 1}")
    return Life(proposal, proposed_index=index, proposed_by=by)


def approve(history: Sequence[Life], content: Mapping[str, Any], *, index: int, by: str, regulators: set[str]) -> Life:
    """Count an approval; with the last one needed the version becomes active and ends the one before it."""
    life = _named(history, content)
    if life.state is not State.PROPOSED:
        raise LifecycleError("state", f"version {life.proposal.version} is {life.state}")
    if by not in life.proposal.parties:
        raise LifecycleError("not-an-approver", f"{by} is not among those who may approve")
    life.approved_by.setdefault(by, index)
    if len(life.approved_by) >= life.proposal.approvals and regulators & set(life.approved_by):
        for other in history:
            if other.state is State.ACTIVE:
                other.state, other.ended_index = State.SUPERSEDED, index
        life.state, life.active_index = State.ACTIVE, index
    return life


def revoke(history: Sequence[Life], content: Mapping[str, Any], *, index: int, by: str, regulators: set[str]) -> Life:
    """A regulator ends a version."""
    life = _named(history, content)
    if by not in regulators:
        raise LifecycleError("not-a-regulator", "only a regulator revokes a contract")
    if life.state not in {State.PROPOSED, State.ACTIVE}:
        raise LifecycleError("state", f"version {life.proposal.version} is {life.state}")
    life.ended_index = index if life.state is State.ACTIVE else None
    life.state = State.REVOKED
    return life


def _named(history: Sequence[Life], content: Mapping[str, Any]) -> Life:
    for life in history:
        if life.proposal.version == content.get("version") and life.proposal.definition == content.get("definition"):
            return life
    raise LifecycleError("unknown-version", "no proposal has this version and definition")
