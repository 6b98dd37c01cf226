"""Fills the log of a new house: python -m tests.outside.build_log FOLDER SIZE …

At each SIZE the newest checkpoint is kept as FOLDER/checkpoint-SIZE. Some statements are as long as an entry may be.
"""

import secrets
import sys
from pathlib import Path

import django

PARTY = "urn:dosetrail:party:outside"
BATCH = 5_000


def main(folder: Path, sizes: list[int]) -> None:
    django.setup()
    from django.core.management import call_command

    from ledger import api

    call_command("migrate", verbosity=0)
    api.initialise(operator_name="Outside")
    key = api.generate_key()
    api.register_key(public=key.public, party_uri=PARTY)
    api.submit([longest(api, key)])
    api.sequence_once()
    for size in sizes:
        while (missing := size - api.published_size()) > 0:
            api.submit(
                [
                    api.sign_statement(key=key, iss=PARTY, kind="event", payload=secrets.token_bytes(32), iat=0)
                    for _ in range(min(missing, BATCH))
                ]
            )
            api.sequence_once()
        newest = api.latest_checkpoint()
        assert newest is not None
        assert newest.size == size
        (folder / f"checkpoint-{size}").write_text(newest.note)


def longest(api: object, key: object) -> bytes:
    """A statement of exactly 65,535 bytes."""

    def statement(length: int) -> bytes:
        payload = {"gtin": "09521000001008", "lot": "x" * length}
        return api.sign_statement(key=key, iss=PARTY, kind="recall-notice", payload=payload, iat=0)

    return statement(65_000 + 65_535 - len(statement(65_000)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
