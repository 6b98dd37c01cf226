"""What exists on one database only is collected on that one only."""

import os

collect_ignore = [] if os.environ.get("DOSETRAIL_TEST_DATABASE") == "postgresql" else ["test_lost_lock.py"]
