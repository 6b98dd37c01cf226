"""The demo's witnesses: followers of the log with keys and databases of their own, and the policy that names them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("regulator", "distributor", "hospital")


@dataclass(frozen=True)
class WitnessProcess:
    """One witness of the demo: who it is, its own folder, where it listens."""

    name: str
    folder: Path
    listen: str

    @property
    def key_name(self) -> str:
        return f"{self.name}.dosetrail.example/witness"

    def environment(self) -> dict[str, str]:
        settings = {"DJANGO_SETTINGS_MODULE": "traceability.settings.follower", "DOSETRAIL_DATA_DIR": str(self.folder)}
        return {**os.environ, **settings}


def chosen(folder: Path, *, count: int, port: int) -> list[WitnessProcess]:
    """The first `count` witnesses, their folders below the demo's, on the ports from `port` on."""
    if not 0 <= count <= len(NAMES):
        raise ValueError(f"WITNESSES is a number from 0 to {len(NAMES)}")
    return [
        WitnessProcess(name, folder / f"witness-{name}", f"127.0.0.1:{port + place}")
        for place, name in enumerate(NAMES[:count])
    ]


def make_policy(
    witnesses: Sequence[WitnessProcess], *, vkeys: Sequence[str], log_url: str, manage: Sequence[str]
) -> str:
    """The policy of the demo: the regulator's witness must cosign, and one of the others where there are others.

    Makes the witnesses' keys where there are none.
    """
    lines = [f"log {vkey} {log_url}" for vkey in vkeys]
    for one in witnesses:
        show = [*manage, "witness", "--name", one.key_name, "--show-key"]
        key = subprocess.run(show, env=one.environment(), check=True, capture_output=True, text=True)
        lines.append(f"witness {one.name} {key.stdout.strip()} http://{one.listen}")
    first, *others = [one.name for one in witnesses]
    if others:
        lines += [f"group others any {' '.join(others)}", f"group all-of all {first} others", "quorum all-of"]
    else:
        lines.append(f"quorum {first}")
    return "".join(f"{line}\n" for line in lines)


def follow_command(one: WitnessProcess, *, log_url: str, policy: Path) -> list[str]:
    """What `supervisor` runs for a witness."""
    return [
        sys.executable, "-m", "traceability.supervisor", "follower", "follow", "--log", log_url,
        "--policy", str(policy), "--name", one.key_name, "--listen", one.listen,
    ]  # fmt: skip
