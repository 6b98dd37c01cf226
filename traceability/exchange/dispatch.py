"""Brings deliveries to partners: into folders that SFTP and AS2 gateways serve, and to webhooks, in order."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from traceability.common import files, metrics, outbound, sealing
from traceability.common.clock import now_ms
from traceability.common.outbound import Answer, OutboundError

from . import deliveries, leases, signature
from .models import Channel, Delivery
from .partner_document import MEDIA_TYPES, SUFFIXES

CALLS = 16  # webhooks at one moment
FILES = 100  # of one round
ACKNOWLEDGED = ".ack"
_ACKNOWLEDGEMENT_BYTES = 4096


def run_once() -> int:
    """One round over folders and webhooks; how many deliveries were tried."""
    look_for_answers()
    return _into_folders() + _to_webhooks()


def folder_of(partner: str) -> Path:
    """Where a partner's gateway finds its documents."""
    return Path(settings.DATA_DIR) / "outbox" / partner


def file_name(delivery: Delivery) -> str:
    """The same for the same delivery, so that writing it again replaces it."""
    channel = delivery.channel
    return f"{channel.party_id}-{channel.id[:8]}-{delivery.number:06}.{SUFFIXES[delivery.format]}"


def look_for_answers() -> None:
    """Take note of what gateways did: a file that is gone was fetched; `NAME.ack` beside it is the partner's answer."""
    waiting = Delivery.objects.filter(channel__way=Channel.Way.FOLDER, state=Delivery.State.SENT)
    for delivery in waiting.select_related("channel").defer("body").order_by("created_ms")[:FILES]:
        path = folder_of(delivery.channel.partner_id) / file_name(delivery)
        answer = path.with_name(path.name + ACKNOWLEDGED)
        if answer.is_file():
            with answer.open("rb") as file:
                text = file.read(_ACKNOWLEDGEMENT_BYTES).decode(errors="replace")
            detail = "".join(one if one.isprintable() else " " for one in text).strip()
            deliveries.note(delivery, Delivery.State.ANSWERED, actor=delivery.channel.partner.uri, detail=detail)
            # Crash here: the answer is noted, its file stays; nobody looks at it again.
            answer.unlink(missing_ok=True)
        elif not path.exists():
            detail = "taken out of the folder"
            deliveries.note(delivery, Delivery.State.FETCHED, actor=delivery.channel.partner.uri, detail=detail)


def _into_folders() -> int:
    waiting = _queued().filter(channel__way=Channel.Way.FOLDER).order_by("created_ms", "number")[:FILES]
    count = 0
    for delivery in waiting:
        folder = folder_of(delivery.channel.partner_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        files.replace(folder / file_name(delivery), [bytes(delivery.body)], mode=0o640)
        # Crash here: the file is there and the state is not; it is written again under its name, with the same bytes.
        deliveries.note(delivery, Delivery.State.SENT, detail=file_name(delivery))
        count += 1
    return count


def _to_webhooks() -> int:
    waiting = Delivery.objects.filter(channel=OuterRef("pk"), state=Delivery.State.QUEUED)
    due = Channel.objects.filter(Exists(waiting), way=Channel.Way.WEBHOOK, party__active=True, partner__active=True)
    calls: list[tuple[Channel, Delivery, Future[Answer]]] = []
    with ThreadPoolExecutor(CALLS) as pool:
        for channel in leases.claim(due, CALLS):
            delivery = _queued().filter(channel=channel).order_by("number").first()
            if delivery is None:  # somebody else has sent it between the two looks
                leases.release(channel)
                continue
            headers = _headers(channel, delivery)
            call = pool.submit(outbound.post, channel.dest, bytes(delivery.body), headers)
            calls.append((channel, delivery, call))
        for channel, delivery, call in calls:
            # Crash before this: it is queued still and sent again, under the same Dosetrail-Delivery.
            _settle(channel, delivery, call)
    return len(calls)


def _settle(channel: Channel, delivery: Delivery, call: "Future[Answer]") -> None:
    try:
        status = call.result().status
        said, is_good, is_final = f"HTTP {status}", 200 <= status < 300, status == leases.GONE
    except OutboundError as error:
        said, is_good, is_final = f"{error.code}: {error.detail}", False, False
    metrics.count_webhook("sent" if is_good else "failed")
    if is_good:
        if leases.went_well(channel, due_ms=now_ms()):
            deliveries.note(delivery, Delivery.State.ANSWERED, actor=channel.partner.uri, detail=said)
    elif leases.fail(channel, said, is_final=is_final):
        deliveries.note(delivery, Delivery.State.FAILED, detail=said)


def _headers(channel: Channel, delivery: Delivery) -> dict[str, str]:
    headers = {"Content-Type": MEDIA_TYPES[delivery.format], "Dosetrail-Delivery": delivery.id}
    if channel.sealed_seed:
        token = sealing.unseal(bytes(channel.sealed_seed)).decode()
        headers["GS1-Signature"] = signature.header(token, bytes(delivery.body), now_ms() // 1000)
    return headers


def _queued() -> QuerySet[Delivery]:
    return Delivery.objects.filter(state=Delivery.State.QUEUED, channel__state=Channel.State.ACTIVE).select_related(
        "channel__party", "channel__partner"
    )
