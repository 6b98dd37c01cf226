"""Master data as a fold needs it: by the identifier that an event carries, as the log knew it at an index."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from traceability.common import bulk
from traceability.common.models import MasterVersion
from traceability.common.projection import LogEntry
from traceability.contracts.facts import Limits
from traceability.contracts.geo import Point
from traceability.contracts.models import MasterKey
from traceability.gs1.epc import NMPA_PREFIX

_ITEM, _PLACE = "https://id.gs1.org/01/", "https://id.gs1.org/414/"


def item_lookup(uri: str) -> str:
    """Under what a pack, lot or product is looked up, or '' for something else (a container, a place)."""
    if uri.startswith(_ITEM):
        return f"gtin:{uri[len(_ITEM) :].split('/')[0]}"
    if uri.startswith(NMPA_PREFIX):
        return f"nmpa:{uri.removeprefix(NMPA_PREFIX)[:7]}"
    return ""


def place_lookup(uri: str) -> str:
    """Under what a place is looked up; a sub-site's extension is left out."""
    return f"place:{_PLACE}{uri[len(_PLACE) :].split('/')[0]}" if uri.startswith(_PLACE) else f"place:{uri}"


def keep_keys(entries: Sequence[LogEntry]) -> None:
    """Remember under which identifiers the master-data entries' subjects are known, where that is news."""
    named = [
        (entry.index, lookup, entry.body["subject"])
        for entry in entries
        if entry.kind == "master-data" and entry.body is not None
        for lookup in _lookups(entry.body["subject"], entry.body["content"])
    ]
    newest = {
        row.lookup: row.subject
        for row in bulk.among(MasterKey.objects.order_by("index"), "lookup", {lookup for _, lookup, _ in named})
    }
    rows = []
    for index, lookup, subject in named:
        if newest.get(lookup) != subject:
            newest[lookup] = subject
            rows.append(MasterKey(key=f"{lookup}@{index}", lookup=lookup, index=index, subject=subject))
    MasterKey.objects.bulk_create(rows)


def _lookups(subject: str, content: dict[str, Any]) -> Iterable[str]:
    kind = subject.partition(":")[0]
    if kind == "site":
        yield place_lookup(content.get("uri") or f"urn:dosetrail:site:{subject.partition(':')[2]}")
    elif kind == "item":
        if content.get("gtin"):
            yield f"gtin:{content['gtin']}"
        if content.get("nmpa_prefix"):
            yield f"nmpa:{content['nmpa_prefix']}"
    elif kind == "party":
        yield f"party:urn:dosetrail:{subject}"
        for row in content.get("identifiers", ()):
            if row["scheme"] == "gln":
                yield f"party:https://id.gs1.org/417/{row['value']}"
                yield f"party:https://id.gs1.org/414/{row['value']}"  # as software of EPCIS 1.2 names owners


class Reference:
    """The versions behind a set of lookups, read at once; every answer is as of an index."""

    def __init__(self, lookups: Collection[str]) -> None:
        self._keys: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for row in bulk.among(MasterKey.objects.order_by("index"), "lookup", set(lookups) - {""}):
            self._keys[row.lookup].append((row.index, row.subject))
        self._versions: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.load({subject for keys in self._keys.values() for _, subject in keys})

    def load(self, subjects: Collection[str]) -> None:
        """Read the versions of further subjects."""
        new = {subject for subject in subjects if subject not in self._versions}
        for row in bulk.among(MasterVersion.objects.order_by("index"), "subject", new):
            self._versions[row.subject].append((row.index, row.body))

    def load_profiles(self) -> None:
        """Read the storage profiles that any version of an item here names."""
        bodies = [body for name, versions in self._versions.items() if name.startswith("item:") for _, body in versions]
        self.load({f"profile:{body['profile']}" for body in bodies})

    def subject(self, lookup: str, index: int) -> str:
        return _at(self._keys.get(lookup, ()), index) or ""

    def body(self, subject: str, index: int) -> Any | None:
        return _at(self._versions.get(subject, ()), index)

    def versions(self, subject: str) -> Sequence[tuple[int, Any]]:
        return self._versions.get(subject, ())

    def changes(self, lookup: str) -> list[int]:
        """The entries from which something else is known under a lookup."""
        keys = self._keys.get(lookup, ())
        versions = [index for _, subject in keys for index, _ in self._versions.get(subject, ())]
        return sorted({*(index for index, _ in keys), *versions})

    def point(self, place: str, index: int) -> Point | None:
        """Where a place is, in micro-degrees."""
        body = self.body(self.subject(place_lookup(place), index), index) if place else None
        return (body["latitude_e6"], body["longitude_e6"]) if body else None

    def roles(self, party_uri: str, index: int) -> frozenset[str]:
        body = self.body(self.subject(f"party:{party_uri}", index), index)
        return frozenset(body["roles"]) if body else frozenset()

    def limits(self, item: str, index: int) -> Limits | None:
        """The storage limits of an item (subject "item:<id>"); `load_profiles` first."""
        body = self.body(item, index)
        profile = self.body(f"profile:{body['profile']}", index) if body else None
        if body is None or profile is None:
            return None
        return Limits(
            item=item.removeprefix("item:"),
            gtin=body.get("gtin") or "",
            profile=body["profile"],
            low_mc=profile["low_mc"],
            high_mc=profile["high_mc"],
            low_s=profile["low_seconds"],
            high_s=profile["high_seconds"],
            freeze_sensitive=profile["freeze_sensitive"],
            freeze_mc=profile["freeze_mc"],
            freeze_s=profile["freeze_seconds"],
        )


def _at(versions: Sequence[tuple[int, Any]], index: int) -> Any | None:
    if versions and versions[-1][0] <= index:  # most questions are about what is newer than all of them
        return versions[-1][1]
    place = bisect_right(versions, index, key=lambda version: version[0])
    return versions[place - 1][1] if place else None
