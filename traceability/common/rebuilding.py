"""Folding projections anew: begun once, gone on with after any interruption, by whichever process comes to it."""

import gc
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction

from .models import Cursor
from .projection import WIDE, Projection, Reading, advance, all_projections, digest, schema


def stale() -> list[Projection]:
    """The projections that another schema built, and all that come after the first of them: they read its tables."""
    known = dict(Cursor.objects.values_list("projection", "schema"))
    projections = all_projections()
    first = next((at for at, one in enumerate(projections) if known.get(one.name, schema(one)) != schema(one)), None)
    return [] if first is None else projections[first:]


def unfinished() -> list[Projection]:
    """The projections whose rebuild is under way."""
    names = set(Cursor.objects.filter(rebuild__isnull=False).values_list("projection", flat=True))
    return [one for one in all_projections() if one.name in names]


def begin(projections: Sequence[Projection], *, keep_digests: bool = False) -> None:
    """Mark projections for a rebuild, which forgets what they have built; `go_on` does the rest.

    A projection without tables only passes news on (alerts): it has said what it had to say and keeps its place.
    """
    with transaction.atomic():
        for one in projections:
            Cursor.objects.get_or_create(projection=one.name, defaults={"schema": schema(one)})
            before = {table._meta.label: digest(table) for table in one.models} if keep_digests else {}
            marks: dict[str, Any] = {"schema": "", "rebuild": before} if one.models else {"schema": schema(one)}
            Cursor.objects.filter(projection=one.name).update(**marks)


def go_on() -> Iterator[int]:
    """Fold what is marked until it has caught up; yields how many entries the marked have read, over all of them.

    Whatever was interrupted is taken up where it stopped. A worker of a running house may fold along.
    """
    marked = unfinished()
    names = [one.name for one in marked]
    for one in reversed(marked):  # the later read the earlier
        _empty(one)
    while _advance_all():
        yield sum(Cursor.objects.filter(projection__in=names).values_list("position", flat=True))


def _advance_all() -> int:
    """A wide batch through every projection, without looking for cycles among its rows: that takes long and finds none.

    The collector runs again between batches.
    """
    collects, reading = gc.isenabled(), Reading()
    gc.disable()
    try:
        return sum(advance(one, limit=WIDE, reading=reading) for one in all_projections())
    finally:
        if collects:
            gc.enable()


def finish() -> list[str]:
    """Take the marks off; the tables (labels) that are not what they were when the rebuild began, if that was noted."""
    changed = []
    with transaction.atomic():
        for cursor in Cursor.objects.select_for_update().filter(rebuild__isnull=False):
            tables = {table._meta.label: table for one in all_projections() for table in one.models}
            digests = cursor.rebuild or {}
            changed += [name for name, before in digests.items() if digest(tables[name]) != before]
        Cursor.objects.filter(rebuild__isnull=False).update(rebuild=None)
    return sorted(changed)


def rebuild(projections: Sequence[Projection] | None = None) -> Iterator[int]:
    """Begin, go on and finish at once, of all projections if none are given; yields as `go_on`."""
    begin(all_projections() if projections is None else projections)
    yield from go_on()
    finish()


def _empty(projection: Projection) -> None:
    """Forget what was built before the mark; what has been emptied since is left alone."""
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().get(projection=projection.name)
        if cursor.schema == "":
            for model in projection.models:
                model._default_manager.all().delete()
            cursor.position, cursor.schema = 0, schema(projection)
            cursor.save(update_fields=["position", "schema"])
