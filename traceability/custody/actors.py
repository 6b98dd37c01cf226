"""Whose place it is, and whom a destination names: master data as the log held it at an index."""

from collections.abc import Collection

from traceability.common import masterdata
from traceability.parties import selectors as parties
from traceability.parties.models import PARTY_NAMESPACE


class Actors:
    """The parties of some places and destinations at an index; four queries. What is not registered is left out."""

    def __init__(self, places: Collection[str], destinations: Collection[str], *, as_of: int) -> None:
        sites = parties.sites_by_uri([place for place in places if place])
        versions = masterdata.at_many(sorted({f"site:{site.id}" for site in sites.values()}), as_of)
        self.of_places = {
            place: PARTY_NAMESPACE + body["party"]
            for place, site in sites.items()
            if (body := versions.get(f"site:{site.id}")) is not None
        }
        named = parties.ids_by_uri([uri for uri in destinations if uri])
        known = masterdata.at_many(sorted({f"party:{one}" for one in named.values()}), as_of)
        self.by_destination = {uri: PARTY_NAMESPACE + one for uri, one in named.items() if f"party:{one}" in known}
