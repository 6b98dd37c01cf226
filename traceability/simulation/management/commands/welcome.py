"""Say where the demo is, who can sign in and where to click first: the last lines of `make demo`."""

import json
import socket
from io import StringIO
from pathlib import Path
from typing import Any

import qrcode
from django.conf import settings
from django.core.management.base import BaseCommand

FIRST_USERS = ["regulator-inspector", "yangtze", "hosp-renji", "ph-bund", "huadong"]


class Command(BaseCommand):
    """Prints the address (a QR code too when other devices can reach it), demo users and three first clicks."""

    help = "Print the demo's address and users."

    def handle(self, *args: Any, **options: Any) -> None:
        world = json.loads((Path(settings.DATA_DIR) / "demo.json").read_text())
        base = f"http://{_reachable_host(settings.HOST)}:{settings.PORT}"
        self.stdout.write(f"\nDosetrail runs at {base}/   (Ctrl-C stops it)\n\n")
        if settings.HOST == "0.0.0.0":  # noqa: S104  # asked for by the user: the phone in the same network
            self.stdout.write(terminal_qr(base + "/"))
        self.stdout.write("Click first:\n")
        self.stdout.write(f"  a patient's pack   {base}{world['samples']['good']}\n")
        self.stdout.write(f"  one that got warm  {base}{world['samples']['cold_chain_break']}\n")
        self.stdout.write(f"  the alert list     {base}/regulator/   (sign in as regulator-inspector)\n")
        self.stdout.write(f"  the portal         {base}/portal/\n")
        self.stdout.write(f"  the log            {base}/log/\n\nUsers (all in demo.json):\n")
        for name in FIRST_USERS:
            user = world["users"][name]
            self.stdout.write(f"  {name:22} {user['password']}   {world['parties'][user['party']]['name']}\n")


def terminal_qr(text: str) -> str:
    """A QR code in half blocks, light on dark as most terminals are; in one piece, for each write ends a line."""
    drawn = StringIO()
    code = qrcode.QRCode(border=2)
    code.add_data(text)
    code.print_ascii(out=drawn, invert=True)
    return drawn.getvalue()


def _reachable_host(host: str) -> str:
    if host != "0.0.0.0":  # noqa: S104
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # documentation address: picks the outgoing interface, sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
