"""Bringing notices to their parties: the portal at once, the owner's channel to the partner, mail where it is set up.

A notice is delivered when something came back: the partner's server answered, its gateway took the file, or somebody
opened it. That it lies on the portal, or that a mail left, proves nothing.
"""

import smtplib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.exchange import deliveries
from traceability.exchange.models import Channel, Delivery
from traceability.products import selectors as products

from .models import Notice, NoticeStep, Recall, RecallContact

BATCH = 500  # notices of one round
_CHANNELS = {Channel.Way.WEBHOOK: NoticeStep.Channel.WEBHOOK, Channel.Way.FOLDER: NoticeStep.Channel.FOLDER,
             Channel.Way.DOWNLOAD: NoticeStep.Channel.API}  # fmt: skip


def run() -> int:
    """Send what was not sent yet and take note of receipts; how many steps were taken."""
    return _send() + _take_receipts()


def _send() -> int:
    waiting = list(_waiting()[:BATCH])
    if not waiting:
        return 0
    channels = _channels({(one.recall.owner_id, one.party_id or "") for one in waiting})
    contacts = {row.party_id: row for row in RecallContact.objects.filter(party__in=[one.party_id for one in waiting])}
    events = {recall.id: _event(recall) for recall in {one.recall for one in waiting}}
    # What is not published yet waits: a partner gets the event with its place on the log.
    ready = [one for one in waiting if events[one.recall_id] is not None or not one.recall.event_id]
    plain = [one for one in ready if (one.recall.owner_id, one.party_id) not in channels]
    count = _keep(plain, [])
    for notice in (one for one in ready if (one.recall.owner_id, one.party_id) in channels):
        with transaction.atomic():
            ways = channels[notice.recall.owner_id, notice.party_id or ""]
            count += _keep([notice], _documents(notice, ways, events[notice.recall_id]))
    # Crash here: all are sent but for mails, which are the one channel without a receipt.
    for notice in ready:
        if step := _mail(notice, contacts.get(notice.party_id or "")):
            step.save()
            count += 1
    return count


def _keep(notices: Sequence[Notice], documents: Sequence[NoticeStep]) -> int:
    """That notices lie on the portal, and what documents carry them; how many steps."""
    steps = [_step(one, NoticeStep.Kind.SENT, NoticeStep.Channel.PORTAL) for one in notices]
    with transaction.atomic():
        NoticeStep.objects.bulk_create([*steps, *documents], batch_size=500)
        # A notice renewed meanwhile is sent already: what it holds is read when it is opened.
        Notice.objects.filter(id__in=[one.id for one in notices]).update(to_send=False)
    return len(steps) + len(documents)


def _waiting() -> QuerySet[Notice]:
    found = Notice.objects.filter(to_send=True, party__isnull=False).select_related("recall__owner", "party")
    return found.order_by("created_ms", "id")


def _event(recall: Recall) -> PublishedEvent | None:
    found = PublishedEvent.objects.filter(event_id=recall.event_id, declaration_ms__isnull=True)
    return found.filter(reporter=recall.owner.uri).first()


def _channels(pairs: set[tuple[str, str]]) -> Mapping[tuple[str, str], Sequence[Channel]]:
    """The active channels from owners to holders."""
    rows = Channel.objects.filter(
        party__in={owner for owner, _ in pairs}, partner__in={holder for _, holder in pairs},
        state=Channel.State.ACTIVE,
    )  # fmt: skip
    found: dict[tuple[str, str], list[Channel]] = defaultdict(list)
    for row in rows.select_related("party", "partner").order_by("id"):
        found[row.party_id, row.partner_id].append(row)
    return found


def _documents(notice: Notice, channels: Sequence[Channel], event: PublishedEvent | None) -> list[NoticeStep]:
    """The recall's event as a document on each channel; of a drill none, since partners do not see its event."""
    steps: list[NoticeStep] = []
    if event is None:
        return steps
    for channel in channels:
        delivery = deliveries.hand_over(channel, [event])
        if delivery is not None:
            step = _step(notice, NoticeStep.Kind.SENT, _CHANNELS[Channel.Way(channel.way)])
            step.delivery_id = delivery.id
            steps.append(step)
    return steps


def _mail(notice: Notice, contact: RecallContact | None) -> NoticeStep | None:
    """A mail to the party's contact, where a mail server is set up; it names no pack and no other holder."""
    if not settings.RECALL_MAIL_FROM or contact is None or not contact.email:
        return None
    texts = []
    for language in ("en", "zh-hans"):
        with translation.override(language):
            texts.append(_mail_text(notice))
    subject = " / ".join(dict.fromkeys(text.partition("\n")[0] for text in texts))
    mail = EmailMessage(subject, "\n\n".join(texts), settings.RECALL_MAIL_FROM, [contact.email])
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        return _step(notice, NoticeStep.Kind.FAILED, NoticeStep.Channel.EMAIL, detail=str(error))
    return _step(notice, NoticeStep.Kind.SENT, NoticeStep.Channel.EMAIL)


def _mail_text(notice: Notice) -> str:
    content = notice.recall.content
    title = _("Recall drill") if notice.recall.is_drill else _("Recall")
    names = products.names_of({one["gtin"] for one in content["lots"]})
    lots = [f"{names.get(one['gtin']) or one['gtin']} {_code(one)}" for one in content["lots"]]
    return "\n".join(
        [
            f"{title}: {lots[0]}{' …' if len(lots) > 1 else ''}",
            _("Class {level}, by {owner}.").format(level=content["class"], owner=notice.recall.owner.name),
            *lots,
            _("Packs with you or on their way to you: {packs}.").format(packs=notice.packs),
            _("Sign in to the portal, open the recall notice and answer it."),
        ]
    )


def _code(lot: Mapping[str, str]) -> str:
    return f"(01){lot['gtin']}(10){lot['lot']}" if lot["lot"] else f"(01){lot['gtin']}, {_('every lot')}"


def _take_receipts() -> int:
    """What came back over channels, for notices that are not delivered yet."""
    waiting = NoticeStep.objects.filter(kind=NoticeStep.Kind.SENT, notice__delivered_ms__isnull=True)
    steps = list(waiting.exclude(delivery_id="").select_related("notice").order_by("id")[:BATCH])
    ended = {Delivery.State.FETCHED, Delivery.State.ANSWERED, Delivery.State.FAILED}
    rows = Delivery.objects.filter(id__in=[one.delivery_id for one in steps], state__in=ended).defer("body")
    found = {row.id: row for row in rows}
    failed = set(
        NoticeStep.objects.filter(kind=NoticeStep.Kind.FAILED, delivery_id__in=found).values_list(
            "delivery_id", flat=True
        )
    )
    return sum(
        _receipt(step, found[step.delivery_id])
        for step in steps
        if step.delivery_id in found
        and not (found[step.delivery_id].state == Delivery.State.FAILED and step.delivery_id in failed)
    )


def _receipt(sent: NoticeStep, delivery: Delivery) -> int:
    last = delivery.steps.order_by("-id").first()
    is_failed = delivery.state == Delivery.State.FAILED
    kind = NoticeStep.Kind.FAILED if is_failed else NoticeStep.Kind.DELIVERED
    step = _step(sent.notice, kind, sent.channel, detail=last.detail if last else "")
    step.at_ms, step.actor, step.delivery_id = (
        (last.at_ms if last else now_ms()),
        last.actor if last else "",
        delivery.id,
    )
    with transaction.atomic():
        step.save()
        if not is_failed:
            Notice.objects.filter(id=sent.notice_id, delivered_ms=None).update(delivered_ms=step.at_ms)
    return 1


def _step(notice: Notice, kind: str, channel: str, *, detail: str = "") -> NoticeStep:
    return NoticeStep(
        notice=notice, kind=kind, channel=channel, version=notice.version, at_ms=now_ms(), detail=detail[:300]
    )
