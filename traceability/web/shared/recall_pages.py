"""Recalls as their owner and the regulator see them: the list, a draft and its signatures, who was told, whom to call.

Both faces show the same pages; `Face` says what stands around them.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from traceability.common.clock import now_ms
from traceability.common.csv_export import csv_lines
from traceability.common.problems import ProblemError
from traceability.custody.lot_count import Balance
from traceability.parties.models import Member
from traceability.parties.services import ConfirmationError
from traceability.recalls import content as contents
from traceability.recalls import reach, responses, selectors
from traceability.recalls import services as recalls
from traceability.recalls.models import Notice, NoticeStep, Recall, RecallContact

from . import names, recall_words

Refused = ProblemError | ConfirmationError
CSV = (
    "organisation", "holder", "packs", "supplied", "told", "tell_by", "delivered", "channel", "opened", "answer_by",
    "answered", *responses.COUNTS, "reason", "statement_hash",
)  # fmt: skip


@dataclass(frozen=True)
class Face:
    """A face of the house: its base template and the namespace of its addresses."""

    base: str
    namespace: str

    def to(self, name: str, *args: str) -> HttpResponse:
        return redirect(f"{self.namespace}:{name}", *args)

    def page(
        self, request: HttpRequest, member: Member, template: str, context: dict[str, Any], status: int
    ) -> HttpResponse:
        around = {"member": member, "section": "recalls", "base": self.base, "ns": self.namespace}
        around |= {key: f"{self.namespace}:{name}" for key, name in _LINKS.items()}
        return render(request, template, around | context, status=status)


_LINKS = {
    "to_list": "recalls", "to_new": "recall-new", "to_recall": "recall", "to_edit": "recall-edit",
    "to_calls": "recall-calls", "to_csv": "recall-csv",
}  # fmt: skip


def listing(request: HttpRequest, member: Member, face: Face) -> HttpResponse:
    """The recalls that the member's party may see; POST sets whom others call in a recall."""
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("name", "phone", "email")}
        try:
            recalls.set_contact(member=member, **given)
        except ProblemError as error:
            status, context = error.status, _refused(error, request)
        else:
            messages.success(request, _("Saved."))
            return face.to("recalls")
    zone, naming = names.zone_of(member), names.Names()
    rows = list(selectors.owned(member.party))
    naming.learn(gtins={lot.gtin for row in rows for lot in row.lots.all()})
    contact = RecallContact.objects.filter(party=member.party).first()
    context |= {
        "rows": [_row(row, zone, naming) for row in rows],
        "may_sign": selectors.is_signer(member.party, member.role),
        "may_contact": member.role != Member.Role.OPERATOR,
        "contact": contact,
    }
    if "given" not in context:  # what was refused stays as it was typed
        context["given"] = {"name": contact.name, "phone": contact.phone, "email": contact.email} if contact else {}
    return face.page(request, member, "shared/recalls.html", context, status)


def edit(request: HttpRequest, member: Member, face: Face, recall_id: str = "") -> HttpResponse:
    """Write a new draft or change one."""
    if not selectors.is_signer(member.party, member.role):
        raise PermissionDenied
    recall = _own_draft(member, recall_id) if recall_id else None
    context: dict[str, Any] = {"given": _of_content(recall) if recall else {"lots": request.GET.get("lot", "")}}
    status = 200
    if request.method == "POST":
        given = _given(request)
        try:
            if recall is None:
                kept = recalls.draft(member=member, given=given, nonce=request.POST.get("nonce", ""))
            else:
                definition = request.POST.get("definition", "")
                kept = recalls.change(member=member, recall_id=recall_id, definition=definition, given=given)
        except ProblemError as error:
            status, context = error.status, _refused(error, request)
        else:
            return face.to("recall", kept.id)
    context |= {
        "recall": recall,
        "nonce_value": secrets.token_hex(16),
        "classes": [(key, text, *contents.CLOCKS[key]) for key, text in recall_words.CLASSES.items()],
        "max_text": contents.MAX_TEXT,
    }
    return face.page(request, member, "shared/recall_form.html", context, status)


def recall(request: HttpRequest, member: Member, face: Face, recall_id: str) -> HttpResponse:
    """A draft with scope and signatures, or a published recall with who was told; POST action=sign|discard|close."""
    found = _visible(member, recall_id)
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            return _act(request, member, face, found)
        except (ProblemError, ConfirmationError) as error:
            status = error.status if isinstance(error, ProblemError) else 403
            context = _refused(error, request)
    zone, naming = names.zone_of(member), names.Names()
    is_owner = found.owner_id == member.party_id
    signed = selectors.signatures(found)
    context |= {
        "recall": found,
        "row": _row(found, zone, naming),
        "content": found.content,
        "level": recall_words.CLASSES.get(found.content["class"], found.content["class"]),
        "balances": [_balance(lot, balance, naming) for lot, balance in selectors.balances(found).items()],
        "signed": [(name, pseudonym, names.moment(at, zone)) for name, pseudonym, at in signed],
        "has_signed": member.pseudonym in {pseudonym for _name, pseudonym, _at in signed},
        "wanted": recalls.SIGNATURES,
        "may_sign": is_owner and selectors.is_signer(member.party, member.role),
        "in_force": found.state == Recall.State.DRAFT or reach.is_in_force(found, reach.custody_position()),
        "zone": zone.key,
    }
    if found.state != Recall.State.DRAFT:
        context |= {
            "progress": selectors.progress(found),
            "counts": recall_words.COUNTS,
            "notices": _notices(selectors.notices(found), zone, naming),
            "closed": names.moment(found.closed_ms, zone),
        }
    return face.page(request, member, "shared/recall.html", context, status)


def calls(request: HttpRequest, member: Member, face: Face, recall_id: str) -> HttpResponse:
    """Whom the owner has to call, with contacts, to be printed; POST notes a call that was made."""
    found = _visible(member, recall_id)
    if found.state == Recall.State.DRAFT:
        raise Http404
    context: dict[str, Any] = {}
    status = 200
    if request.method == "POST":
        notice = found.notices.select_related("recall").filter(id=request.POST.get("notice", "")).first()
        if notice is None:
            raise Http404
        try:
            responses.note_call(member=member, notice=notice, remark=request.POST.get("remark", ""))
        except ProblemError as error:
            told = [replace(one, field=f"{one.field}_{notice.id}") for one in recall_words.explain(error)]
            status, context = error.status, {"errors": told, "faulty": notice.id}
        else:
            messages.success(request, _("Noted."))
            return face.to("recall-calls", recall_id)
    zone, naming = names.zone_of(member), names.Names()
    rows = list(selectors.late(found))
    contacts = {row.party_id: row for row in RecallContact.objects.filter(party__in=[row.party_id for row in rows])}
    context |= {
        "recall": found,
        "row": _row(found, zone, naming),
        "rows": [
            shown | {"contact": contacts.get(one.party_id or "")}
            for one, shown in zip(rows, _notices(rows, zone, naming), strict=True)
        ],
        "may_call": found.owner_id == member.party_id and selectors.is_signer(member.party, member.role),
        "printed": names.moment(now_ms(), zone),
        "zone": zone.key,
    }
    return face.page(request, member, "shared/recall_calls.html", context, status)


def holders_csv(request: HttpRequest, member: Member, recall_id: str) -> StreamingHttpResponse:
    """Who was told, with what came back, one line for each holder."""
    found = _visible(member, recall_id)
    if found.state == Recall.State.DRAFT:
        raise Http404
    response = StreamingHttpResponse(csv_lines(CSV, _csv_rows(found)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="recall-{found.id}.csv"'
    return response


def state_of(notice: Notice, now: int) -> str:
    """Where a notice stands, as a key of `recall_words.NOTICE_STATES`."""
    if not (notice.packs or notice.supplied):
        return "none"
    if notice.answered_ms is not None:
        return "answered"
    if now > notice.answer_by_ms or (
        notice.delivered_ms is None and (now > notice.deliver_by_ms or not notice.party_id)
    ):
        return "late"
    if notice.opened_ms is not None:
        return "opened"
    return "delivered" if notice.delivered_ms is not None else "waiting"


def lots_shown(found: Recall, naming: names.Names) -> list[dict[str, str]]:
    """The lots of a recall by product and number."""
    rows = [(lot.gtin, lot.lot) for lot in found.lots.all()]
    naming.learn(gtins={gtin for gtin, _lot in rows})
    return [{"product": naming.product(gtin), "gtin": gtin, "lot": lot or _("every lot")} for gtin, lot in sorted(rows)]


def _act(request: HttpRequest, member: Member, face: Face, found: Recall) -> HttpResponse:
    action, definition = request.POST.get("action"), request.POST.get("definition", "")
    if action == "sign":
        done = recalls.sign(
            member=member, recall_id=found.id, definition=definition, password=request.POST.get("password", "")
        )
        text = _("Signed. Another person must sign the same text.")
        if done.state == Recall.State.PUBLISHED:
            text = _("Signed and published. Holders are told within seconds.")
        messages.success(request, text)
        return face.to("recall", found.id)
    if action == "discard":
        recalls.discard(member=member, recall_id=found.id, definition=definition)
        messages.success(request, _("The draft is gone."))
        return face.to("recalls")
    if action == "close":
        recalls.close(member=member, recall_id=found.id, remark=request.POST.get("remark", ""))
        messages.success(request, _("Closed. Nobody is told any more; the lots stay recalled."))
        return face.to("recall", found.id)
    raise Http404


def _refused(error: Refused, request: HttpRequest) -> dict[str, Any]:
    errors = recall_words.explain(error)
    return {"errors": errors, "wrong": {one.field: one.text for one in errors}, "given": request.POST}


def _visible(member: Member, recall_id: str) -> Recall:
    found = selectors.find(member.party, recall_id)
    if found is None:
        raise Http404
    if found.state == Recall.State.DRAFT and not selectors.is_signer(member.party, member.role):
        raise PermissionDenied
    return found


def _own_draft(member: Member, recall_id: str) -> Recall:
    found = _visible(member, recall_id)
    if found.owner_id != member.party_id or found.state != Recall.State.DRAFT:
        raise Http404
    return found


def _given(request: HttpRequest) -> dict[str, Any]:
    fields = ("class", "reason", "instruction", "deliver_hours", "answer_hours")
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in fields}
    return given | {"lots": request.POST.get("lots", "").splitlines(), "drill": request.POST.get("drill") == "1"}


def _of_content(found: Recall) -> dict[str, Any]:
    content = contents.of_public(found.content)
    return {
        "class": content.level,
        "lots": "\n".join(f"{gtin} {lot or contents.EVERY_LOT}" for gtin, lot in content.lots),
        "reason": content.reason,
        "instruction": content.instruction,
        "deliver_hours": content.deliver_hours,
        "answer_hours": content.answer_hours,
        "drill": "1" if content.is_drill else "",
    }


def _row(found: Recall, zone: ZoneInfo, naming: names.Names) -> dict[str, Any]:
    state = found.state
    if state == Recall.State.DRAFT and found.signatures.filter(definition=found.definition).exists():
        state = "signed"
    word, tone = recall_words.STATES[state]
    return {
        "recall": found,
        "state": word,
        "tone": tone,
        "lots": lots_shown(found, naming),
        "at": names.moment(found.published_ms or found.created_ms, zone),
    }


def _balance(lot: tuple[str, str], balance: Balance, naming: names.Names) -> dict[str, Any]:
    """A lot's balance as figures and as parts of a bar of 1000 units."""
    parts, left, total = [], 0.0, balance.commissioned + balance.opening
    for name, word in recall_words.BALANCE.items():
        packs = getattr(balance, name)
        width = round(1000 * packs / total, 2) if total else 0
        parts.append({"name": name, "word": word, "packs": packs, "x": round(left, 2), "width": width})
        left += width
    return {
        "product": naming.product(lot[0]),
        "gtin": lot[0],
        "lot": lot[1],
        "balance": balance,
        "parts": parts,
        "total": total,
    }


def _notices(rows: Iterable[Notice], zone: ZoneInfo, naming: names.Names) -> list[dict[str, Any]]:
    """Notices with their places, steps and newest answer; the names on all of them are read at once."""
    found = list(rows)
    people = selectors.names_of({step.actor for one in found for step in one.steps.all() if step.actor} - {""})
    versions = [version for one in found for version in list(one.versions.all())[:1]]
    naming.learn(
        parties_of=[one.holder for one in found], places={row[2] for version in versions for row in version.places}
    )
    return [_notice(one, zone, naming, people) for one in found]


def _notice(one: Notice, zone: ZoneInfo, naming: names.Names, people: Mapping[str, str]) -> dict[str, Any]:
    word, tone = recall_words.NOTICE_STATES[state_of(one, now_ms())]
    version = next(iter(one.versions.all()), None)
    answer = next(iter(one.acknowledgements.all()), None)
    places = [(place, status, packs) for _gtin, _lot, place, status, packs in (version.places if version else [])]
    return {
        "notice": one,
        "holder": naming.party(one.holder),
        "state": word,
        "tone": tone,
        "told": names.moment(one.created_ms, zone),
        "deliver_by": names.moment(one.deliver_by_ms, zone),
        "answer_by": names.moment(one.answer_by_ms, zone),
        "answered": names.moment(one.answered_ms, zone),
        "places": [(naming.place(place), names.STATUSES.get(status, status), packs) for place, status, packs in places],
        "steps": [_step(step, zone, people) for step in one.steps.all()],
        "answer": answer,
        "answer_counts": [(recall_words.COUNTS[name], answer.counts[name]) for name in responses.COUNTS]
        if answer
        else [],
    }


def _step(step: NoticeStep, zone: ZoneInfo, people: Mapping[str, str]) -> dict[str, Any]:
    return {
        "word": recall_words.STEPS[step.kind],
        "channel": recall_words.CHANNELS[step.channel],
        "at": names.moment(step.at_ms, zone),
        "who": people.get(step.actor, ""),
        "detail": step.detail,
    }


def _csv_rows(found: Recall) -> Iterator[Sequence[Any]]:
    naming = names.Names()
    rows = list(selectors.notices(found))
    naming.learn(parties_of=[row.holder for row in rows])
    for row in rows:
        answer = next(iter(row.acknowledgements.all()), None)
        receipt = next((step for step in row.steps.all() if step.kind in {"delivered", "opened"}), None)
        counts = [answer.counts[name] if answer else "" for name in responses.COUNTS]
        yield [
            naming.party(row.holder), row.holder, row.packs, row.supplied, _iso(row.created_ms),
            _iso(row.deliver_by_ms), _iso(row.delivered_ms), receipt.channel if receipt else "", _iso(row.opened_ms),
            _iso(row.answer_by_ms), _iso(row.answered_ms), *counts, answer.reason if answer else "",
            answer.statement_hash if answer else "",
        ]  # fmt: skip


def _iso(ms: int | None) -> str:
    if ms is None:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
