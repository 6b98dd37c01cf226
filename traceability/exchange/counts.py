"""How much of what goes out stands where, for the metrics."""

from django.db.models import Count

from .models import Channel, Delivery, Subscription


def counts(model: type[Subscription | Channel | Delivery]) -> list[tuple[str, int]]:
    """How many rows are in each state."""
    rows = model._default_manager.values("state").annotate(number=Count("pk")).order_by()
    found = {row["state"]: row["number"] for row in rows}
    return [(str(state), found.get(state, 0)) for state in model.State.values]
