"""Whom this house trusts: its policy file (C2SP tlog-policy), or its own log keys and no witness without one."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import transaction

from . import models, operator_keys, writer
from .tlog import policy
from .tlog.policy import Policy


def policy_text() -> str:
    """The policy as its file says it."""
    path = getattr(settings, "LOG_POLICY_FILE", None)
    if path and Path(path).exists():
        return Path(path).read_text()
    return "".join(f"log {key}\n" for key in operator_keys.log_verifiers()) + "quorum none\n"


def read(path: str | None) -> Policy:
    """The policy in a file, or the one that holds; PolicyError when it is malformed."""
    return current() if path is None else policy.parse(Path(path).read_text())


def adopt(text: str) -> None:
    """Say on the log that this policy holds from now on, where it is not the one that holds already."""
    newest = models.PolicyVersion.objects.order_by("-id").first()
    if newest is not None and newest.text == text:
        return
    with transaction.atomic():
        version = models.PolicyVersion.objects.create(text=text, adopted_ms=operator_keys.now_ms())
        writer.queue([operator_keys.registrar_statement("policy", {"policy": text, "version": version.pk})])


def current() -> Policy:
    """The policy; PolicyError when the file is malformed."""
    return _parsed(policy_text())


@lru_cache(maxsize=4)
def _parsed(text: str) -> Policy:
    return policy.parse(text)
