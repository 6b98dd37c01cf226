"""Keys at rest: production refuses to start with a bad key file; changing the key changes all seals or none."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from ledger import api as ledger
from ledger.models import LogKey
from tests.integration.conftest import House
from traceability.alerts.projection import alert_id
from traceability.capture.prepare import minted_id as _minted_id
from traceability.common import sealing
from traceability.common.models import DerivedKey
from traceability.parties import selectors
from traceability.parties.models import PartyKey

ROOT = Path(__file__).resolve().parents[3]


def key_file(folder: Path, *, content: bytes | None = None, mode: int = 0o600, name: str = "key") -> Path:
    path = folder / name
    path.write_bytes(os.urandom(32) if content is None else content)
    path.chmod(mode)
    return path


def starts(folder: Path, **changes: str | None) -> "subprocess.CompletedProcess[str]":
    """Whether production settings load with these variables."""
    good = {
        "DOSETRAIL_SECRET_KEY_FILE": str(key_file(folder, name="secret")),
        "DOSETRAIL_KEY_ENCRYPTION_KEY_FILE": str(key_file(folder))
        if "DOSETRAIL_KEY_ENCRYPTION_KEY_FILE" not in changes
        else "",
        "DOSETRAIL_HOSTS": "trace.example",
        "DOSETRAIL_LOG_ORIGIN": "trace.example/log",
        "DOSETRAIL_DATA_DIR": str(folder / "data"),
        "PGDATABASE": "dosetrail",
        "DOSETRAIL_REDIS_URL": "redis://127.0.0.1:1/0",
    }
    environment = {name: value for name, value in {**os.environ, **good, **changes}.items() if value is not None}
    command = [sys.executable, "-c", "import traceability.settings.production as s; print(len(s.KEY_ENCRYPTION_KEY))"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_starts_with_a_good_key_file(tmp_path: Path) -> None:
    """The positive control of the refusals below."""
    found = starts(tmp_path)
    assert (found.returncode, found.stdout.strip()) == (0, "32"), found.stderr


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0o640, "readable by its owner only"),
        (None, 0o604, "readable by its owner only"),
        (b"short", 0o600, "fewer than 32 bytes"),
        (b"", 0o600, "fewer than 32 bytes"),
    ],
)
def test_production_refuses_a_bad_key_file(tmp_path: Path, content: bytes | None, mode: int, said: str) -> None:
    path = key_file(tmp_path, content=content, mode=mode, name="bad")
    found = starts(tmp_path, DOSETRAIL_KEY_ENCRYPTION_KEY_FILE=str(path))
    assert found.returncode == 1
    assert "ImproperlyConfigured" in found.stderr
    assert said in found.stderr


@pytest.mark.parametrize("value", [None, "", "/nonexistent/key"])
def test_production_does_not_start_without_one(tmp_path: Path, value: str | None) -> None:
    found = starts(tmp_path, DOSETRAIL_KEY_ENCRYPTION_KEY_FILE=value)
    assert found.returncode == 1
    assert "ImproperlyConfigured: DOSETRAIL_KEY_ENCRYPTION_KEY_FILE" in found.stderr


def test_a_credential_of_systemd_may_show_the_mask_of_its_access_list(tmp_path: Path) -> None:
    path = str(key_file(tmp_path, mode=0o440, name="credential"))
    assert starts(tmp_path, DOSETRAIL_KEY_ENCRYPTION_KEY_FILE=path, CREDENTIALS_DIRECTORY=str(tmp_path)).returncode == 0
    assert starts(tmp_path, DOSETRAIL_KEY_ENCRYPTION_KEY_FILE=path).returncode == 1
    path = str(key_file(tmp_path, mode=0o444, name="open"))
    assert starts(tmp_path, DOSETRAIL_KEY_ENCRYPTION_KEY_FILE=path, CREDENTIALS_DIRECTORY=str(tmp_path)).returncode == 1


def test_after_a_change_of_the_key_all_sign_as_before(house: House, settings: Any, tmp_path: Path) -> None:
    maker = house.parties["maker"]
    before = selectors.signer_for(maker).seed, ledger.vkey(), alert_id("x"), _minted_id({}, "x")
    path = key_file(tmp_path)
    call_command("reseal_keys", new_key_file=path)
    old, settings.KEY_ENCRYPTION_KEY = settings.KEY_ENCRYPTION_KEY, path.read_bytes()
    assert (selectors.signer_for(maker).seed, ledger.vkey(), alert_id("x"), _minted_id({}, "x")) == before
    assert ledger.submission_receipt([], 0)
    assert {model._meta.label for model in sealing.sealed_models()} == {
        "common.DerivedKey", "exchange.Channel", "exchange.Subscription", "ledger.LogKey", "parties.PartyKey",
    }  # fmt: skip
    assert DerivedKey.objects.count() == 2
    settings.KEY_ENCRYPTION_KEY = old  # the old file left in its place
    selectors._unsealed.cache_clear()
    with pytest.raises(ImproperlyConfigured, match="another key-encryption key"):
        selectors.signer_for(maker)


def test_a_second_change_keeps_the_ids(house: House, settings: Any, tmp_path: Path) -> None:
    before = alert_id("x"), _minted_id({}, "x")
    for name in ("first", "second"):
        path = key_file(tmp_path, name=name)
        call_command("reseal_keys", new_key_file=path)
        settings.KEY_ENCRYPTION_KEY = path.read_bytes()
    assert (alert_id("x"), _minted_id({}, "x")) == before


def test_what_cannot_be_resealed_is_said_and_nothing_changes(
    house: House, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = key_file(tmp_path)
    for bad in (
        tmp_path / "absent",
        key_file(tmp_path, mode=0o644, name="open"),
        key_file(tmp_path, content=b"x", name="x"),
    ):
        with pytest.raises(CommandError):
            call_command("reseal_keys", new_key_file=bad)
    call_command("reseal_keys", new_key_file=path)
    call_command("reseal_keys", new_key_file=path)  # again, the file not yet in its place
    assert "already" in capsys.readouterr().out
    with pytest.raises(CommandError, match="another key-encryption key"):
        call_command("reseal_keys", new_key_file=key_file(tmp_path, name="third"))
    settings.KEY_ENCRYPTION_KEY = path.read_bytes()
    with pytest.raises(CommandError, match="in use"):
        call_command("reseal_keys", new_key_file=path)


_KILLED = """
import os, signal, sys
import django
django.setup()
from traceability.common import sealing
models = list(sealing.sealed_models())
def dying():
    for place, model in enumerate(models):
        if str(place) == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        yield model
if sys.argv[1] != "never":
    sealing.sealed_models = dying
print(sealing.reseal(bytes(range(32))))
"""


def test_killed_in_between_nothing_is_changed(tmp_path: Path) -> None:
    """On a real file, killed after each model in turn: all seals stay old, and then all become new."""
    environment = {
        **os.environ,
        "DOSETRAIL_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        "PYTHONPATH": str(ROOT),
    }

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def opened_by(key: str) -> bool:
        asked = f"import django; django.setup(); from traceability.common import sealing; print(sealing.opens({key}))"
        return run(sys.executable, "-c", asked).stdout.strip() == "True"

    for words in (["migrate"], ["keygen"], ["add_party", "maker", "Maker", "--role", "manufacturer"]):
        made = run(sys.executable, "manage.py", *words)
        assert made.returncode == 0, made.stderr
    current, new = f"open({str(tmp_path / 'key-encryption-key')!r}, 'rb').read()", "bytes(range(32))"
    for position in ("1", "2"):  # behind the first model, behind the second
        assert run(sys.executable, "-c", _KILLED, position).returncode == -9
        assert (opened_by(current), opened_by(new)) == (True, False)
    assert run(sys.executable, "-c", _KILLED, "never").stdout.strip() == "6"
    assert (opened_by(current), opened_by(new)) == (False, True)


def test_without_the_transaction_a_crash_would_mix_the_seals(
    house: House, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: sealed one by one, what came before the crash would open no more."""
    models = list(sealing.sealed_models())

    def dying() -> Any:
        yield models[0]
        yield models[1]
        raise KeyboardInterrupt

    monkeypatch.setattr(sealing, "sealed_models", dying)
    monkeypatch.setattr(sealing, "transaction", SimpleNamespace(atomic=nullcontext))
    with pytest.raises(KeyboardInterrupt):
        sealing.reseal(os.urandom(32))
    monkeypatch.setattr(sealing, "sealed_models", lambda: iter(models))
    assert not sealing.opens(settings.KEY_ENCRYPTION_KEY)
    assert LogKey.objects.exists()
    assert PartyKey.objects.exists()
