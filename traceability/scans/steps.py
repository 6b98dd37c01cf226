"""What a step is: one thing a role does with goods, and the EPCIS event it becomes. Pure; the tables are beside it."""

from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise


class Shape(StrEnum):
    """How a step's codes become events."""

    COMMISSION = "commission"  # ObjectEvent ADD of packs, with lot and expiry
    OBSERVE = "observe"  # ObjectEvent OBSERVE of what was scanned
    DELETE = "delete"  # ObjectEvent DELETE: the thing's life ends
    PACK = "pack"  # AggregationEvent ADD: packs into a container
    UNPACK = "unpack"  # AggregationEvent DELETE: a container is opened, or packs are taken out of theirs
    LOT = "lot"  # ObjectEvent OBSERVE of a lot (class level)
    OPENING = "opening"  # ObjectEvent OBSERVE of goods that nobody recorded before, marked as opening stock
    DELIVERY = "delivery"  # two ObjectEvents OBSERVE: what was scanned is received, and goes on at once
    UNDO = "undo"  # error declaration of the last dispensing
    NONE = "none"  # nothing is recorded


@dataclass(frozen=True)
class Step:
    """A row of a role's step table."""

    id: str
    label: str | Promise
    hint: str | Promise
    shape: Shape
    biz_step: str = ""
    disposition: str = ""
    icon: str = "scan"
    needs: tuple[str, ...] = ()  # details the step asks for: receiver, despatch, container, lot, reason, quantity_left
    optional: tuple[str, ...] = ()
    from_statuses: tuple[str, ...] = ("active",)  # of the things scanned; others are a stop
    stops_on: tuple[
        str, ...
    ] = ()  # expired | recalled | held | frozen | unknown | elsewhere | from-patient | unverified
    persistent: tuple[str, ...] = ()  # persistentDisposition set
    unset: tuple[str, ...] = ()  # persistentDisposition unset
    then: tuple[str, str] = ("", "")  # bizStep and disposition of a delivery's second event
    high_risk: bool = False  # the portal asks for the password and a reason
    quality_only: bool = False  # members with role quality or admin
    is_overridable: bool = True  # whether a stop can be passed with a reason

    @property
    def ends_hold(self) -> bool:
        """Whether it lets goods go that were on hold."""
        return self.shape is Shape.OBSERVE and self.biz_step == "inspecting"

    @property
    def is_recorded(self) -> bool:
        return self.shape is not Shape.NONE


@dataclass(frozen=True)
class Table:
    """The steps of one role, in the order in which the portal shows them."""

    role: str
    steps: tuple[Step, ...] = field(default_factory=tuple)

    def step(self, step_id: str) -> Step | None:
        """The step of that id, or None."""
        return next((step for step in self.steps if step.id == step_id), None)
