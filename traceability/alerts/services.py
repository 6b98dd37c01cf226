"""What people do about an alert: each step is recorded on the log in the name of their party."""

from django.db import IntegrityError, transaction

from traceability.common import documents
from traceability.common.clock import now_ms
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party

from . import rules, selectors
from .models import Alert, AlertTransition
from .projection import KIND

MAX_COMMENT = 500


class AlertError(Exception):
    """A step that cannot be taken; `code` is stable, `status` the HTTP status that fits, `field` what to mend."""

    def __init__(self, status: int, code: str, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.field = status, code, detail, field


def acknowledge(*, member: Member, alert_id: str, comment: str, version: int) -> AlertTransition:
    """Say that somebody works on it. `version` = the one shown when the member decided. AlertError."""
    return _step(member, alert_id, to_state=Alert.State.ACKNOWLEDGED, comment=comment, version=version)


def answer(*, member: Member, alert_id: str, comment: str, version: int) -> AlertTransition:
    """The party's own account of what happened. AlertError."""
    return _step(member, alert_id, to_state=Alert.State.ANSWERED, comment=comment, version=version)


def resolve(*, member: Member, alert_id: str, comment: str, version: int, cause: str) -> AlertTransition:
    """Close it, with one of `rules.CAUSES`; regulators only. AlertError."""
    if not member.party.has_role(Party.Role.REGULATOR):
        raise AlertError(403, "not-a-regulator", "an alert is closed by the regulator; answer it instead")
    if cause not in rules.CAUSES:
        raise AlertError(400, "cause-unknown", f"the cause is one of {', '.join(rules.CAUSES)}", "cause")
    return _step(member, alert_id, to_state=Alert.State.RESOLVED, comment=comment, version=version, cause=cause)


def _step(
    member: Member, alert_id: str, *, to_state: str, comment: str, version: int, cause: str = ""
) -> AlertTransition:
    alert = selectors.get(alert_id, party=member.party)
    if alert is None:
        raise AlertError(404, "no-such-alert", "there is no such alert")
    text = comment.strip()
    if not 0 < len(text) <= MAX_COMMENT:
        raise AlertError(400, "comment", f"say why, in 1 to {MAX_COMMENT} characters", "comment")
    from_state, newest = selectors.standing(alert)
    step = AlertTransition(
        alert_id=alert.id,
        version=version + 1,
        from_state=from_state,
        to_state=to_state,
        party=member.party.uri,
        actor=member.pseudonym,
        comment=text,
        cause=cause,
        time_ms=now_ms(),
    )
    if newest != version:
        return _taken_before(step)
    if alert.state == Alert.State.RETRACTED or not rules.is_allowed(from_state, to_state):
        shown = alert.state if alert.state == Alert.State.RETRACTED else from_state
        raise AlertError(409, "state", f"an alert that is {shown} cannot become {to_state}")
    return _record(alert, step, member)


def _record(alert: Alert, step: AlertTransition, member: Member) -> AlertTransition:
    body = {
        "@type": "AlertTransition",
        "alert": alert.id,
        "incident": alert.incident,
        "version": step.version,
        "from": step.from_state,
        "to": step.to_state,
        "party": step.party,
        "actor": step.actor,
        "comment": step.comment,
        "cause": step.cause,
        "time": step.time_ms,
    }
    signed = documents.prepare([documents.Draft(KIND, body, step.party, parties.signer_for(member.party))])
    step.statement_hash = signed.documents[0].statement_hash
    try:
        with transaction.atomic():
            step.save(force_insert=True)  # of two on the same version the second fails here, before it is submitted
            documents.store(signed)
    except IntegrityError:
        return _taken_before(step)
    return step


def _taken_before(step: AlertTransition) -> AlertTransition:
    """The very same step, as a form sent before has taken it; AlertError when it was another, or somebody else's."""
    same = {name: getattr(step, name) for name in ("alert_id", "version", "to_state", "actor", "comment", "cause")}
    found = AlertTransition.objects.filter(**same).first()
    if found is None:
        raise AlertError(409, "state-changed", "someone else has acted on this alert; look at it again", "version")
    return found
