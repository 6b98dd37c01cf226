"""Reading the steward's queue: whose a proposal is to decide, and what it would change."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from traceability.epcis.master_data import Element
from traceability.parties.models import Member, Party, PartyIdentifier, Site

from . import accepted, own
from .accepted import CHILDREN, Accepted
from .models import MasterDataProposal, TradeItem

State = MasterDataProposal.State
STEWARDS = frozenset({Member.Role.QUALITY, Member.Role.ADMIN})


class Kind(StrEnum):
    """What accepting a proposal would do."""

    NEW = "new"  # it only adds
    CHANGED = "changed"  # the same party, or the owner, says otherwise than before
    CONFLICTING = "conflicting"  # another party than the owner, or than the one before, says otherwise


@dataclass(frozen=True)
class Line:
    """One attribute: what is accepted, what is proposed (None = nothing), whether they differ."""

    name: str
    old: Any
    new: Any
    differs: bool


@dataclass(frozen=True)
class Row:
    """A proposal beside what is accepted; `owner` is whose thing it is, None = nobody's we know."""

    proposal: MasterDataProposal
    kind: Kind
    owner: Party | None
    standing: Accepted

    @property
    def lines(self) -> list[Line]:
        """What is stated, attribute by attribute; what differs first."""
        element = element_of(self.proposal)
        new = set(self.standing.new_in(element))
        stated = [(name, self.standing.attributes.get(name), value) for name, value in element.attributes.items()]
        if element.children:
            stated.append((CHILDREN, sorted(self.standing.children) or None, list(element.children)))
        lines = [Line(name, old, value, name in new) for name, old, value in stated]
        return sorted(lines, key=lambda line: (not line.differs, line.name))


def element_of(proposal: MasterDataProposal) -> Element:
    """What a proposal says."""
    return Element(proposal.uri, tuple(proposal.types), proposal.attributes, tuple(proposal.children))


def queue_of(party: Party) -> QuerySet[MasterDataProposal]:
    """The proposals, in whatever state, that this party's stewards decide: of its own things; the regulator's also of
    what is nobody's.
    """
    mine = own.owned_by(party)
    if party.has_role(Party.Role.REGULATOR):
        mine |= ~_somebodys()
    return MasterDataProposal.objects.filter(mine)


def open_count(member: Member) -> int:
    """How many proposals wait for this member; 0 for one who may not decide."""
    return queue_of(member.party).filter(state=State.OPEN).count() if is_steward(member) else 0


def is_steward(member: Member) -> bool:
    """Whether the member decides on master data at all: quality and administrators, and the regulator's inspectors."""
    inspector = member.role == Member.Role.INSPECTOR and member.party.has_role(Party.Role.REGULATOR)
    return member.role in STEWARDS or inspector


def may_decide(member: Member, proposal: MasterDataProposal) -> bool:
    """Whether this proposal is the member's to decide."""
    return is_steward(member) and queue_of(member.party).filter(pk=proposal.pk).exists()


def with_kinds(proposals: Sequence[MasterDataProposal]) -> list[Row]:
    """Each proposal with what it would do, judged by all that is open and accepted now; constant queries."""
    standing = accepted.of({row.uri for row in proposals})
    owners = own.owners_of({(row.scheme, row.value) for row in proposals})
    rivals: dict[str, list[MasterDataProposal]] = defaultdict(list)
    for row in MasterDataProposal.objects.filter(uri__in=standing, state=State.OPEN):
        rivals[row.uri].append(row)
    rows = []
    for proposal in proposals:
        owner = owners.get((proposal.scheme, proposal.value))
        others = [row for row in rivals[proposal.uri] if row.pk != proposal.pk]
        kind = _kind(proposal, owner, standing[proposal.uri], others)
        rows.append(Row(proposal, kind, owner, standing[proposal.uri]))
    return rows


def _kind(
    proposal: MasterDataProposal, owner: Party | None, standing: Accepted, others: Sequence[MasterDataProposal]
) -> Kind:
    element, reporter = element_of(proposal), proposal.reporter
    contradicted = standing.contradicted_by(element)
    by_owner = owner is not None and owner.uri == reporter
    own_others = [element_of(row) for row in others if row.reporter == reporter]
    foreign = [element_of(row) for row in others if row.reporter != reporter]
    if by_owner:
        return Kind.CHANGED if contradicted or accepted.contradict(element, own_others) else Kind.NEW
    if accepted.contradict(element, foreign):
        return Kind.CONFLICTING
    if contradicted:
        same = owner is None and all(standing.reporters.get(name) == reporter for name in contradicted)
        return Kind.CHANGED if same else Kind.CONFLICTING
    return Kind.CHANGED if accepted.contradict(element, own_others) else Kind.NEW


def _somebodys() -> Q:
    """The condition that a (scheme, value) has an owner who vouches for it; for a party it is the regulator."""
    value = OuterRef("value")
    return (
        Q(Exists(TradeItem.objects.filter(gtin=value)), scheme="gtin")
        | Q(Exists(TradeItem.objects.filter(nmpa_prefix=value)), scheme="nmpa")
        | Q(Exists(Site.objects.filter(gln=value)), scheme="gln")
        | Q(Exists(PartyIdentifier.objects.filter(scheme="gln", value=value)), scheme="gln")
        | Q(Exists(Site.objects.filter(id=value)), scheme="site")
    )
