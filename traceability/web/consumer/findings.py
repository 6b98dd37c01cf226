"""What the rule contracts hold against a pack: open findings about the pack itself.

Findings about a container or a truck are not taken from there: what touched a pack while it was inside is worked out
from its own exposure (temperature.py).
"""

from traceability.contracts.models import Finding

# Both say the same to whoever holds the pack: this code was seen where one pack cannot have been.
_COPY_RULES = frozenset({"clone", "double_dispense"})


def says_copied(epc: str) -> bool:
    """Whether an open finding says that the code is in use more than once; S4 is a mere double scan."""
    found = Finding.objects.filter(subject=epc, retracted_index=None).exclude(severity="S4")
    rules = found.values_list("rule", flat=True)
    return any(rule.replace("-", "_") in _COPY_RULES for rule in rules)
