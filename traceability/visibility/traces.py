"""Traces as a party may see them: every door's way to `custody.trace`."""

from datetime import date

from traceability.custody import trace
from traceability.custody.trace import Answer, Sight, Subject
from traceability.custody.tracing import ALWAYS, BOTH, Window
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from . import receipts
from .rules import sees_all, visible_indexes, visible_things


def subject(text: str, *, today: date, party: Party, period: Window = ALWAYS) -> Subject:
    """`trace.subject` for a party: a printed number names a shipment of its own."""
    own = None if sees_all(party) else parties.uris_of(party)
    return trace.subject(text, today=today, period=period, own=own)


def ask(subject: Subject, *, party: Party, direction: str = BOTH, as_of: int | None = None) -> Answer:
    """Trace something for a party: of the events that it may see now, those that the log had then.

    A regulator sees all, and it is noted which. TraceError: the log is not that long.
    """
    sight = Sight(
        events=lambda indexes: visible_indexes(indexes, party), things=lambda epcs: visible_things(epcs, party)
    )
    everything = sees_all(party)
    answer = trace.ask(subject, direction=direction, as_of=as_of, sight=None if everything else sight)
    receipts.shown(answer.trace.events.items())
    return answer
