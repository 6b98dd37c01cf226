"""Deliveries: made of what a partner may see, and what becomes of each (docs/partners.md)."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.epcis.xml.markup import WriteError
from traceability.parties.models import Party
from traceability.queries import documents
from traceability.visibility import receipts, rules

from . import channels, feed, leases, partner_document
from .models import Channel, Delivery, DeliveryStep

BATCH = 500  # events in a document
ROUND = 50  # channels looked at in one round


def make() -> int:
    """Make the documents that channels have news for; how many were made."""
    found = Channel.objects.filter(
        leases.has_news(rules.horizon()), state=Channel.State.ACTIVE, party__active=True, partner__active=True
    )
    return sum(_made(name) for name in list(found.order_by("due_ms").values_list("id", flat=True)[:ROUND]))


def hand_over(channel: Channel, rows: Sequence[PublishedEvent]) -> Delivery | None:
    """A document of these very events beside what the channel's query finds; None if it is not active by now, or they
    are not the partner's to see, or its form cannot carry them.
    """
    with transaction.atomic():
        held = _held(channel.id)
        seen = rules.visible_indexes([row.index for row in rows], channel.partner)
        shared = _shared(channel, [row for row in rows if row.index in seen])
        if held is None or not shared:
            return None
        delivery = _keep(held, documents.events_of(shared))
        if not delivery.events:
            return None
        shown = [(row.index, row.reporter) for row in shared]
        receipts.pushed(held.partner, shown, door="delivery", question=held.id)
        Channel.objects.filter(id=held.id).update(next_number=held.next_number)
    return delivery


def hand_over_message(channel: Channel, body: bytes, message: str) -> Delivery | None:
    """A message that is no EPCIS document, in its turn on the channel; None if that is not active by now.

    `message`: its form, a key of `partner_document.MEDIA_TYPES`.
    """
    with transaction.atomic():
        held = _held(channel.id)
        if held is None:
            return None
        delivery = _write(held, secrets.token_hex(16), body, message=message)
        note(delivery, Delivery.State.QUEUED)
        Channel.objects.filter(id=held.id).update(next_number=held.next_number)
    return delivery


def of_party(party: Party) -> QuerySet[Delivery]:
    """Those from the party and those to it, the newest first; without their bytes."""
    found = Delivery.objects.filter(channels.may_see(party)).select_related("channel__party", "channel__partner")
    return found.defer("body").order_by("-created_ms", "-id")


def behind(rows: QuerySet[Delivery], after: Sequence[Any] | None) -> QuerySet[Delivery]:
    """Those behind a delivery (its time and id) in the order of `of_party`."""
    if after is None:
        return rows
    created_ms, name = after
    return rows.filter(Q(created_ms__lt=created_ms) | Q(created_ms=created_ms, id__lt=name))


def find(party: Party, name: str) -> Delivery | None:
    """A delivery from the party or to it, or None."""
    found = Delivery.objects.filter(channels.may_see(party), id=name)
    return found.select_related("channel__party", "channel__partner").first()


def fetch(delivery: Delivery, by: Party, *, actor: str) -> bytes:
    """The bytes; when the partner asks for them, that it did is recorded. The sender looks without a trace."""
    if by == delivery.channel.partner:
        state = Delivery.State.FETCHED
        note(delivery, state, actor=actor, keeps=delivery.state in {Delivery.State.ANSWERED, Delivery.State.FAILED})
    return bytes(delivery.body)


def acknowledge(delivery: Delivery, by: Party, *, is_accepted: bool, detail: str, actor: str) -> None:
    """The partner's own word on it. ProblemError 404 for anybody else."""
    if by != delivery.channel.partner:
        raise ProblemError(404, "not-found", "there is no delivery to you of this id", "NoSuchResourceException")
    state = Delivery.State.ANSWERED if is_accepted else Delivery.State.FAILED
    note(delivery, state, actor=actor, detail=detail)


def resend(delivery: Delivery, by: Party, *, actor: str) -> None:
    """Send the same bytes once more, and let a suspended channel go on.

    ProblemError 404 for all but the sender, 409 where the channel has ended.
    """
    if by != delivery.channel.party:
        raise ProblemError(404, "not-found", "there is no delivery from you of this id", "NoSuchResourceException")
    with transaction.atomic():
        note(delivery, Delivery.State.QUEUED, actor=actor)
        channels.resume(delivery.channel)


def note(delivery: Delivery, state: str, *, actor: str = "", detail: str = "", keeps: bool = False) -> None:
    """Write a step, and the delivery's state unless it `keeps` the one that it has."""
    with transaction.atomic():
        DeliveryStep.objects.create(delivery=delivery, state=state, at_ms=now_ms(), actor=actor, detail=detail[:300])
        if not keeps:
            Delivery.objects.filter(id=delivery.id).update(state=state)
            delivery.state = state


def _made(channel_id: str) -> int:
    """One document of a channel's next events: the delivery and the place it ends at are written together or not."""
    with transaction.atomic():
        channel = _held(channel_id)
        if channel is None:
            return 0
        try:
            portion = feed.read(channel.partner, channel.query, (channel.since_index, channel.event_index), BATCH)
            rows = _shared(channel, [row for _, row in portion.events])
            events = documents.events_of(rows)
            if events:
                shown = [(row.index, row.reporter) for row in rows]
                receipts.pushed(channel.partner, shown, door="delivery", question=channel.id)
                _keep(channel, events)
        except ProblemError as error:  # an upgrade no longer takes the query
            Channel.objects.filter(id=channel_id).update(
                state=Channel.State.SUSPENDED, error=f"{error.code}: {error.detail}"[:300]
            )
            return 0
        since_index, event_index = portion.place
        Channel.objects.filter(id=channel_id).update(
            since_index=since_index, event_index=event_index, next_number=channel.next_number
        )
    # Crash before this line: neither the delivery nor the moved place is there; the next round makes it anew.
    return len(events) > 0


def _held(channel_id: str) -> Channel | None:
    """The channel, locked until the transaction ends, if it is active."""
    locked = Channel.objects.select_for_update(of=("self",)).select_related("party", "partner")
    return locked.filter(id=channel_id, state=Channel.State.ACTIVE).first()


def _shared(channel: Channel, rows: Sequence[PublishedEvent]) -> list[PublishedEvent]:
    """Of what the partner may see, what the sender may see itself: nobody learns anything by setting up a channel."""
    seen = rules.visible_indexes([row.index for row in rows], channel.party)
    return [row for row in rows if row.index in seen]


def _keep(channel: Channel, events: Sequence[Mapping[str, Any]]) -> Delivery:
    name, left_out = secrets.token_hex(16), ""
    try:
        body = partner_document.render(channel, name, events)
    except WriteError:
        events, faults = partner_document.without_unwritable(channel, name, events)
        left_out = f"left out, {channel.format} cannot carry it: {'; '.join(faults)}"
        body = partner_document.render(channel, name, events)
    delivery = _write(channel, name, body, events=len(events))
    note(delivery, Delivery.State.QUEUED, detail=left_out)
    return delivery


def _write(channel: Channel, name: str, body: bytes, *, events: int = 0, message: str = "") -> Delivery:
    """The delivery of the channel's next number, without a step; the caller stores the number after it."""
    delivery = Delivery.objects.create(
        id=name,
        channel=channel,
        message=message,
        number=channel.next_number,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        events=events,
        created_ms=now_ms(),
    )
    channel.next_number += 1
    return delivery
