"""A key's life by services and commands: rotated with overlap, revoked as bad since, noted who did it."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ledger import api as ledger
from tests.integration.conftest import House
from tests.integration.contracts.conftest import HOUR
from traceability.capture.models import PublishedEvent
from traceability.common import documents
from traceability.common.clock import now_ms
from traceability.parties import selectors, services
from traceability.parties.models import KeyAct, PartyKey

PARTY = "pharmacy"


@pytest.fixture
def device(house: House) -> PartyKey:
    key = services.register_device_key(party=house.parties[PARTY], public=ledger.generate_key().public, label="till")
    house.settle()
    return key


def hosted() -> PartyKey:
    return PartyKey.objects.filter(party_id=PARTY, sealed_seed__isnull=False).order_by("-created_ms").first() or (
        pytest.fail("no hosted key")
    )


def test_a_rotated_hosted_key_signs_no_more_and_its_past_counts(house: House, writer: Any) -> None:
    from tests.integration.api.test_capture import observed

    old = hosted()
    house.capture(PARTY, observed(writer, "1"))  # waits for its index, behind which the rotation comes
    fresh = services.rotate_hosted_key(party=house.parties[PARTY], warrant=services.Warrant("m-1", "yearly"))
    house.settle()
    assert selectors.signer_for(house.parties[PARTY]).kid.hex() == fresh.kid
    status = ledger.key_status(old.kid)
    assert status.believes(now_ms() // 1000 - 2 * 3600)
    assert not status.believes(now_ms() // 1000 + 60)
    assert PublishedEvent.objects.get().voided_by is None
    acts = {(act.kid, act.kind): act for act in KeyAct.objects.filter(actor="m-1")}
    assert acts.keys() == {(old.kid, "retired"), (fresh.kid, "registered")}
    assert acts[old.kid, "retired"].statement_hash == acts[fresh.kid, "registered"].statement_hash


def test_a_party_whose_keys_are_revoked_gets_a_new_one(house: House) -> None:
    services.revoke_key(key=hosted())
    with pytest.raises(LookupError):
        selectors.signer_for(house.parties[PARTY])
    services.rotate_hosted_key(party=house.parties[PARTY])
    assert selectors.signer_for(house.parties[PARTY])


def test_no_rounding_makes_a_statement_of_a_bad_time_count(
    house: House, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The theft at a quarter past; the thief's records of half past carry the full hour, as all hosted ones do."""
    from tests.integration.api.test_capture import observed

    hour = now_ms() // HOUR * HOUR - 24 * HOUR
    for serial, at_ms in (("1", hour - 1), ("2", hour + HOUR // 2)):
        monkeypatch.setattr(documents, "now_ms", lambda at_ms=at_ms: at_ms)
        house.capture(PARTY, observed(writer, serial))
    house.settle()
    services.revoke_key(key=hosted(), bad_since_ms=hour + HOUR // 4)
    house.settle()
    assert [row.voided_by is not None for row in PublishedEvent.objects.order_by("index")] == [False, True]


def test_unrounded_it_would_count(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the rounding."""
    monkeypatch.setattr("traceability.parties.keys.bad_since_of", lambda _key, since_ms: since_ms)
    with pytest.raises(AssertionError):
        test_no_rounding_makes_a_statement_of_a_bad_time_count(house, writer, monkeypatch)


def test_what_cannot_be_done_is_refused_by_name(house: House, device: PartyKey) -> None:
    fresh = ledger.generate_key().public
    known = bytes(device.public_key)
    for code, call in (
        ("bad-since", lambda: services.revoke_key(key=device, bad_since_ms=now_ms() + HOUR)),
        ("key-hosted", lambda: services.rotate_device_key(key=hosted(), public=fresh)),
        ("overlap", lambda: services.rotate_device_key(key=device, public=fresh, overlap_ms=-1)),
        ("overlap", lambda: services.rotate_device_key(key=device, public=fresh, overlap_ms=91 * 24 * HOUR)),
        ("key-known", lambda: services.rotate_device_key(key=device, public=known)),
    ):
        with pytest.raises(services.KeyActError) as refused:
            call()
        assert refused.value.code == code
    services.revoke_key(key=device)
    with pytest.raises(services.KeyActError, match="already"):
        services.rotate_device_key(key=device, public=fresh)
    assert ledger.backlog() == 1  # the revocation, and nothing half done


def test_the_commands_rotate_list_and_revoke(
    house: House, device: PartyKey, writer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.integration.api.test_capture import observed

    house.capture(PARTY, observed(writer, "1"), observed(writer, "2"))
    house.settle()
    kid = hosted().kid
    call_command("signed_since", kid[:12])
    said = capsys.readouterr().out
    assert said.count("  counts  signed ") == 2
    assert "urn:dosetrail:party:pharmacy: 2 events about 2 packs" in said
    call_command("signed_since", kid, "--csv")
    assert len(capsys.readouterr().out.splitlines()) == 3
    call_command("revoke_key", kid, "--since", "2020-01-01T00:00:00Z", "--reason", "drill", "--dry-run")
    assert "would void 2 events about 2 packs and containers" in capsys.readouterr().out
    assert not KeyAct.objects.filter(kind="revoked").exists()
    call_command("revoke_key", kid, "--since", "2020-01-01T00:00:00Z", "--reason", "drill")
    house.settle()
    assert KeyAct.objects.get(kind="revoked").actor == "manage.py revoke_key"
    assert None not in PublishedEvent.objects.values_list("voided_by", flat=True)
    call_command("signed_since", kid, "--since", "2020-01-01T08:00:00+08:00")
    assert capsys.readouterr().out.count("  void    signed ") == 2
    public = ledger.generate_key().public.hex()
    call_command("rotate_key", PARTY, "--device", device.kid, "--public", public, "--reason", "new till")
    call_command("rotate_key", PARTY, "--reason", "a key again")
    house.settle()
    assert selectors.signer_for(house.parties[PARTY])
    device.refresh_from_db()
    assert device.retired_ms is not None
    assert device.retired_ms > now_ms() + 23 * HOUR


@pytest.mark.parametrize(
    "command",
    [
        ("signed_since", "00000000"),
        ("signed_since", ""),
        ("revoke_key", "00000000", "--reason", "x"),
        ("rotate_key", "nobody", "--reason", "x"),
        ("rotate_key", PARTY, "--device", "00", "--public", "00", "--reason", "x"),
    ],
)
def test_a_command_names_what_it_does_not_find(house: House, command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command(*command)


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01T00:00:00"])
def test_a_moment_has_its_offset(house: House, since: str) -> None:
    with pytest.raises(CommandError):
        call_command("signed_since", hosted().kid, "--since", since)
