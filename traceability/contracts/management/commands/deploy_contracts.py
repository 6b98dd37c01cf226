"""manage.py deploy_contracts: put rule contracts on the log in the regulator's name."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.contracts import services
from traceability.contracts.engine import TEMPLATES
from traceability.contracts.lifecycle import LifecycleError, Proposal
from traceability.contracts.parameters import ParameterError


class Command(BaseCommand):
    help = "Deploy the default rule contracts, or one contract with its own parameters and products."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--template", choices=sorted(TEMPLATES), help="deploy one contract of this template")
        parser.add_argument("--contract", help="its name (default: the template's)")
        parser.add_argument("--parameters", default="{}", help='JSON object, for example {"limit_mc": 8000}')
        parser.add_argument("--item", action="append", default=[], help="item id in its scope (repeat; none = all)")
        parser.add_argument("--propose", action="store_true", help="leave the approval to an inspector, in the browser")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            deployed = self._deploy(options)
        except (LifecycleError, ParameterError, json.JSONDecodeError) as error:
            raise CommandError(str(error)) from error
        for proposal in deployed:
            self.stdout.write(f"{proposal.contract}/{proposal.version} {proposal.definition[:12]} submitted")
        if not deployed:
            self.stdout.write("every default contract is deployed already")

    def _deploy(self, options: dict[str, Any]) -> list[Proposal]:
        if options["template"] is None:
            if options["propose"]:
                raise CommandError("--propose is about one contract: name its --template")
            return services.deploy_defaults()
        what = {
            "contract": options["contract"] or options["template"],
            "template": options["template"],
            "parameters": json.loads(options["parameters"]),
            "items": options["item"],
        }
        return [services.propose(**what) if options["propose"] else services.deploy(**what)]
