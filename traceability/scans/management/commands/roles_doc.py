"""Write docs/roles.md from the step tables: `manage.py roles_doc`."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from traceability.scans import profile, roles_doc

CORE = Path(settings.BASE_DIR) / "traceability" / "scans" / "profiles" / "core.json"


class Command(BaseCommand):
    """Overwrites the page."""

    help = "Write docs/roles.md from the step tables."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "roles.md"
        path.write_text(roles_doc.markdown(profile.read(CORE.read_text())))
        self.stdout.write(f"{path} written")
