"""Import master data from CSV: `manage.py import_csv KIND FILE --as PARTY`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.parties.models import Party
from traceability.products.csv_import import KINDS, import_csv


class Command(BaseCommand):
    """Stores all rows or none, and prints every fault with its line and column."""

    help = "Import master data from a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="party", required=True, help="party id that vouches for the data")

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"]).first()
        if party is None:
            raise CommandError(f"there is no party {options['party']}")
        report = import_csv(options["kind"], options["file"].read_bytes(), party=party)
        for error in report.errors:
            self.stderr.write(f"line {error.line}, {error.column or 'row'}: {error.message}")
        if report.errors:
            raise CommandError(f"{len(report.errors)} fault(s); nothing was stored")
        self.stdout.write(f"{report.rows} row(s) stored")
