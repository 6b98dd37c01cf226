"""Founding the demo world: log, parties, products and people, through the services that every operator uses."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ledger import api as ledger
from traceability.parties import services as parties
from traceability.parties.models import Party as PartyRow
from traceability.products import links
from traceability.products import services as products
from traceability.products.models import TradeItem

from .world import CITIES, PROFILES, World

LICENCE_KINDS = {
    "manufacturer": "manufacture",
    "distributor": "wholesale",
    "hospital": "dispense",
    "pharmacy": "dispense",
}
AUTHORITY = "National Medicines Inspectorate"


@dataclass(frozen=True)
class Founded:
    """What the world's people need to get in."""

    tokens: dict[str, str]  # party id -> bearer token
    users: dict[str, dict[str, str]]  # user name -> password, party, role


def found(world: World) -> Founded:
    """Create everything of `world` that exists before the first event."""
    ledger.initialise(operator_name="Dosetrail demo")
    rows = {party_id: _party(world, party_id) for party_id in world.parties}
    _products(world, rows)
    tokens = {party_id: parties.issue_token(party=row, label="demo ERP") for party_id, row in rows.items()}
    users: dict[str, dict[str, str]] = {}
    for party_id, row in rows.items():
        users |= _people(party_id, row)
    return Founded(tokens=tokens, users=users)


def _party(world: World, party_id: str) -> PartyRow:
    party = world.parties[party_id]
    row = parties.create_party(id=party.id, name=party.name, roles=[party.role], gln=party.gln)
    latitude, longitude, time_zone, _ = CITIES[party.city]
    parties.save_site(
        id=party.site_id,
        party=row,
        name=f"{party.name}, {party.city}",
        gln=party.site_gln,
        latitude_e6=latitude,
        longitude_e6=longitude,
        time_zone=time_zone,
        city=party.city,
        country="CN",
    )
    if party.role in LICENCE_KINDS:
        first = world.lots[0].produced
        parties.save_licence(
            party=row,
            kind=LICENCE_KINDS[party.role],
            number=f"DEMO-{party.id.upper()}",
            authority=AUTHORITY,
            valid_from=first - timedelta(days=2 * 365),
            valid_to=first + timedelta(days=5 * 365),
        )
    return row


def _products(world: World, rows: Mapping[str, PartyRow]) -> None:
    for id_, name, source, low, high, low_seconds, high_seconds, freeze_sensitive in PROFILES:
        products.save_profile(
            id=id_,
            name=name,
            source=source,
            low_mc=low,
            high_mc=high,
            low_seconds=low_seconds,
            high_seconds=high_seconds,
            freeze_sensitive=freeze_sensitive,
        )
    items = {
        item.id: products.save_item(
            id=item.id,
            manufacturer=rows[item.manufacturer],
            gtin=item.gtin,
            nmpa_prefix=item.nmpa_prefix,
            name=item.name,
            generic_name=item.generic_name,
            strength=item.strength,
            pack_size=item.pack_size,
            authorisation=f"DEMO-MA-{item.gtin[-6:]}",
            profile_id=item.profile,
        )
        for item in world.items.values()
    }
    _leaflet(items["glarvia"])
    for lot in world.lots:
        row = products.save_lot(
            item=items[lot.item.id], number=lot.number, production_date=lot.produced, expiry_date=lot.expiry
        )
        report = f"Inspection report (demonstration)\nItem: {lot.item.name}\nLot: {lot.number}\nResult: conformant\n"
        products.attach_report(lot=row, filename=f"{lot.number}.txt", content=report.encode(), verdict="conformant")


def _leaflet(item: TradeItem) -> None:
    """One product leads to its maker's leaflet, in two languages; the addresses lead nowhere (RFC 2606)."""
    leaflets = [
        links.TargetLink(
            "epil", f"https://leaflets.{item.manufacturer_id}.example/{item.id}/{language.lower()}", title, language,
            is_default=language == "en",
        )
        for language, title in (("en", f"{item.name}: package leaflet"), ("zh-Hans", f"{item.name} 药品说明书"))
    ]  # fmt: skip
    links.change(item=item, lot=None, edit=lambda _: leaflets)


def _people(party_id: str, row: PartyRow) -> dict[str, dict[str, str]]:
    """Who may sign in; where recalls are signed there are two people who may."""
    roles = {"operator": "", "quality": "-quality"}
    if row.has_role("regulator"):
        roles = {"inspector": "-inspector", "quality": "-quality"}
    elif row.has_role("manufacturer"):
        roles["admin"] = "-admin"
    people = {}
    for role, ending in roles.items():
        name = f"{party_id}{ending}"
        password = f"demo-{secrets.token_urlsafe(9)}"
        parties.add_member(
            party=row,
            username=name,
            password=password,
            role=role,
            site_id=row.sites.values_list("id", flat=True).first(),
        )
        people[name] = {"password": password, "party": party_id, "role": role}
    return people
