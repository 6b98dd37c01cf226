"""What the event stream reads from the database: who listens, and what is new in the outbox."""

from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.utils.crypto import constant_time_compare

from traceability.parties import selectors as parties

from .models import Alert, AlertChange, AlertParty

LIMIT = 500


@dataclass(frozen=True)
class Reader:
    """Who listens: every URI of the party, or None for a regulator, who hears all."""

    uris: frozenset[str] | None


@dataclass(frozen=True)
class Change:
    """One event of the stream."""

    id: int
    data: dict[str, Any]
    parties: frozenset[str]


def reader_for(session_cookie: str) -> Reader | None:
    """The reader behind Django's session cookie, or None for nobody, a stale session or a member of no active party."""
    if not session_cookie:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_cookie)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = get_user_model().objects.filter(pk=session.get(SESSION_KEY), is_active=True).first()
    # As django.contrib.auth.get_user does: a changed password ends every session.
    if user is None or not constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    member = parties.member_for(user)
    if member is None or not member.party.active:
        return None
    return Reader(None if member.party.has_role("regulator") else frozenset(parties.uris_of(member.party)))


def newest() -> int:
    """The id of the newest change, 0 before the first."""
    return AlertChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def after(change_id: int) -> list[Change]:
    """The changes after an id, at most LIMIT; three queries, one when there is nothing new."""
    rows = list(AlertChange.objects.filter(pk__gt=change_id).order_by("pk")[:LIMIT])
    if not rows:
        return []
    names = {row.alert_id for row in rows}
    alerts = Alert.objects.in_bulk(list(names))
    concerned: dict[str, set[str]] = defaultdict(set)
    for name, party in AlertParty.objects.filter(alert_id__in=names).values_list("alert_id", "party"):
        concerned[name].add(party)
    return [
        Change(row.pk, _data(row.alert_id, alerts.get(row.alert_id)), frozenset(concerned[row.alert_id]))
        for row in rows
    ]


def concerns(change: Change, reader: Reader) -> bool:
    """Whether a reader may hear of a change."""
    return reader.uris is None or bool(reader.uris & change.parties)


def _data(name: str, alert: Alert | None) -> dict[str, Any]:
    """Ids and states; no serial, no place: the page fetches the rest through its own door."""
    if alert is None:
        return {"alert": name, "state": "gone"}
    return {
        "alert": name,
        "rule": alert.rule,
        "severity": alert.severity,
        "certainty": alert.certainty,
        "state": alert.state,
        "count": alert.count,
        "opened_ms": alert.opened_ms,
    }
