"""How it stands with the log this house runs: what health pages and metrics are made of. At most nine queries."""

from dataclasses import dataclass

from django.db.models import Count, Min

from . import cosigning, models, operator_keys, reads, trust, writer
from .cosigning import WitnessStanding
from .db_storage import HEAD_ID
from .tlog.errors import PolicyError
from .tlog.policy import NONE


@dataclass(frozen=True, slots=True)
class LogStanding:
    """Sizes in entries, times in milliseconds of the house's clock; None = there was none."""

    size: int
    published_size: int
    final_size: int
    checkpoint_ms: int | None  # of the newest published checkpoint, ticks included
    backlog: int  # statements that wait for their index
    oldest: str  # the hash of the one that waits longest, '' when none does
    is_written: bool  # whether some process holds the right to write the log
    refusal: str  # why the sequencer signs nothing, '' when it does not refuse
    has_quorum: bool  # whether a policy says when a checkpoint is final
    quorum_ms: int | None  # when a quorum of witnesses had last cosigned
    unfinal_ms: int | None  # record time of the oldest published entry that is not final; None = all are
    witnesses: tuple[WitnessStanding, ...]


def log_standing() -> LogStanding:
    """How it stands now."""
    head = models.Head.objects.filter(pk=HEAD_ID).first() or models.Head()
    waiting = models.Submission.objects.aggregate(number=Count("pk"), first=Min("pk"))
    oldest = models.Submission.objects.filter(pk=waiting["first"]).values_list("statement_hash", flat=True).first()
    has_quorum, quorum_ms, witnesses = _quorum()
    unfinal = reads.published(head.final_size, 1)
    return LogStanding(
        size=head.size,
        published_size=head.published_size,
        final_size=head.final_size,
        checkpoint_ms=head.published_time_ms or None,
        backlog=waiting["number"],
        oldest=oldest or "",
        is_written=writer.is_written(),
        refusal=head.refusal,
        has_quorum=has_quorum,
        quorum_ms=quorum_ms,
        unfinal_ms=unfinal[0].record_time_ms if unfinal else None,
        witnesses=tuple(witnesses),
    )


def _quorum() -> tuple[bool, int | None, list[WitnessStanding]]:
    """Whether there is a quorum, when its witnesses had last all cosigned, and each of them."""
    try:
        chosen = trust.current()
    except operator_keys.NotInitialisedError:
        return False, None, []
    except PolicyError:  # nothing becomes final by it: no quorum, and never
        return True, None, []
    witnesses = cosigning.standing()
    met: set[str] = set()
    for one in sorted(witnesses, key=lambda one: -one.cosigned_ms):
        met.add(one.name)
        if one.cosigned_ms and chosen.is_met(met):
            return True, one.cosigned_ms, witnesses
    return chosen.quorum != NONE, None, witnesses
