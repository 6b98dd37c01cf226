"""All role tables; which steps a party has."""

from collections.abc import Collection

from . import distributor, hospital, manufacturer, pharmacy
from .steps import Step, Table

TABLES: tuple[Table, ...] = (manufacturer.TABLE, distributor.TABLE, hospital.TABLE, pharmacy.TABLE)


def steps_for(roles: Collection[str]) -> tuple[Step, ...]:
    """The steps of a party with these roles, each once, in the order of the tables."""
    return tuple(dict.fromkeys(step for table in TABLES if table.role in roles for step in table.steps))


def step_for(roles: Collection[str], step_id: str) -> Step | None:
    """One step of such a party, or None."""
    return next((step for step in steps_for(roles) if step.id == step_id), None)
