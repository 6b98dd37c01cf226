"""Products, lots and places as JSON, both ways: what a call holds, what is answered, and which version that is."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.request import Request

from traceability.common.problems import ProblemError
from traceability.epcis import times
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Party, Site
from traceability.parties.selectors import NoSignerError
from traceability.products.models import Lot, TradeItem, UnknownIdentifier

from . import answers, bodies

Body = dict[str, Any]
# member of the body -> whether it must be there
ITEM: Mapping[str, bool] = {
    "gtin": False, "nmpaPrefix": False, "name": True, "genericName": True, "strength": True, "packSize": True,
    "authorisation": True, "profile": True,
}  # fmt: skip
LOT: Mapping[str, bool] = {"productionDate": True, "expiryDate": True}
PLACE: Mapping[str, bool] = {
    "name": True, "gln": False, "latitude": True, "longitude": True, "timeZone": True, "city": True, "country": True,
}  # fmt: skip
NUMBERS = ("latitude", "longitude")
# What the services call a member that has another name here.
_FIELDS = {
    "nmpa_prefix": "nmpaPrefix", "generic_name": "genericName", "pack_size": "packSize", "profile_id": "profile",
    "production_date": "productionDate", "expiry_date": "expiryDate", "time_zone": "timeZone",
    "latitude_e6": "latitude", "longitude_e6": "longitude",
}  # fmt: skip
MAX_DEGREES = 180


def item_body(item: TradeItem) -> Body:
    """A trade item as it is answered: public, since patients read it on the pack's page."""
    return {
        "id": item.id,
        "manufacturer": item.manufacturer_id,
        "gtin": item.gtin,
        "nmpaPrefix": item.nmpa_prefix,
        "name": item.name,
        "genericName": item.generic_name,
        "strength": item.strength,
        "packSize": item.pack_size,
        "authorisation": item.authorisation,
        "profile": item.profile_id,
    }


def lot_body(lot: Lot) -> Body:
    """A lot as it is answered."""
    return {
        "product": lot.item_id,
        "number": lot.number,
        "productionDate": lot.production_date.isoformat(),
        "expiryDate": lot.expiry_date.isoformat(),
    }


def place_body(site: Site) -> Body:
    """A place as it is answered."""
    return {
        "id": site.id,
        "uri": site.uri,
        "name": site.name,
        "gln": site.gln,
        "latitude": site.latitude_e6 / 1_000_000,
        "longitude": site.longitude_e6 / 1_000_000,
        "timeZone": site.time_zone,
        "city": site.city,
        "country": site.country,
    }


def unknown_body(row: UnknownIdentifier) -> Body:
    """A code that nobody registered, and the event that named it first."""
    return {
        "scheme": row.scheme,
        "value": row.value,
        "eventID": row.first_event_id,
        "firstSeen": answers.time_text(row.first_seen_ms),
    }


def version_of(body: Body) -> str:
    """The entity tag of what is answered (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'


def require_version(request: Request, current: Body | None) -> None:
    """Against lost updates: a change says which version it is about, a new thing that there is none.

    ProblemError: 428 without either header, 412 where the thing is another by now (RFC 6585, RFC 9110 section 13).
    """
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if match is None and none_match is None:
        detail = "send If-Match with the ETag that you read, or If-None-Match: * to make something new"
        raise ProblemError(428, "version-missing", detail)
    if (none_match is not None and (none_match != "*" or current is not None)) or (
        match is not None and (current is None or match != version_of(current))
    ):
        raise _changed()


def members(request: Request, known: Mapping[str, bool]) -> Body:
    """The call's members, each of its type; ProblemError names every one that is not."""
    given = dict(bodies.read_object(request))
    faults = [(name, "unknown-member", "is not a member of this") for name in sorted(given.keys() - known.keys())]
    faults += [(name, "missing", "must be there") for name, needed in known.items() if needed and name not in given]
    for name in given.keys() & known.keys():
        if given[name] is None and not known[name]:
            continue
        if name in NUMBERS:
            if not _is_degrees(given[name]):
                faults.append((name, "degrees", f"must be a number from -{MAX_DEGREES} to {MAX_DEGREES}"))
        elif not isinstance(given[name], str) or "\0" in given[name]:
            faults.append((name, "text", "must be a text without NUL"))
    if faults:
        raise refused(400, [{"field": name, "code": code, "message": f"{name[:60]} {w}"} for name, code, w in faults])
    return given


def day(given: Body, name: str) -> date:
    """The date in a member; ProblemError where it is none."""
    try:
        return times.day(given[name])
    except ValueError as error:
        raise refused(400, [{"field": name, "code": "date", "message": str(error)}]) from error


@contextmanager
def changing(party: Party) -> Iterator[None]:
    """One transaction, one at a time for a party; what the services refuse becomes a problem that names the member."""
    try:
        with transaction.atomic():
            # Of what is not there yet there is no row to lock: of two calls that make it the later one must see it.
            Party.objects.select_for_update(no_key=True).get(id=party.id)
            yield
    except ValidationError as error:
        by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
        errors = [
            {"field": _FIELDS.get(name, name), "code": one.code or "invalid", "message": message}
            for name, found in by_field.items()
            for one in found
            for message in one.messages
        ]
        codes = {one["code"] for one in errors}
        if "not-yours" in codes:  # another party made it since the view looked
            raise ProblemError(403, "not-yours", errors[0]["message"]) from error
        raise refused(409 if "unique" in codes else 400, errors) from error
    except Gs1Error as error:
        field = "gln" if "GLN" in error.detail else "gtin"
        raise refused(400, [{"field": field, "code": f"gs1-{error.code}", "message": error.detail}]) from error
    except NoSignerError as error:  # each change is a signed version
        raise ProblemError(409, "no-signing-key", str(error)) from error
    except IntegrityError as error:  # another party made the same thing at the same moment
        raise _changed() from error


def _is_degrees(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_DEGREES


def refused(status: int, errors: list[dict[str, str]]) -> ProblemError:
    """The problem of a body that cannot be taken, each fault with its field."""
    return ProblemError(status, "master-data", errors[0]["message"], errors=errors)


def _changed() -> ProblemError:
    return ProblemError(412, "version-changed", "it is another version by now: read it again, then change it")
