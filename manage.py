#!/usr/bin/env python
"""Django's command line, unless DJANGO_SETTINGS_MODULE says otherwise on the embedded settings; a member's node
(`follow`, `witness`) has settings of its own."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    settings = "follower" if sys.argv[1:2] in (["follow"], ["witness"]) else "embedded"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"traceability.settings.{settings}")
    execute_from_command_line(sys.argv)
