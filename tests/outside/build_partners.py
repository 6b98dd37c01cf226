"""Founds a house with trading partners: python -m tests.outside.build_partners FOLDER. FOLDER/tokens has tokens."""

import json
import sys
from pathlib import Path

import django


def main(folder: Path) -> None:
    django.setup()
    from django.core.management import call_command

    from ledger import api
    from traceability.parties import services as parties

    call_command("migrate", verbosity=0)
    api.initialise(operator_name="Outside")
    tokens = {}
    for name, role in (("regulator", "regulator"), ("maker", "manufacturer"), ("stranger", "pharmacy")):
        party = parties.create_party(id=name, name=name.title(), roles=[role])
        tokens[name] = parties.issue_token(party=party, label="outside")
    (folder / "tokens").write_text(json.dumps(tokens))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
