"""`demo.json`: what there is in the demo world, for people, tests and load tools."""

import json
import os
from pathlib import Path
from typing import Any

from .bootstrap import Founded
from .plan import Incident, Plan
from .world import PROFILES, Pack, World

# The incident whose packs show a consumer outcome.
SAMPLE_OF_INCIDENT = {
    "warm_truck": "cold_chain_break",
    "frozen_box": "frozen",
    "cloned_serial": "cloned",
    "expired_sale": "expired",
    "double_dispense": "double_dispensed",
    "moved_after_recall": "recalled",
}


def summary(world: World, plan: Plan, founded: Founded, *, base_url: str, seed: int) -> dict[str, Any]:
    """The content of demo.json; passwords and tokens in clear, so it is written with mode 0600."""
    return {
        "base_url": base_url,
        "seed": seed,
        "users": founded.users,
        "tokens": founded.tokens,
        "parties": {
            party.id: {"name": party.name, "role": party.role, "gln": party.gln, "city": party.city}
            for party in world.parties.values()
        },
        "sites": {
            party.site_id: {"party": party.id, "gln": party.site_gln, "uri": party.site_uri, "city": party.city}
            for party in world.parties.values()
        },
        "products": {
            item.id: {"gtin": item.gtin, "nmpa_prefix": item.nmpa_prefix, "name": item.name, "profile": item.profile}
            | _limits(item.profile)
            for item in world.items.values()
        },
        "lots": [
            {
                "item": lot.item.id,
                "gtin": lot.item.gtin,
                "number": lot.number,
                "expiry": lot.expiry.isoformat(),
                "packs": len(lot.packs),
            }
            for lot in world.lots
        ],
        "stock": plan.stock(),
        "samples": {"good": _good(plan).link_path}
        | {
            SAMPLE_OF_INCIDENT[incident.kind]: incident.packs[0].link_path
            for incident in plan.incidents
            if incident.kind in SAMPLE_OF_INCIDENT
        },
        "incidents": [_incident(incident) for incident in plan.incidents],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` in one step, readable by its owner only."""
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
    os.replace(draft, path)


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "subject": incident.subject,
        "at_ms": incident.at_ms,
        "packs": [pack.epc for pack in incident.packs],
    }


def _limits(profile: str) -> dict[str, int]:
    low, high = next((entry[3], entry[4]) for entry in PROFILES if entry[0] == profile)
    return {"low_mc": low, "high_mc": high}


def _good(plan: Plan) -> Pack:
    """A pack of a cold lot that nothing happened to, still in stock at a pharmacy or hospital."""
    hit = {pack.lot for incident in plan.incidents for pack in incident.packs}
    return next(pack for pack in plan.in_stock() if pack.item.profile == "fridge" and pack.lot not in hit)
