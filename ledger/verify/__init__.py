"""The auditor's tool, `python -m ledger.verify`: a bundle, a proof, two checkpoints or a whole log, without us.

No Django, no database; only `log` and `consistency` given a URL touch the network.
"""

from .bundle import BundleError, CheckedBundle, CheckedEntry, check, check_claims, load
from .command import main

__all__ = ["BundleError", "CheckedBundle", "CheckedEntry", "check", "check_claims", "load", "main"]
