"""Partners' header master data: proposals, and what a steward decides on them. Nothing is overwritten without one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from traceability.common import bulk
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.epcis.master_data import Element, parents_of, value_key, values_of
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Member, Party
from traceability.parties.versions import log_version

from . import accepted, own
from .accepted import CHILDREN, Accepted
from .models import MasterDataDecision, MasterDataProposal, VocabularyAttribute, VocabularyEdge, VocabularyElement
from .proposals import Kind, element_of, may_decide, queue_of, with_kinds

State = MasterDataProposal.State
MAX_REASON = 500
MAX_AT_ONCE = 50
MAX_LOOKED_AT = 200


class StewardError(ProblemError):
    """A decision that cannot be taken; nothing was changed."""


@dataclass(frozen=True)
class Noted:
    """What became of a document's elements: known already, or waiting for a steward (now or since before)."""

    known: int
    proposed: int


def note(elements: Sequence[Element], *, reporter: str, job: str) -> Noted:
    """Put what is not accepted by now on the queue, in the caller's transaction; the same again adds nothing.

    A proposal that was rejected stays so. One that was accepted opens again when what was taken of it is no longer
    what is accepted.
    """
    standing = accepted.of({element.uri for element in elements})
    # In one order, so that two documents with the same elements wait for each other and never crosswise.
    news = sorted((one for one in elements if standing[one.uri].new_in(one)), key=lambda one: one.digest)
    before = MasterDataProposal.objects.filter(reporter=reporter, state__in=[State.ACCEPTED, State.SETTLED])
    rows = bulk.among(before.prefetch_related("decisions"), "digest", {one.digest for one in news})
    decided = {row.digest: row for row in rows}
    again = [
        decided[one.digest].pk
        for one in news
        if one.digest in decided and _taken(decided[one.digest]) & set(standing[one.uri].new_in(one))
    ]
    MasterDataProposal.objects.filter(pk__in=again).update(state=State.OPEN)
    now = now_ms()
    MasterDataProposal.objects.bulk_create(
        [_proposal(one, reporter=reporter, job=job, at_ms=now) for one in news], batch_size=500, ignore_conflicts=True
    )
    return Noted(known=len(elements) - len(news), proposed=len(news))


def accept(
    *, member: Member, proposal_id: int, names: Collection[str] | None = None, reason: str = "", seen: str = ""
) -> MasterDataProposal:
    """Take over the attributes `names` (None = all) of a proposal; new versions are logged, effective now.

    `seen` is `Accepted.digest` of what the steward was shown: StewardError 409 when that is no longer what is accepted.
    """
    with transaction.atomic():
        proposal, standing = _to_decide(member, proposal_id, reason, (State.OPEN, State.REJECTED))
        if seen and seen != standing.digest:
            raise StewardError(409, "changed-meanwhile", "what is accepted has changed meanwhile; look at it again")
        element = element_of(proposal)
        new = standing.new_in(element)
        taken = sorted(set(new) if names is None else set(names) & set(new))
        if not taken and new:
            raise StewardError(400, "nothing-chosen", "choose what to accept, or reject the proposal")
        try:
            _apply(standing, element, taken, reporter=proposal.reporter, by=member.party)
        except (ValidationError, Gs1Error) as error:
            raise StewardError(400, "does-not-fit", _words(error)) from error
        except LookupError as error:
            detail = "your organisation has no signing key in force here to log the new version with"
            raise StewardError(409, "no-signing-key", detail) from error
        _decide(proposal, State.ACCEPTED, member, taken=taken, standing=standing, reason=reason)
        _settle_others(proposal, member)
    return proposal


def accept_new(*, member: Member, reporter: str) -> int:
    """Accept whole the proposals of one partner that contradict nothing, the oldest first; how many were accepted.

    At most MAX_AT_ONCE at a time: each is a signed version.
    """
    open_ones = queue_of(member.party).filter(reporter=reporter, state=State.OPEN).order_by("first_seen_ms", "id")
    ids, new = list(open_ones.values_list("pk", flat=True)), list[int]()
    for start in range(0, len(ids), MAX_LOOKED_AT):
        some = open_ones.filter(pk__in=ids[start : start + MAX_LOOKED_AT])
        new += [row.proposal.pk for row in with_kinds(list(some)) if row.kind == Kind.NEW]
        if len(new) >= MAX_AT_ONCE:
            break
    done = 0
    for pk in new[:MAX_AT_ONCE]:
        # Each for itself: what was settled by the one before, or does not fit our own row, waits for a look of its own.
        try:
            accept(member=member, proposal_id=pk)
        except StewardError as error:
            if error.status == 403:
                raise
        else:
            done += 1
    return done


def reject(*, member: Member, proposal_id: int, reason: str) -> MasterDataProposal:
    """Keep what is accepted; the same content by the same party does not come back to the queue."""
    if not reason.strip():
        raise StewardError(400, "reason-missing", "say why it is rejected")
    with transaction.atomic():
        proposal, standing = _to_decide(member, proposal_id, reason, (State.OPEN,))
        _decide(proposal, State.REJECTED, member, taken=[], standing=standing, reason=reason)
    return proposal


def _to_decide(
    member: Member, proposal_id: int, reason: str, states: Collection[str]
) -> tuple[MasterDataProposal, Accepted]:
    """The proposal, locked, and what is accepted of its thing; that is locked too for an acceptance."""
    if len(reason) > MAX_REASON:
        raise StewardError(400, "reason-too-long", f"a reason has at most {MAX_REASON} characters")
    proposal = MasterDataProposal.objects.filter(pk=proposal_id).first()
    if proposal is None:
        raise StewardError(404, "no-such-proposal", "there is no such proposal")
    if not may_decide(member, proposal):
        raise StewardError(403, "not-yours", "this is for the steward of the party whose thing it is")
    if State.REJECTED in states:
        # One acceptance at a time of one thing: the second judges by what the first one left.
        VocabularyElement.objects.get_or_create(uri=proposal.uri)
        VocabularyElement.objects.select_for_update().get(uri=proposal.uri)
    proposal = MasterDataProposal.objects.select_for_update().get(pk=proposal_id)
    if proposal.state not in states:
        raise StewardError(409, "decided", "this was decided meanwhile; look at it again")
    return proposal, accepted.of([proposal.uri])[proposal.uri]


def _apply(standing: Accepted, element: Element, taken: Sequence[str], *, reporter: str, by: Party) -> None:
    """Make the taken attributes the accepted ones: in our own row where it has them, else in the vocabulary."""
    attributes = {name: element.attributes[name] for name in taken if name != CHILDREN}
    mapped = own.FIELDS[type(standing.row)] if standing.row else {}
    into_row = {name: _text(name, value) for name, value in attributes.items() if name in mapped}
    if standing.row and into_row:
        own.change(standing.row, into_row)
    kept = {name: value for name, value in attributes.items() if name not in mapped}
    row = VocabularyElement.objects.get(uri=element.uri)
    row.types = sorted({*row.types, *element.types})
    row.save()
    VocabularyAttribute.objects.filter(element=row, name__in=list(kept)).delete()
    VocabularyAttribute.objects.bulk_create(
        VocabularyAttribute(element=row, name=name, value=one, value_key=key, reporter=reporter)
        for name, value in kept.items()
        for key, one in {value_key(one): one for one in values_of(value)}.items()
    )
    if CHILDREN in taken:
        edges = [VocabularyEdge(parent=element.uri, child=child) for child in element.children]
        VocabularyEdge.objects.bulk_create(edges, batch_size=500, ignore_conflicts=True)
    now = accepted.of([element.uri])[element.uri]
    _imply_parents(element.uri, now.attributes)
    if kept or CHILDREN in taken or standing.row is None:
        _log(now, types=row.types, by=by)


def _imply_parents(uri: str, attributes: Mapping[str, Any]) -> None:
    VocabularyEdge.objects.filter(child=uri, implied=True).delete()
    edges = [VocabularyEdge(parent=parent, child=uri, implied=True) for parent in parents_of(uri, attributes)]
    VocabularyEdge.objects.bulk_create(edges, ignore_conflicts=True)


def _log(now: Accepted, *, types: Sequence[str], by: Party) -> None:
    content = {
        "uri": now.uri,
        "types": list(types),
        "attributes": {name: value for name, value in sorted(now.attributes.items()) if now.reporters[name]},
        "children": sorted(now.children),
    }
    # A subject has a bounded length, a URI has a longer one.
    log_version(subject=f"vocabulary:{value_key(now.uri)}", content=content, by=by)


def _decide(
    proposal: MasterDataProposal,
    state: str,
    member: Member,
    *,
    taken: Sequence[str],
    standing: Accepted,
    reason: str,
) -> None:
    """Record the decision; `standing` is what was accepted before it."""
    before = {name: standing.attributes[name] for name in taken if name in standing.attributes}
    if CHILDREN in taken:
        before[CHILDREN] = sorted(standing.children)
    proposal.state = state
    proposal.save(update_fields=["state"])
    MasterDataDecision.objects.create(
        proposal=proposal,
        state=state,
        taken=list(taken),
        before=before,
        party=member.party.uri,
        actor=member.pseudonym,
        reason=reason.strip(),
        at_ms=now_ms(),
    )


def _settle_others(proposal: MasterDataProposal, member: Member) -> None:
    """Close the open proposals of the same thing that say nothing more than what is accepted now."""
    standing = accepted.of([proposal.uri])[proposal.uri]
    for other in MasterDataProposal.objects.select_for_update().filter(uri=proposal.uri, state=State.OPEN):
        element = element_of(other)
        if not standing.new_in(element):
            everything = sorted([*element.attributes, *([CHILDREN] if element.children else [])])
            _decide(other, State.SETTLED, member, taken=everything, standing=standing, reason="")


def _proposal(element: Element, *, reporter: str, job: str, at_ms: int) -> MasterDataProposal:
    scheme, value = own.key_of(element.uri)
    return MasterDataProposal(
        reporter=reporter,
        uri=element.uri,
        digest=element.digest,
        scheme=scheme,
        value=value,
        types=list(element.types),
        attributes=dict(element.attributes),
        children=list(element.children),
        job=job,
        first_seen_ms=at_ms,
    )


def _taken(proposal: MasterDataProposal) -> set[str]:
    """The names taken by the last decision on a proposal."""
    decisions = sorted(proposal.decisions.all(), key=lambda one: one.pk)
    return set(decisions[-1].taken) if decisions else set()


def _text(name: str, value: Any) -> str:
    """The text of an attribute that goes into a column of ours; ValidationError when it is something structured."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise ValidationError({name: "one text is needed here, not several values or a structure"})


def _words(error: ValidationError | Gs1Error) -> str:
    if isinstance(error, Gs1Error):
        return error.detail
    if hasattr(error, "error_dict"):
        return "; ".join(f"{name}: {' '.join(found)}" for name, found in error.message_dict.items())
    return " ".join(error.messages)
