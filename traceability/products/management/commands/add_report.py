"""`manage.py add_report ITEM LOT FILE --verdict VERDICT`: the inspection report that a lot is released on."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.products import services
from traceability.products.models import Lot


class Command(BaseCommand):
    help = "Keep a lot's inspection report; its hash goes on the log with the lot's new version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("item", help="item id")
        parser.add_argument("lot", help="lot number")
        parser.add_argument("file", type=Path)
        parser.add_argument("--verdict", required=True, choices=("conformant", "non_conformant"))

    def handle(self, *args: Any, **options: Any) -> None:
        lot = (
            Lot.objects.select_related("item__manufacturer").filter(item=options["item"], number=options["lot"]).first()
        )
        if lot is None:
            raise CommandError(f"there is no lot {options['lot']} of the item {options['item']}")
        path: Path = options["file"]
        try:
            report = services.attach_report(
                lot=lot, filename=path.name, content=path.read_bytes(), verdict=options["verdict"]
            )
        except OSError as error:
            raise CommandError(f"the file cannot be read: {error.strerror}") from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"{report.sha256}  {path.name}")
