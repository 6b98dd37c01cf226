"""`/healthz` of a member's node: whether it sees the log, keeps its copy, and has told what it found."""

import shutil
import time

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import health, member, models
from .health import Check

NAMES = ("database", "log_answers", "in_step", "reports", "disk")
_running: list[member.Node] = []


def watch(node: member.Node) -> None:
    """Let the view answer for this node; a process has one."""
    _running[:] = [node]


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when all is well, else 503 and what is not; numbers and words for callers of this machine only."""
    checks = judge(_running[0] if _running else None)
    detailed = health.is_from_here(request.META.get("REMOTE_ADDR", ""), request.headers)
    return JsonResponse(health.report(checks, detailed=detailed), status=200 if health.is_fine(checks) else 503)


def judge(node: member.Node | None) -> list[Check]:
    """The checks, in the order of NAMES; two queries. A witness that follows nothing has no log to be in step with."""
    try:
        kept = models.MonitorFinding.objects.count()
        waiting = models.MonitorFinding.objects.filter(delivered_ms=None).exclude(note="").count()
        checks = [Check("database", health.OK, "the database answers")]
        words = "signed reports that were not taken yet; detail: findings in all"
        reports = health.at_most("reports", waiting, 0, "reports", words, findings=kept)
    except DatabaseError as error:
        checks = [Check("database", health.FAILING, "the database does not answer", type(error).__name__)]
        reports = Check("reports", health.UNKNOWN, "only the database knows")
    if node is not None and node.url:
        checks += _following(node)
    try:
        free = shutil.disk_usage(settings.DATA_DIR).free
    except OSError:
        free = None
    disk = health.at_least("disk", free, settings.HEALTH_MIN_FREE_BYTES, "bytes", "free where this node's folder lies")
    return [*checks, reports, disk]


def _following(node: member.Node) -> list[Check]:
    limit, now = int(member.STALE_SECONDS), time.monotonic()
    in_step = health.at_most(
        "in_step", int(now - node.stepped), limit, "s", "time since the copy was last in step with what the log signed"
    )
    if node.damage:
        in_step = Check("in_step", health.FAILING, f"the copy is damaged: {node.damage}", "damaged")
    answers = health.at_most("log_answers", int(now - node.answered), limit, "s", "time since the log last answered")
    return [answers, in_step]
