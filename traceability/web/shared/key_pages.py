"""One key as its owner's administrators and the regulator see it: what it signed since when, and what ends it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger import api as ledger
from traceability.alerts.models import Alert
from traceability.capture import signed
from traceability.capture.models import PublishedEvent
from traceability.common import bulk
from traceability.common.clock import now_ms
from traceability.common.csv_export import csv_lines
from traceability.parties import services as parties
from traceability.parties.models import KeyAct, Member, PartyKey
from traceability.visibility import receipts
from traceability.visibility.rules import visible_events

from . import names

PAGE_SIZE = 50
_FORM_TIME = "%Y-%m-%dT%H:%M"
_ACTS = {
    "registered": gettext_lazy("Registered"),
    "retired": gettext_lazy("Retired"),
    "revoked": gettext_lazy("Revoked"),
}
_HEADER = ["log_entry", "event_time_utc", "signed_utc", "step", "place", "counts", "thing"]


def context(request: HttpRequest, key: PartyKey, zone: ZoneInfo) -> dict[str, Any]:
    """What the page shows; `?since=` (a local time) asks from when on, `?page=` turns the list's pages."""
    since_ms = since(request, zone)
    found = signed.events(key.kid, since_ms=_asked(key, since_ms))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    naming = names.Names().of_events(page.object_list)
    return {
        "key": key,
        "state": state(key, zone),
        "is_hosted": key.sealed_seed is not None,
        "may_end": key.revoked_ms is None,
        "may_rotate": key.sealed_seed is None and key.revoked_ms is None and key.retired_ms is None,
        "since": "" if since_ms is None else _local(since_ms, zone),
        "zone": zone.key,
        "would": None if since_ms is None else signed.tally(signed.would_void(key.kid, since_ms=_asked(key, since_ms))),
        "page": page,
        "more": f"&since={_local(since_ms, zone)}" if since_ms is not None else "",
        "events": [_event(event, naming, zone) for event in page.object_list],
        "acts": [
            {
                "what": _ACTS[act.kind],
                "at": names.moment(act.at_ms, zone),
                "since": names.moment(act.bad_since_ms, zone),
                "actor": act.actor,
                "reason": act.reason,
            }
            for act in KeyAct.objects.filter(kid=key.kid).order_by("at_ms", "pk")
        ],
    }


def state(key: PartyKey, zone: ZoneInfo) -> str:
    """Where a key stands, in words."""
    if key.revoked_ms is not None:
        return f"{_('Revoked')} {names.moment(key.revoked_ms, zone)}"
    if key.retired_ms is None:
        return _("In force")
    word = _("Retired since") if key.retired_ms <= now_ms() else _("In force until")
    return f"{word} {names.moment(key.retired_ms, zone)}"


def since(request: HttpRequest, zone: ZoneInfo) -> int | None:
    """The moment that the form asks for, None for none; one that cannot be read is none.

    Of the hour that comes twice when summer time ends it is the first: what is in doubt is asked for as well.
    """
    try:
        given = datetime.fromisoformat(request.POST.get("since") or request.GET.get("since", ""))
    except ValueError:
        return None
    if not 1900 <= given.year <= 9000:
        return None
    moment = given if given.tzinfo else given.replace(tzinfo=zone)
    return max(0, int(moment.timestamp() * 1000))


def revoke(request: HttpRequest, key: PartyKey, member: Member, zone: ZoneInfo) -> None:
    """Revoke as the form says. ConfirmationError, KeyActError."""
    reason = parties.confirm(member, request.POST.get("password", ""), request.POST.get("reason", ""))
    asked = since(request, zone)
    if asked is None and request.POST.get("since"):
        raise parties.KeyActError("bad-since", "the time cannot be read")
    parties.revoke_key(key=key, bad_since_ms=asked, warrant=parties.Warrant(member.pseudonym, reason))


def rotate(request: HttpRequest, key: PartyKey, member: Member) -> None:
    """Register a device's next key as the form says. ConfirmationError, KeyActError."""
    reason = parties.confirm(member, request.POST.get("password", ""), request.POST.get("reason", ""))
    hours = request.POST.get("overlap", "")
    try:
        public = bytes.fromhex(request.POST.get("public", "").strip())
        overlap_ms = int(hours) * 3_600_000 if hours.isascii() and hours.isdigit() and len(hours) < 6 else -1
        parties.rotate_device_key(
            key=key, public=public, overlap_ms=overlap_ms, warrant=parties.Warrant(member.pseudonym, reason)
        )
    except parties.KeyActError:
        raise
    except (ValueError, ledger.StatementError) as error:
        raise parties.KeyActError("public-key", str(error)) from error


def csv(request: HttpRequest, key: PartyKey, zone: ZoneInfo) -> StreamingHttpResponse:
    """Everything that the key signed since then, one line for each event and thing that it names."""
    found = signed.events(key.kid, since_ms=_asked(key, since(request, zone)))
    return csv_of(found, name=f"key-{key.kid[:16]}")


def withdrawn(request: HttpRequest, kid: str, member: Member, zone: ZoneInfo) -> dict[str, Any]:
    """A page of the records that do not count because of a key, for its alert, as far as the member may see them."""
    page = Paginator(visible_events(signed.disowned(kid), member.party), PAGE_SIZE).get_page(request.GET.get("page"))
    naming = names.Names().of_events(page.object_list)
    return {"page": page, "withdrawn": [_event(event, naming, zone) for event in page.object_list]}


def withdrawn_csv(alert: Alert, member: Member) -> StreamingHttpResponse:
    """All of them, as CSV; none for an alert on anything else."""
    found = visible_events(signed.disowned(alert.params.get("kid", "")), member.party)
    return csv_of(found, name=f"withdrawn-{alert.id}")


def csv_of(found: QuerySet[PublishedEvent], *, name: str) -> StreamingHttpResponse:
    """Events in the order of the log with the things that they name, as a CSV file."""
    return StreamingHttpResponse(
        csv_lines(_HEADER, _rows(found)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _rows(found: QuerySet[PublishedEvent]) -> Iterator[tuple[Any, ...]]:
    for part in _parts(found):
        things: dict[int, list[str]] = {event.index: [] for event in part}
        for row in signed.things(PublishedEvent.objects.filter(index__in=list(things))):
            if row.epc not in things[row.event_index][-1:]:
                things[row.event_index].append(row.epc)
        for event in part:
            for thing in things[event.index] or [""]:
                yield (
                    event.index, _utc(event.event_time_ms), _utc(event.iat * 1000), event.biz_step,
                    names.place_of(event), "no" if event.voided_by is not None else "yes", thing,
                )  # fmt: skip


def _parts(found: QuerySet[PublishedEvent]) -> Iterator[list[PublishedEvent]]:
    """The events in the order of the log, some at a time; by index, so that a growing log moves no page."""
    after = -1
    while part := list(found.filter(index__gt=after)[: bulk.CHUNK // 10]):
        receipts.shown((event.index, event.reporter) for event in part)
        yield part
        after = part[-1].index


def _asked(key: PartyKey, since_ms: int | None) -> int:
    if since_ms is None:
        return 0
    return signed.floor_hour(since_ms) if key.sealed_seed is not None else since_ms


def _event(event: PublishedEvent, naming: names.Names, zone: ZoneInfo) -> dict[str, Any]:
    receipts.shown([(event.index, event.reporter)])
    return {
        "index": event.index,
        "at": names.moment(event.event_time_ms, zone),
        "signed": names.moment(event.iat * 1000, zone),
        "step": names.step(event),
        "place": naming.place(names.place_of(event)),
        "counts": event.voided_by is None,
    }


def _local(ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(ms / 1000, zone).strftime(_FORM_TIME)


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
