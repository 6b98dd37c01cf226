"""Run by the Python of QU4RTET's own venv, never by ours: EPCIS 1.2 documents through its parser, seconds of each.

Arguments: a JSON object for Django's DATABASES["default"], then the files of documents. Prints a list as JSON.
"""

import io
import json
import sys
import time
import warnings
from pathlib import Path


def main() -> None:
    """Make its tables, capture each document as its rule's parsing step does, with the business rules enforced."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        DATABASES={"default": json.loads(sys.argv[1])},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "quartet_capture", "quartet_epcis"],
        LOGGING_CONFIG=None,
        SECRET_KEY="of a database that lives as long as this run",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    warnings.simplefilter("ignore")  # one per event, that a time has no zone: not what is measured
    from quartet_epcis.models import Entry, Event
    from quartet_epcis.parsing.context_parser import BusinessEPCISParser

    seconds = []
    for name in sys.argv[2:]:
        content = Path(name).read_bytes()
        started = time.perf_counter()
        BusinessEPCISParser(io.BytesIO(content)).parse()
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds, "events": Event.objects.count(), "things": Entry.objects.count()}))


if __name__ == "__main__":
    main()
