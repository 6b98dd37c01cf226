"""Whom this house trusts: its policy file (C2SP tlog-policy), or its own log key and no witness where there is none."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from . import operator_keys
from .tlog import policy
from .tlog.policy import Policy


def policy_text() -> str:
    """The policy as its file says it."""
    path = getattr(settings, "LOG_POLICY_FILE", None)
    if path and Path(path).exists():
        return Path(path).read_text()
    return f"log {operator_keys.log_signer().verifier}\nquorum none\n"


def current() -> Policy:
    """The policy; PolicyError when the file is malformed."""
    return _parsed(policy_text())


@lru_cache(maxsize=4)
def _parsed(text: str) -> Policy:
    return policy.parse(text)
