"""What our own rows say in CBV's words: items, lots, sites and parties as elements of a vocabulary."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from traceability.common import bulk
from traceability.epcis import times
from traceability.gs1 import digital_link, nmpa
from traceability.gs1.epc import NMPA_PREFIX
from traceability.gs1.errors import Gs1Error
from traceability.parties import services as parties
from traceability.parties.models import PARTY_NAMESPACE, SITE_NAMESPACE, Party, PartyIdentifier, Site

from . import services
from .models import Lot, TradeItem

ITEM, PLACE, PARTY = "https://id.gs1.org/01/", "https://id.gs1.org/414/", "https://id.gs1.org/417/"
_MICRO = 1_000_000


@dataclass(frozen=True)
class Field:
    """A column that an attribute of CBV means; `parse` and `show` translate between the attribute's text and it."""

    column: str
    parse: Callable[[str], Any] = str
    show: Callable[[Any], str] = str


def _micro_degrees(text: str) -> int:
    try:
        return int((Decimal(text) * _MICRO).to_integral_value())
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise ValidationError(f"{text[:40]!r} is not a number of degrees such as 31.2304") from error


def _degrees(micro: int) -> str:
    return format((Decimal(micro) / _MICRO).normalize(), "f")


def _day(text: str) -> date:
    try:
        return times.day(text[:10])
    except ValueError as error:
        raise ValidationError(f"{text[:40]!r} is not a date such as 2027-01-31") from error


_POSITION = (_micro_degrees, _degrees)
FIELDS: Mapping[type[Model], Mapping[str, Field]] = {
    TradeItem: {
        "regulatedProductName": Field("name"),
        "strengthDescription": Field("strength"),
        "netContentDescription": Field("pack_size"),
    },
    Lot: {"itemExpirationDate": Field("expiry_date", _day, date.isoformat)},
    Site: {
        "name": Field("name"),
        "city": Field("city"),
        "countryCode": Field("country"),
        "latitude": Field("latitude_e6", *_POSITION),
        "longitude": Field("longitude_e6", *_POSITION),
    },
    Party: {"name": Field("name")},
}


def key_of(uri: str) -> tuple[str, str]:
    """(scheme, value) by which a canonical URI's owner is found (`MasterDataProposal`); ('', '') for others."""
    for prefix, scheme in ((ITEM, "gtin"), (PLACE, "gln"), (PARTY, "pgln")):
        if uri.startswith(prefix):
            return scheme, uri.removeprefix(prefix).split("/")[0]
    if uri.startswith(NMPA_PREFIX):
        return "nmpa", nmpa.product_prefix(uri.removeprefix(NMPA_PREFIX))
    for namespace, scheme in ((SITE_NAMESPACE, "site"), (PARTY_NAMESPACE, "party")):
        if uri.startswith(namespace) and len(uri) - len(namespace) <= 64:
            return scheme, uri.removeprefix(namespace)
    return "", ""


def rows_of(uris: Collection[str]) -> dict[str, Model]:
    """Our own rows by the canonical URIs that name exactly them; others are left out. At most five queries."""
    keys = {uri: key_of(uri) for uri in uris}
    gtins = {value for scheme, value in keys.values() if scheme == "gtin"}
    found: dict[str, Model] = {}
    items = TradeItem.objects.select_related("manufacturer", "profile")
    found |= {f"{ITEM}{row.gtin}": row for row in bulk.among(items, "gtin", gtins)}
    found |= _lots(uris)
    sites = Site.objects.select_related("party")
    found |= {row.uri: row for row in bulk.among(sites, "gln", _values(keys, "gln"))}
    found |= {_site_uri(row): row for row in bulk.among(sites, "id", _values(keys, "site"))}
    named = PartyIdentifier.objects.select_related("party").filter(scheme="gln")
    found |= {f"{PARTY}{row.value}": row.party for row in bulk.among(named, "value", _values(keys, "pgln"))}
    found |= {row.uri: row for row in bulk.among(Party.objects.all(), "id", _values(keys, "party"))}
    return {uri: row for uri, row in found.items() if uri in keys}


def described(uris: Collection[str]) -> dict[str, dict[str, str]]:
    """What our own rows say of these URIs, by CBV's attribute names; URIs that name no row of ours are left out."""
    return {uri: said_by(row) for uri, row in rows_of(uris).items()}


def said_by(row: Model) -> dict[str, str]:
    """What one row says."""
    return {name: field.show(getattr(row, field.column)) for name, field in FIELDS[type(row)].items()}


def as_stated(uri_row: Model, name: str, value: Any) -> Any:
    """A stated value in the spelling that our row has for the same thing; as it is where it cannot be read."""
    field = FIELDS[type(uri_row)].get(name)
    if field is None or not isinstance(value, str | int | float) or isinstance(value, bool):
        return value
    try:
        return field.show(field.parse(str(value)))
    except ValidationError:
        return value


def with_values(name: str, values: Iterable[str]) -> set[str]:
    """The URIs of our rows whose attribute `name` has one of these values."""
    found: set[str] = set()
    for model, fields in FIELDS.items():
        if (field := fields.get(name)) is None:
            continue
        wanted = []
        for value in values:
            try:
                wanted.append(field.parse(value))
            except ValidationError:
                continue  # what cannot be read equals nothing
        found |= set(_uris(model._default_manager.filter(**{f"{field.column}__in": wanted})))
    return found


def having(name: str) -> set[str]:
    """The URIs of our rows that have this attribute at all."""
    models = [model for model, fields in FIELDS.items() if name in fields]
    return {uri for model in models for uri in _uris(model._default_manager.all())}


def places_of_parties(uris: Collection[str]) -> dict[str, set[str]]:
    """The sites of the parties that these URIs name (own URI, or GLN as party or as place), by URI."""
    keys = {uri: key_of(uri) for uri in uris}
    owners = {("party", value): value for value in _values(keys, "party")}
    named = PartyIdentifier.objects.filter(scheme="gln")
    for row in bulk.among(named, "value", _values(keys, "gln") | _values(keys, "pgln")):
        owners |= {("gln", row.value): row.party_id, ("pgln", row.value): row.party_id}
    sites: dict[str, set[str]] = {}
    for row in bulk.among(Site.objects.all(), "party_id", set(owners.values())):
        sites.setdefault(row.party_id, set()).update({row.uri, _site_uri(row)})
    return {uri: sites.get(owners[key], set()) for uri, key in keys.items() if key in owners and "/254/" not in uri}


def change(row: Model, stated: Mapping[str, str]) -> None:
    """Give our row these values, through the service that logs the version; ValidationError where one does not fit."""
    new: dict[str, Any] = {}
    for name, value in stated.items():
        field = FIELDS[type(row)][name]
        try:
            new[field.column] = field.parse(value)
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from error
    if isinstance(row, TradeItem):
        columns = ("name", "generic_name", "strength", "pack_size", "authorisation", "gtin", "nmpa_prefix")
        kept = {name: getattr(row, name) for name in columns}
        call = {**kept, **new, "manufacturer": row.manufacturer, "profile_id": row.profile_id}
        services.save_item(id=row.id, **call)
    elif isinstance(row, Lot):
        call = {"production_date": row.production_date, "expiry_date": row.expiry_date, **new}
        services.save_lot(item=row.item, number=row.number, **call)
    elif isinstance(row, Site):
        columns = ("name", "latitude_e6", "longitude_e6", "time_zone", "city", "country", "gln")
        parties.save_site(id=row.id, party=row.party, **{**{name: getattr(row, name) for name in columns}, **new})
    elif isinstance(row, Party):
        for column, value in new.items():
            setattr(row, column, value)
        parties.save_party(party=row)


def _lots(uris: Collection[str]) -> dict[str, Model]:
    wanted: dict[str, tuple[str, str]] = {}
    for uri in uris:
        if uri.startswith(ITEM) and "/10/" in uri:
            try:
                link = digital_link.parse(uri)
            except Gs1Error:
                continue  # what is no well-formed link names no lot of ours
            wanted[uri] = link.value, link.qualifier("10") or ""
    rows: QuerySet[Lot] = Lot.objects.select_related("item__manufacturer", "item__profile")
    gtins = {gtin for gtin, _ in wanted.values()}
    numbers = {number for _, number in wanted.values()}
    found = {
        (row.item.gtin or "", row.number): row
        for chunk in bulk.chunks(numbers)
        for row in bulk.among(rows.filter(number__in=chunk), "item__gtin", gtins)
    }
    return {uri: found[key] for uri, key in wanted.items() if key in found}


def _uris(rows: QuerySet[Any]) -> Iterable[str]:
    if rows.model is TradeItem:
        return (f"{ITEM}{gtin}" for gtin in rows.exclude(gtin=None).values_list("gtin", flat=True))
    if rows.model is Site:
        return (uri for row in rows for uri in (row.uri, _site_uri(row)))
    if rows.model is Lot:
        pairs = rows.exclude(item__gtin=None).values_list("item__gtin", "number")
        return (uri for gtin, number in pairs if (uri := _lot_uri(gtin, number)))
    glns = PartyIdentifier.objects.filter(scheme="gln", party__in=rows).values_list("value", flat=True)
    return [*(row.uri for row in rows), *(f"{PARTY}{gln}" for gln in glns)]


def _lot_uri(gtin: str, number: str) -> str:
    """A lot's URI; empty where GS1 allows no such number."""
    try:
        return digital_link.build(gtin=gtin, lot=number)
    except Gs1Error:
        return ""


def _site_uri(site: Site) -> str:
    return SITE_NAMESPACE + site.id


def _values(keys: Mapping[str, tuple[str, str]], scheme: str) -> set[str]:
    return {value for found, value in keys.values() if found == scheme}


def owned_by(party: Party) -> Q:
    """The condition on (scheme, value) that a party's own things meet; the party itself is the regulator's word."""
    glns = Q(value__in=party.sites.exclude(gln=None).values("gln")) | Q(
        value__in=party.identifiers.filter(scheme="gln").values("value")
    )
    return (
        Q(scheme="gtin", value__in=party.trade_items.exclude(gtin=None).values("gtin"))
        | Q(scheme="nmpa", value__in=party.trade_items.exclude(nmpa_prefix=None).values("nmpa_prefix"))
        | (Q(scheme="gln") & glns)
        | Q(scheme="site", value__in=party.sites.values("id"))
    )


def owners_of(keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], Party]:
    """Whose each (scheme, value) is; what is nobody's is left out. At most six queries."""
    values: dict[str, set[str]] = {}
    for scheme, value in keys:
        values.setdefault(scheme, set()).add(value)
    items = TradeItem.objects.select_related("manufacturer")
    sites = Site.objects.select_related("party")
    named = PartyIdentifier.objects.select_related("party").filter(scheme="gln")
    found: dict[tuple[str, str], Party] = {}
    for row in bulk.among(items, "gtin", values.get("gtin", ())):
        found["gtin", row.gtin] = row.manufacturer
    for row in bulk.among(items, "nmpa_prefix", values.get("nmpa", ())):
        found["nmpa", row.nmpa_prefix] = row.manufacturer
    for row in bulk.among(named, "value", values.get("gln", set()) | values.get("pgln", set())):
        found["gln", row.value] = found["pgln", row.value] = row.party
    for row in bulk.among(sites, "gln", values.get("gln", ())):
        found["gln", row.gln] = row.party
    for row in bulk.among(sites, "id", values.get("site", ())):
        found["site", row.id] = row.party
    for row in bulk.among(Party.objects.all(), "id", values.get("party", ())):
        found["party", row.id] = row
    return found
