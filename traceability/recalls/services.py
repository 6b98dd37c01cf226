"""From draft to publication: a recall counts once two people of its owner have signed the same content."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from traceability.common import documents, once
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.parties import selectors as parties
from traceability.parties import services as party_services
from traceability.parties.models import Member

from . import content as contents
from . import publication, standing
from .content import Content, ContentError
from .models import Recall, RecallContact, RecallLot, RecallSignature

STEP_KIND = "recall-step"
SIGNATURES = 2
_MEANING = "I have read this recall and approve it"


def draft(*, member: Member, given: Mapping[str, Any], nonce: str = "") -> Recall:
    """A new draft (content.read) of a regulator, or of the maker of every lot in it. ProblemError.

    `nonce` makes the same form, sent again, one draft: with two, two people may sign one each.
    """
    standing.require_signer(member)
    recall_id = once.form_id(nonce, member.party_id, member.pseudonym, dict(given), digits=24)
    recall = Recall(id=recall_id, owner=member.party, created_ms=now_ms(), created_by=member.pseudonym)
    _fill(recall, _read(given, recall, revision=1))
    try:
        with transaction.atomic():
            recall.save(force_insert=True)
            _keep_lots(recall)
    except IntegrityError:
        return Recall.objects.get(id=recall_id, owner=member.party)
    return recall


def change(*, member: Member, recall_id: str, definition: str, given: Mapping[str, Any]) -> Recall:
    """Change a draft; signatures under the old content count no more. ProblemError.

    `definition` is that of the content that was shown.
    """
    standing.require_signer(member)
    with transaction.atomic():
        recall = _draft_of(member, recall_id, definition)
        _fill(recall, _read(given, recall, revision=recall.content["revision"] + 1))
        recall.save()
        recall.lots.all().delete()
        _keep_lots(recall)
    return recall


def discard(*, member: Member, recall_id: str, definition: str) -> None:
    """Throw a draft away; what was signed of it stays on the log as a commitment. ProblemError."""
    standing.require_signer(member)
    with transaction.atomic():
        _draft_of(member, recall_id, definition).delete()


def sign(*, member: Member, recall_id: str, definition: str, password: str) -> Recall:
    """Sign the content with this hash; with the second person's signature it is published.

    ConfirmationError: the password is wrong. ProblemError: the content is another by now, the member has signed it
    already or is not one who may.
    """
    standing.require_signer(member)
    party_services.confirm(member, password, _MEANING)
    at_ms = now_ms()
    body = {
        "@type": "RecallSignature",
        "recall": recall_id,
        "definition": definition,
        "meaning": _MEANING,
        "party": member.party.uri,
        "actor": member.pseudonym,
        "time": at_ms,
    }
    signer = parties.signer_for(member.party)
    signed = documents.prepare([documents.Draft(STEP_KIND, body, member.party.uri, signer)])
    try:
        with transaction.atomic():
            recall = _draft_of(member, recall_id, definition)
            RecallSignature.objects.create(
                statement_hash=signed.documents[0].statement_hash,
                recall=recall,
                definition=definition,
                member=member,
                at_ms=at_ms,
            )
            documents.store(signed)
            # Crash before this commits: no signature, nothing submitted. The second signature, the notice on the log
            # and the event that custody folds are one transaction: none of them is ever there without the others.
            names = list(recall.signatures.filter(definition=definition).order_by("at_ms", "member_id"))
            if len(names) >= SIGNATURES:
                publication.publish(recall, names)
    except IntegrityError as error:
        raise ProblemError(409, "recall-signed", "you have signed this already; another person must") from error
    return recall


def close(*, member: Member, recall_id: str, remark: str) -> Recall:
    """End the telling: no more notices. What is recalled stays recalled. ProblemError."""
    standing.require_signer(member)
    text = remark.strip()
    if not 0 < len(text) <= contents.MAX_TEXT:
        detail = f"say what came of it, in 1 to {contents.MAX_TEXT} characters"
        raise ProblemError(400, "recall-closing", detail, pointer="/remark")
    with transaction.atomic():
        recall = _locked(member, recall_id)
        if recall.state != Recall.State.PUBLISHED:
            raise ProblemError(409, "recall-state", f"a recall that is {recall.state} cannot be closed")
        at_ms = now_ms()
        body = {
            "@type": "RecallClosing",
            "recall": recall.id,
            "remark": text,
            "party": member.party.uri,
            "actor": member.pseudonym,
            "time": at_ms,
        }
        documents.record([documents.Draft(STEP_KIND, body, member.party.uri, parties.signer_for(member.party))])
        recall.state, recall.closed_ms, recall.closed_by = Recall.State.CLOSED, at_ms, member.pseudonym
        recall.closing = text
        recall.save(update_fields=["state", "closed_ms", "closed_by", "closing"])
    return recall


def set_contact(*, member: Member, name: str, phone: str, email: str) -> RecallContact:
    """Whom others call at the member's party in a recall; administrators and quality only. ProblemError."""
    if member.role not in {Member.Role.ADMIN, Member.Role.QUALITY, Member.Role.INSPECTOR}:
        raise ProblemError(403, "role", "people with the quality role or administrators do this")
    row = RecallContact(party=member.party, name=name.strip(), phone=phone.strip(), email=email.strip())
    standing.require_clean(row)
    with transaction.atomic():
        RecallContact.objects.update_or_create(
            party=member.party, defaults={"name": row.name, "phone": row.phone, "email": row.email}
        )
    return row


def _read(given: Mapping[str, Any], recall: Recall, *, revision: int) -> Content:
    try:
        content = contents.read(
            given, recall=recall.id, revision=revision, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date()
        )
    except ContentError as error:
        faults = [
            {"pointer": f"/{one.field}", "field": one.field, "code": one.code, "message": one.message}
            for one in error.faults
        ]
        raise ProblemError(400, error.faults[0].code, str(error), "ValidationException", errors=faults) from error
    standing.require_authority(recall.owner, content)
    return content


def _fill(recall: Recall, content: Content) -> None:
    recall.content, recall.definition, recall.is_drill = content.public(), content.definition, content.is_drill


def _keep_lots(recall: Recall) -> None:
    content = contents.of_public(recall.content)
    RecallLot.objects.bulk_create(
        RecallLot(recall=recall, gtin=gtin, lot=lot, lot_class=contents.lot_class(gtin, lot))
        for gtin, lot in content.lots
    )


def _draft_of(member: Member, recall_id: str, definition: str) -> Recall:
    recall = _locked(member, recall_id)
    if recall.state != Recall.State.DRAFT:
        raise ProblemError(409, "recall-state", f"this recall is {recall.state}")
    if recall.definition != definition:
        raise ProblemError(409, "recall-changed", "the draft was changed meanwhile; read it again")
    return recall


def _locked(member: Member, recall_id: str) -> Recall:
    """The party's own recall, held until the transaction ends. ProblemError 404 for anybody else's."""
    found = Recall.objects.select_for_update(of=("self",)).select_related("owner")
    recall = found.filter(id=recall_id, owner=member.party).first()
    if recall is None:
        raise ProblemError(404, "not-found", "there is no such recall of yours", "NoSuchResourceException")
    return recall
