"""The pages of reports, the same in both faces: the list, one report, its CSV and its proofs."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from traceability.common.csv_export import csv_lines
from traceability.web.shared import names

from .catalogue import REPORTS
from .frame import Answer, Asker, AsOf, Column, Report, as_of

PAGE_ROWS = 100
PAPER_ROWS = 2_000


def index(request: HttpRequest, asker: Asker) -> HttpResponse:
    """Which reports there are."""
    found = [report for report in REPORTS if asker.face in report.faces]
    return render(request, "shared/reports/index.html", {**_frame(asker), "reports": found})


def page(request: HttpRequest, asker: Asker, report_id: str) -> HttpResponse:
    """One report, a hundred rows a page; ?print=1: all rows that a person would print."""
    report, on_paper = _report(asker, report_id), request.GET.get("print") == "1"
    form = report.form(request.GET.dict(), asker=asker)
    context: dict[str, Any] = {**_frame(asker), "report": report, "form": form, "on_paper": on_paper}
    status = 200
    if form.is_bound and form.is_valid():
        stand = as_of()
        answer = report.run(asker, form.cleaned_data)
        context |= _shown(asker, answer, request.GET.get("after", ""), PAPER_ROWS if on_paper else PAGE_ROWS)
        context |= {"as_of": _told(stand, asker), "query": urlencode(form.data)}
    elif form.is_bound:
        status = 400
    return render(request, "shared/reports/report.html", context, status=status)


def csv(request: HttpRequest, asker: Asker, report_id: str) -> HttpResponse | StreamingHttpResponse:
    """All rows; the file's name says up to which log entry they were read."""
    report = _report(asker, report_id)
    form = report.form(request.GET.dict(), asker=asker)
    if not (form.is_bound and form.is_valid()):
        return page(request, asker, report_id)
    stand, answer = as_of(), report.run(asker, form.cleaned_data)
    rows = (
        [_exported(one, value) for one, value in zip(answer.columns, row, strict=True)] for row in answer.every_row()
    )
    response = StreamingHttpResponse(
        csv_lines([one.name for one in answer.columns], rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{report.id}-log-{stand.index}.csv"'
    return response


def proofs(request: HttpRequest, asker: Asker, report_id: str) -> HttpResponse:
    """The evidence bundle of what a report shows, for `python -m ledger.verify`; 404 where it has none."""
    report = _report(asker, report_id)
    form = report.form(request.GET.dict(), asker=asker)
    if not (form.is_bound and form.is_valid()):
        return page(request, asker, report_id)
    answer = report.run(asker, form.cleaned_data)
    if answer.proofs is None:
        raise Http404
    return HttpResponse(
        json.dumps(answer.proofs(), ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{report.id}-proofs.json"'},
    )


def _report(asker: Asker, report_id: str) -> Report:
    for report in REPORTS:
        if report.id == report_id and asker.face in report.faces:
            return report
    raise Http404


def _frame(asker: Asker) -> dict[str, Any]:
    return {
        "member": asker.member,
        "section": "reports",
        "base": f"{asker.face}/base.html",
        "face": asker.face,
        "list_url": f"{asker.face}:reports",
        "page_url": f"{asker.face}:report",
        "csv_url": f"{asker.face}:report-csv",
        "proofs_url": f"{asker.face}:report-proofs",
    }


def _shown(asker: Asker, answer: Answer, after: str, limit: int) -> dict[str, Any]:
    portion = answer.portion(after, limit)
    shown = [place for place, one in enumerate(answer.columns) if one.label]
    return {
        "answer": answer,
        "columns": [answer.columns[place] for place in shown],
        "rows": [_cells(answer.zone or asker.zone, answer.columns, row, shown) for row in portion.rows],
        "after": portion.after,
        "is_first": not after,
    }


def _cells(
    zone: ZoneInfo, columns: Sequence[Column], row: Sequence[Any], shown: Sequence[int]
) -> list[tuple[str, str]]:
    return [(columns[place].kind, _worded(zone, columns[place], row[place])) for place in shown]


def _worded(zone: ZoneInfo, column: Column, value: Any) -> str:
    """A value as people read it on the page; '–' for none."""
    if value is None or value == "":
        return "–"
    if column.kind == "moment":
        return names.moment(value, zone)
    if column.kind == "status":
        return str(names.STATUSES.get(value, value))
    if column.kind == "goods":
        return names.goods(value)
    if column.kind == "documents":
        return ", ".join(names.short_document(one) for one in str(value).split(", "))
    if column.kind == "yes":
        return str(_("yes")) if value else "–"
    return str(value)


def _exported(column: Column, value: Any) -> Any:
    """A value as programs read it in the CSV: times in UTC, words that stay the same."""
    if column.kind == "moment" and value is not None:
        moment = datetime.fromtimestamp(value / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if column.kind == "yes":
        return "yes" if value else "no"
    return value


def _told(stand: AsOf, asker: Asker) -> dict[str, Any]:
    return {
        "index": stand.index,
        "size": stand.size,
        "root": stand.root,
        "checkpoint": names.moment(stand.checkpoint_ms, asker.zone),
        "asked": names.moment(stand.asked_ms, asker.zone),
        "zone": asker.zone.key,
    }
