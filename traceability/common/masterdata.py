"""Master data as folds read it: the version that the log held at an index (architecture.md, idea 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from . import bulk
from .models import MasterCode, MasterVersion
from .projection import LogEntry, Projection, in_force

KIND = "master-data"
# By what its subject is looked for, of each kind that is; further ones need a rebuild.
_CODES = {"item": ("gtin", "nmpa_prefix"), "site": ("party",)}

_BEARERS = bulk.Select(MasterCode.objects.values_list("code", "subject"), "code")


def at(subject: str, index: int) -> dict[str, Any] | None:
    """The body of the newest version of `subject` logged at or before `index`, or None."""
    row = MasterVersion.objects.filter(subject=subject, index__lte=index).order_by("-index").first()
    return row.body if row else None


def at_many(subjects: Sequence[str], index: int) -> dict[str, dict[str, Any]]:
    """`at` for many subjects in one query."""
    rows = MasterVersion.objects.filter(subject__in=subjects, index__lte=index).order_by("index")
    return {row.subject: row.body for row in rows}


def versions(subjects: Collection[str]) -> defaultdict[str, list[tuple[int, Any]]]:
    """All versions of these subjects, each with its index, oldest first."""
    found: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
    rows = MasterVersion.objects.order_by("index").values_list("index", "subject", "body")
    for index, subject, body in bulk.among(rows, "subject", subjects):
        found[subject].append((index, body))
    return found


def bearers(codes: Collection[str]) -> Mapping[str, set[str]]:
    """The subjects that have, or ever had, each of these codes (as `codes_of` spells them)."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for code, subject in _BEARERS(codes):
        found[code].add(subject)
    return found


def codes_of(subject: str, content: Mapping[str, Any]) -> Iterator[str]:
    """The codes by which a version of a subject is looked for: `<name>:<value>` for each that it has."""
    for name in _CODES.get(subject.partition(":")[0], ()):
        if content.get(name):
            yield f"{name}:{content[name]}"


def _apply(entries: Sequence[LogEntry]) -> None:
    found = [
        MasterVersion(
            index=entry.index,
            subject=entry.body["subject"],
            effective_ms=entry.body["effectiveTime"],
            body=entry.body["content"],
        )
        for entry in in_force([entry for entry in entries if entry.kind == KIND])
        if entry.body is not None
    ]
    MasterVersion.objects.bulk_create(found)
    codes = {(code, one.subject) for one in found for code in codes_of(one.subject, one.body)}
    MasterCode.objects.bulk_create(
        (MasterCode(key=f"{code} {subject}", code=code, subject=subject) for code, subject in codes),
        ignore_conflicts=True,
    )


MASTER_DATA = Projection(name="master-data", models=(MasterVersion, MasterCode), apply=_apply)
