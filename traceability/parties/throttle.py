"""Guessing passwords takes time: after some failures a user name must wait, whether it exists or not."""

from django.db import transaction
from django.utils.crypto import salted_hmac

from traceability.common.clock import now_ms

from .models import SignInFailure

MAX_FAILURES = 10
WINDOW_MS = 15 * 60 * 1000


def wait_seconds(username: str) -> int:
    """How long the user name has to wait before its password is looked at again; 0 = not at all."""
    newest = SignInFailure.objects.filter(name=_name(username), at_ms__gt=now_ms() - WINDOW_MS).order_by("-at_ms")
    failures = list(newest.values_list("at_ms", flat=True)[:MAX_FAILURES])
    if len(failures) < MAX_FAILURES:
        return 0
    return -(-(failures[-1] + WINDOW_MS - now_ms()) // 1000)


def note_failure(username: str) -> None:
    """Count a wrong password."""
    now = now_ms()
    with transaction.atomic():
        SignInFailure.objects.filter(at_ms__lte=now - WINDOW_MS).delete()
        SignInFailure.objects.create(name=_name(username), at_ms=now)


def forget(username: str) -> None:
    """The right password was given."""
    if SignInFailure.objects.filter(name=_name(username)).exists():
        with transaction.atomic():
            SignInFailure.objects.filter(name=_name(username)).delete()


def _name(username: str) -> str:
    """A keyed hash: what is typed as user name is sometimes a password."""
    return salted_hmac("dosetrail.sign-in", username.strip().lower()).hexdigest()
