"""Traces as a party may see them: every door's way to `custody.trace`."""

from traceability.custody import trace
from traceability.custody.trace import Answer, Sight, Subject
from traceability.custody.tracing import BOTH
from traceability.parties.models import Party

from . import receipts
from .rules import visible_indexes, visible_things


def ask(subject: Subject, *, party: Party, direction: str = BOTH, as_of: int | None = None) -> Answer:
    """Trace something for a party: of the events that it may see now, those that the log had then.

    A regulator sees all, and it is noted which. TraceError: the log is not that long.
    """
    sight = Sight(
        events=lambda indexes: visible_indexes(indexes, party), things=lambda epcs: visible_things(epcs, party)
    )
    everything = party.has_role(Party.Role.REGULATOR)
    answer = trace.ask(subject, direction=direction, as_of=as_of, sight=None if everything else sight)
    receipts.shown(answer.trace.events.items())
    return answer
