"""PostgreSQL ends the writer's connection, and with it the election, in the middle of a batch."""

import psycopg
import pytest
from django.db import DatabaseError, connection

from ledger import api, writer
from ledger.db_storage import DbTransaction, HighWaterFile

from .test_writer import log, mark, statement  # noqa: F401  # fixtures


def end_the_connection():
    """What an administrator, a fail-over or a broken network does to the connection that holds the election."""
    settings = connection.get_connection_params()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with psycopg.connect(
        host=settings.get("host"), port=settings.get("port"), user=settings.get("user"), dbname=settings["dbname"]
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


STEPS = {
    "before tx1 commits": (DbTransaction, "append"),
    "before the mark": (HighWaterFile, "write"),
    "before tx2 commits": (DbTransaction, "publish"),
}


@pytest.mark.parametrize("when", STEPS)
def test_the_batch_fails_and_the_next_writer_finishes_it(log, monkeypatch, when):  # noqa: F811
    owner, name = STEPS[when]
    step = getattr(owner, name)

    def lost(self, *arguments):
        step(self, *arguments)
        end_the_connection()

    api.submit([statement(1)])
    published = api.published_size()
    monkeypatch.setattr(owner, name, lost)
    with pytest.raises(DatabaseError):
        writer.sequence_once()
    monkeypatch.undo()
    connection.close()
    assert api.published_size() == published  # what the lost one began, nobody saw
    assert api.sequence_once() == (1 if when == "before tx1 commits" else 0)
    assert api.published_size() == published + 1
    assert api.fsck() == []
