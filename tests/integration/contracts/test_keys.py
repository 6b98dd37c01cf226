"""What a key signed that must not be believed does not count, whatever came first; a rebuild gives the same bytes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from ledger import api as ledger
from ledger import operator_keys
from tests.integration.conftest import pack
from traceability.alerts.models import Alert, AlertParty
from traceability.capture import services as capture
from traceability.capture import signed, standing
from traceability.capture.models import PublishedEvent, VoidSpan
from traceability.common import documents, masterdata
from traceability.contracts.models import Finding
from traceability.custody import selectors as custody
from traceability.parties import keys as party_keys
from traceability.parties import services as parties
from traceability.parties.models import PartyKey

from .conftest import DAY, HOUR, START, Watched
from .test_batches import _ACTS, _VOIDS, Story, _digests, _rebuilt, _Undo

A, B = pack("A1"), pack("B1")


class Signing:
    """A hosted signer whose statements are an hour apart, so that a key can be bad since one of them."""

    def __init__(self, watched: Watched) -> None:
        self.watched, self.hour = watched, 0

    def now_ms(self) -> int:
        self.hour += 1
        return START + self.hour * HOUR

    def capture(self, party: str, event: dict[str, Any]) -> PublishedEvent:
        capture.accept_events([event], reporter=self.watched.house.parties[party])
        self.watched.house.settle()
        return PublishedEvent.objects.order_by("-index").first() or pytest.fail("not published")

    def key(self, party: str) -> PartyKey:
        return PartyKey.objects.filter(party_id=party).order_by("created_ms", "kid").last() or pytest.fail("no key")

    def revoke(self, party: str, *, since_ms: int) -> str:
        """The kid of the party's key, which is revoked; another one signs from now on."""
        return revoke(self.watched, party, since_ms)


def revoke(watched: Watched, party: str, since_ms: int) -> str:
    newest = PartyKey.objects.filter(party_id=party, revoked_ms=None).order_by("-created_ms", "kid").first()
    assert newest is not None
    party_keys.create_hosted_key(party=watched.house.parties[party])
    party_keys.revoke_key(key=newest, bad_since_ms=since_ms)
    watched.house.settle()
    return newest.kid


@pytest.fixture
def signing(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signing]:
    found = Signing(watched)
    monkeypatch.setattr(documents, "now_ms", found.now_ms)
    yield found
    live = _digests()
    assert _rebuilt(500) == live  # whatever a test did, folding anew gives the same bytes


def sale(watched: Watched, party: str, at_ms: int, epc: str = A) -> dict[str, Any]:
    return watched.event(party, at_ms, step="dispensing", epcs=[epc])


def void(row: PublishedEvent) -> tuple[int | None, str]:
    row.refresh_from_db()
    reasons = VoidSpan.objects.filter(event_index=row.index, to_index=None).values_list("reason", flat=True)
    return row.voided_by, " ".join(reasons)


def test_a_key_revoked_as_bad_since_voids_what_it_signed_since_and_nothing_before(
    watched: Watched, signing: Signing
) -> None:
    made = signing.capture("maker", watched.commission("maker", START, [A, B]))
    first = signing.capture("pharmacy", sale(watched, "pharmacy", START + DAY))
    bad = signing.capture("pharmacy", sale(watched, "pharmacy", START + 2 * DAY, B))
    signing.revoke("pharmacy", since_ms=bad.iat * 1000)
    revocation = ledger.published_size() - 1
    assert [void(row) for row in (made, first, bad)] == [(None, ""), (None, ""), (revocation, "key")]
    assert [custody.state(epc).status for epc in (A, B)] == ["dispensed", "active"]
    assert custody.past(B).disowned == [bad.index]
    assert not custody.past(A).disowned
    after = signing.capture("pharmacy", sale(watched, "pharmacy", START + 3 * DAY, B))
    assert void(after) == (None, "")  # with the new key


def test_an_event_that_comes_after_the_revocation_never_counts(watched: Watched, signing: Signing) -> None:
    """Stored before the key was revoked, sequenced after it: the sequencer drops nothing."""
    signing.capture("maker", watched.commission("maker", START, [A, B]))
    kid = signing.key("pharmacy").kid
    ledger.revoke_key(kid=kid, bad_since_ms=START + 10 * DAY)  # waits for its index already, before the event
    row = signing.capture("pharmacy", sale(watched, "pharmacy", START + DAY))
    assert void(row) == (row.index, "key")
    assert custody.state(A).status == "active"


def test_a_declaration_by_a_bad_key_gives_back_what_it_took(watched: Watched, signing: Signing) -> None:
    signing.capture("maker", watched.commission("maker", START, [A]))
    event = sale(watched, "pharmacy", START + DAY)
    sold = signing.capture("pharmacy", event)
    declaration = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}
    declared = signing.capture("pharmacy", {**event, "errorDeclaration": declaration})
    assert void(sold) == (declared.index, "declared")
    assert custody.state(A).status == "active"
    signing.revoke("pharmacy", since_ms=declared.iat * 1000)
    assert void(sold) == (None, "")
    assert custody.state(A).status == "dispensed"
    assert standing.spans([sold.index]) == {sold.index: ((declared.index, ledger.published_size() - 1),)}


def test_the_regulator_and_the_party_are_told_how_much_it_is(watched: Watched, signing: Signing) -> None:
    signing.capture("maker", watched.commission("maker", START, [A, B]))
    sold = [signing.capture("pharmacy", sale(watched, "pharmacy", START + DAY, epc)) for epc in (A, B)]
    kid = signing.key("pharmacy").kid
    assert signed.tally(signed.would_void(kid, since_ms=sold[1].iat * 1000)) == signed.Tally(
        1, 1, sold[1].record_time_ms
    )  # the dry run
    signing.revoke("pharmacy", since_ms=sold[1].iat * 1000)
    found = Finding.objects.get(rule="key")
    shown = (found.code, found.params["entries"], found.params["things"], found.params["since_ms"], found.parties)
    uri = watched.house.parties["pharmacy"].uri
    assert shown == ("key-revoked", 1, 1, sold[1].iat * 1000, [uri])
    alert = Alert.objects.get(rule="key")
    assert AlertParty.objects.filter(alert_id=alert.id, party=uri).exists()
    opened = found.opened_index
    ledger.revoke_key(kid=kid, bad_since_ms=sold[0].iat * 1000)  # it turns out that it was stolen earlier
    watched.house.settle()
    found = Finding.objects.get(rule="key")
    assert (found.params["entries"], found.params["things"], found.opened_index) == (2, 2, opened)
    assert list(signed.disowned(kid)) == sold


def smuggle(watched: Watched, party: str, event: dict[str, Any], key: ledger.SigningKey) -> PublishedEvent:
    """An event on the log past capture's own look at the key."""
    with transaction.atomic():
        documents.record([documents.Draft("event", event, watched.house.parties[party].uri, key)])
    watched.house.settle()
    return PublishedEvent.objects.order_by("-index").first() or pytest.fail("not published")


def test_what_a_retired_key_signs_later_does_not_count_and_what_it_signed_before_does(
    watched: Watched, signing: Signing
) -> None:
    signing.capture("maker", watched.commission("maker", START, [A, B]))
    old = party_keys.unseal(signing.key("pharmacy"))
    ledger.rotate_key(
        public=ledger.generate_key().public,
        party_uri=watched.house.parties["pharmacy"].uri,
        replaces=old.kid,
        bad_since_ms=START + 3 * HOUR,  # the signer's third hour
    )
    in_time = smuggle(watched, "pharmacy", sale(watched, "pharmacy", START + DAY), old)
    late = smuggle(watched, "pharmacy", sale(watched, "pharmacy", START + DAY, B), old)
    assert (void(in_time), void(late)) == ((None, ""), (late.index, "key"))
    found = Finding.objects.get(rule="key")
    assert (found.code, found.severity, found.params["entries"]) == ("key-retired", "S3", 1)


@pytest.mark.parametrize("registered_to", [None, "maker"])
def test_an_event_by_a_key_that_is_not_its_signer_s_never_counts(
    watched: Watched, signing: Signing, registered_to: str | None
) -> None:
    signing.capture("maker", watched.commission("maker", START, [A]))
    key = ledger.generate_key()
    if registered_to:
        ledger.register_key(public=key.public, party_uri=watched.house.parties[registered_to].uri)
    row = smuggle(watched, "pharmacy", sale(watched, "pharmacy", START + DAY), key)
    assert void(row) == (row.index, "key")
    assert custody.state(A).status == "active"
    found = Finding.objects.get(rule="key")
    assert (found.code, found.params["since_ms"], found.evidence) == ("key-unregistered", None, [row.index])


def test_a_revocation_that_takes_nothing_back_is_no_finding(watched: Watched, signing: Signing) -> None:
    signing.capture("maker", watched.commission("maker", START, [A]))
    signing.revoke("pharmacy", since_ms=START)
    assert not Finding.objects.filter(rule="key").exists()


def test_findings_that_rest_on_a_voided_event_are_taken_back(watched: Watched, signing: Signing) -> None:
    signing.capture("maker", watched.commission("maker", START, [A]))
    signing.capture("pharmacy", sale(watched, "pharmacy", START + DAY))
    signing.capture("other", sale(watched, "other", START + 2 * DAY))
    assert ("double-dispense", A) in {(rule, subject) for rule, _, subject in watched.found()}
    signing.revoke("other", since_ms=0)
    assert [rule for rule, _, subject in watched.found() if subject == A] == []
    assert Finding.objects.get(rule="double-dispense").retracted_index == ledger.published_size() - 1


def test_master_data_of_a_revoked_key_changes_nothing(watched: Watched, signing: Signing) -> None:
    """Logged after the revocation: passed over. What came before it stays (docs/operations.md)."""
    maker = watched.house.parties["maker"]
    ledger.revoke_key(kid=signing.key("maker").kid, bad_since_ms=START)
    site = maker.sites.get()
    parties.save_site(
        id=site.id, party=maker, name="forged", gln=site.gln, latitude_e6=0, longitude_e6=0, time_zone="UTC",
        city="Nowhere", country="CN",
    )  # fmt: skip
    watched.house.settle()
    assert masterdata.at(f"site:{site.id}", 10**9)["name"] == "maker site"


def test_without_the_check_of_keys_a_stolen_key_s_events_count(
    watched: Watched, signing: Signing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    with monkeypatch.context() as off:
        off.setattr(standing, "_void_from", lambda _keys, _signed: None)
        signing.capture("maker", watched.commission("maker", START, [A]))
        signing.capture("pharmacy", sale(watched, "pharmacy", START + DAY))
        signing.revoke("pharmacy", since_ms=0)
        assert custody.state(A).status == "dispensed"
    assert _rebuilt(500)  # with the check on again it does not
    assert custody.state(A).status == "active"


_ENDS = st.lists(
    st.tuples(st.integers(0, _ACTS + 6), st.sampled_from(["maker", "wholesaler", "pharmacy"]), st.integers(0, 25)),
    min_size=1,
    max_size=3,
)


def _differences(watched: Watched, order: Sequence[int], voids: Sequence[int], ends: Any) -> set[str]:
    """The tables that differ when a log with acts, declarations and revocations in any order is folded anew."""
    story = Story(watched)
    steps = [
        *(story.acts()[number] for number in order),
        *(lambda number=number: story.void(number) for number in voids),
    ]
    for place, party, hour in sorted(ends, reverse=True):
        steps.insert(place, lambda party=party, hour=hour: revoke(watched, party, START + hour * HOUR))
    mark = Path(django_settings.LOG_HIGH_WATER_FILE)
    before = mark.read_text()
    found: set[str] = set()
    operator_keys._fold.cache_clear()  # the example before this one wrote other entries about keys at the same indexes
    try:
        with transaction.atomic():
            for step in steps:
                step()
                watched.house.settle()
            live = _digests()
            for limit in (3, 500):
                rebuilt = _rebuilt(limit)
                found |= {name for name in live if live[name] != rebuilt[name]}
            raise _Undo
    except _Undo:
        mark.write_text(before)
    return found


_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@settings(max_examples=3, **_SETTINGS)
@example(order=[9, *range(1, 9), 0, *range(10, _ACTS)], voids=[0, 1, 2], ends=[(0, "maker", 0)])
@given(order=st.permutations(range(_ACTS)), voids=_VOIDS, ends=_ENDS)
def test_other_batches_and_other_orders_give_the_same_bytes(
    watched: Watched, order: Sequence[int], voids: Sequence[int], ends: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "now_ms", Signing(watched).now_ms)
        assert _differences(watched, order, voids, ends) == set()


@pytest.mark.long
@settings(max_examples=200, **_SETTINGS)
@given(order=st.permutations(range(_ACTS)), voids=_VOIDS, ends=_ENDS)
def test_other_batches_and_other_orders_give_the_same_bytes_at_length(
    watched: Watched, order: Sequence[int], voids: Sequence[int], ends: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "now_ms", Signing(watched).now_ms)
        assert _differences(watched, order, voids, ends) == set()


def test_if_a_declaration_s_end_were_forgotten_rebuilding_would_differ(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the span's end: with the last state only, what was void for a while never was."""
    monkeypatch.setattr(documents, "now_ms", Signing(watched).now_ms)
    in_order, voids, ends = range(_ACTS), (11,), [(_ACTS + 1, "pharmacy", 18)]
    assert _differences(watched, in_order, voids, ends) == set()
    monkeypatch.setattr("traceability.contracts.facts.counts", lambda fact, _index: all(to for _, to in fact.void))
    assert "contracts.Finding" in _differences(watched, in_order, voids, ends)
