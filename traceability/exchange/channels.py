"""Channels to partners: set up, changed in standing, found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from traceability.common import once, outbound, sealing
from traceability.common.clock import now_ms
from traceability.common.outbound import OutboundError
from traceability.common.problems import ProblemError
from traceability.parties.models import Party
from traceability.queries import named
from traceability.visibility import rules

from . import leases
from .models import ALL_OF_IT, Channel

MAX_CHANNELS = 200  # of one party
MAX_TOKEN, MAX_STATEMENT = 1024, 2000


@dataclass(frozen=True)
class Plan:
    """What a channel is to be. `since_ever`: with what the partner may see already, not only what comes.

    `nonce` makes the same form, sent again, one channel: with two the partner had each document twice.
    """

    partner: Party
    way: str
    format: str
    query: Mapping[str, Any] = field(default_factory=dict)
    dest: str = ""
    token: str = ""
    statement: str = ""
    since_ever: bool = False
    nonce: str = ""


def create(party: Party, plan: Plan) -> Channel:
    """A new channel from `party` to a partner, or the one that the same form made; ProblemError 400, 409."""
    channel_id = _id(party, plan)
    known = find(party, channel_id)
    return known or _create(party, plan, channel_id)


def _id(party: Party, plan: Plan) -> str:
    said = (plan.partner.id, plan.way, plan.format, dict(plan.query), plan.dest, plan.token, plan.statement)
    return once.form_id(plan.nonce, party.id, *said, plan.since_ever, digits=32)


def _create(party: Party, plan: Plan, channel_id: str) -> Channel:
    if plan.partner == party or not plan.partner.active:
        raise _bad("partner", "partner", "choose another organisation that is active")
    if plan.way not in Channel.Way.values:
        raise _bad("way", "way", f"the way is one of {', '.join(Channel.Way.values)}")
    if plan.format not in Channel.Format.values:
        raise _bad("format", "format", f"the format is one of {', '.join(Channel.Format.values)}")
    if len(plan.statement) > MAX_STATEMENT or len(plan.token) > MAX_TOKEN:
        raise _bad("statement", "too-long", f"a statement has at most {MAX_STATEMENT} characters, a token {MAX_TOKEN}")
    named.read(plan.query)
    if of_party(party).count() >= MAX_CHANNELS:
        raise ProblemError(409, "too-many-channels", f"a party has at most {MAX_CHANNELS} channels: end one")
    is_webhook, now = plan.way == Channel.Way.WEBHOOK, now_ms()
    if is_webhook:
        _require_callable(plan.dest)
    columns = {
        "partner": plan.partner,
        "way": plan.way,
        "format": plan.format,
        "query": dict(plan.query),
        "dest": plan.dest if is_webhook else "",
        "sealed_seed": sealing.seal(plan.token.encode()) if is_webhook and plan.token else None,
        "statement": plan.statement,
        "since_index": -1 if plan.since_ever else rules.horizon(),
        "event_index": ALL_OF_IT,
        "created_ms": now,
        "due_ms": now,
    }
    return Channel.objects.get_or_create(id=channel_id, party=party, defaults=columns)[0]


def find(party: Party, name: str) -> Channel | None:
    """The party's own channel of that id, or None."""
    return Channel.objects.select_related("partner").filter(party=party, id=name).first()


def of_party(party: Party) -> QuerySet[Channel]:
    """The party's channels that have not ended, the suspended first."""
    found = Channel.objects.select_related("partner").filter(party=party).exclude(state=Channel.State.ENDED)
    return found.order_by("-state", "partner__name", "id")


def to_partner(party: Party, partner: Party) -> list[Channel]:
    """The channels from `party` to a partner over which something goes out now: none while either is closed."""
    if not (party.active and partner.active):
        return []
    return list(of_party(party).filter(partner=partner, state=Channel.State.ACTIVE).order_by("-way", "id"))


def end(channel: Channel) -> None:
    """End a channel for good. One that has delivered something stays for its log; the partner can fetch what it got."""
    if channel.deliveries.exists():
        # Without its lease: a sender that is at it now must not write another state over this one.
        Channel.objects.filter(id=channel.id).update(state=Channel.State.ENDED, error="", lease="", leased_until_ms=0)
    else:
        channel.delete()


def resume(channel: Channel) -> None:
    """Let a suspended channel go on from where it stands; ProblemError 409 for one that has ended."""
    if not leases.resume(channel, error=""):
        raise ProblemError(409, "channel-ended", "this channel has ended: set up another one")


def may_see(party: Party) -> Q:
    """Which deliveries a party may see: those from it and those to it."""
    return Q(channel__party=party) | Q(channel__partner=party)


def _require_callable(dest: str) -> None:
    try:
        outbound.require_callable(dest)
    except OutboundError as error:
        raise _bad("dest", f"dest-{error.code}", error.detail) from error


def _bad(member: str, code: str, detail: str) -> ProblemError:
    return ProblemError(400, code, detail, "ValidationException", pointer=f"/{member}")
