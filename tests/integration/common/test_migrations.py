"""Migrations of what all rooms share, applied to a database that has some."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from traceability.common import masterdata, rebuilding
from traceability.common.models import Cursor, MasterCode, MasterVersion

BEFORE, AFTER = [("common", "0003_cursors_know_their_schema")], [("common", "0004_codes_of_master_data")]
OLD_SCHEMA = "3b012f8157a29fd2610f8dee89d455ed10b9c2e1283fdc8071a01c3c8a9119a7"


@pytest.fixture
def old(transactional_db: None) -> Any:
    """The tables as they were before codes were kept; afterwards all migrations are applied."""
    executor = MigrationExecutor(connection)
    try:
        executor.migrate(BEFORE)
        yield executor.loader.project_state(BEFORE).apps
    finally:
        MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


def filled(apps: Any, schema: str = OLD_SCHEMA) -> None:
    """Two versions of an item, one of a site and of a lot, folded by what `schema` names."""
    versions = apps.get_model("common", "MasterVersion").objects
    for index, (subject, body) in enumerate(
        (
            ("item:a", {"gtin": "09521000001008", "nmpa_prefix": None}),
            ("item:a", {"gtin": "09521000001008", "nmpa_prefix": "8123456"}),
            ("site:s", {"party": "maker", "uri": "urn:x:s"}),
            ("lot:09521000001008:L1", {"gtin": "09521000001008"}),
        )
    ):
        versions.create(index=index, subject=subject, effective_ms=0, body=body)
    apps.get_model("common", "Cursor").objects.create(projection="master-data", position=4, schema=schema)


def test_what_was_folded_before_is_as_if_folded_now(old: Any) -> None:
    filled(old)
    MigrationExecutor(connection).migrate(AFTER)
    rows = MasterVersion.objects.values_list("subject", "body")
    wanted = {(code, subject) for subject, body in rows for code in masterdata.codes_of(subject, body)}
    assert wanted == {("gtin:09521000001008", "item:a"), ("nmpa_prefix:8123456", "item:a"), ("party:maker", "site:s")}
    assert set(MasterCode.objects.values_list("code", "subject")) == wanted
    assert {row.key for row in MasterCode.objects.all()} == {f"{code} {subject}" for code, subject in wanted}
    assert rebuilding.stale() == []


def test_what_another_version_had_built_is_still_to_be_rebuilt(old: Any) -> None:
    filled(old, schema="of another version")
    MigrationExecutor(connection).migrate(AFTER)
    assert rebuilding.stale()[0] is masterdata.MASTER_DATA


def test_back_and_forth_keeps_them(old: Any) -> None:
    filled(old)
    for there in (AFTER, BEFORE, AFTER):
        MigrationExecutor(connection).migrate(there)
    assert (MasterVersion.objects.count(), MasterCode.objects.count()) == (4, 3)
    assert (Cursor.objects.count(), rebuilding.stale()) == (1, [])
