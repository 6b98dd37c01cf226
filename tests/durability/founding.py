"""Founds the small house of the integration tests in whatever database the settings name; says what is there."""

import json
import sys

import django


def main() -> None:
    """Migrate and found; one line of JSON on standard output."""
    django.setup()
    from django.core.management import call_command

    from tests.integration import conftest
    from traceability.contracts import services as contracts
    from traceability.parties import services as parties

    call_command("migrate", verbosity=0)
    house = conftest.house.__wrapped__(None)  # type: ignore[attr-defined]
    parties.add_member(
        party=house.parties["maker"], username="maker", password="a-long-demo-password", role="admin", site_id=None
    )
    contracts.deploy_defaults()
    house.settle()
    places = {name: house.place(name) for name in house.parties}
    sys.stdout.write(json.dumps({"tokens": house.tokens, "places": places}) + "\n")


if __name__ == "__main__":
    main()
