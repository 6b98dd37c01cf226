"""An alert's way: opened at once, seen by those concerned, handled with compare-and-set, retracted, rebuilt."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.utils import translation

from ledger import api as ledger
from tests.integration.conftest import pack
from tests.integration.contracts.conftest import DAY, PALLET, START
from tests.integration.contracts.test_six import filled_pallet, readings
from traceability.alerts import projection as fold
from traceability.alerts import selectors, services
from traceability.alerts.models import Alert, AlertChange, AlertParty, AlertTransition
from traceability.alerts.services import AlertError
from traceability.common import projection, rebuilding
from traceability.common.models import Document

from .conftest import SOLD_TWICE, Desk


def test_it_is_there_once_the_log_has_it(desk: Desk) -> None:
    assert not Alert.objects.exists()
    desk.sell("other", 6)
    alert = desk.alert
    assert (alert.rule, alert.severity, alert.state, alert.subject) == ("double-dispense", "S2", "new", SOLD_TWICE)
    assert alert.settle_until_ms == alert.opened_ms + 300_000
    assert selectors.is_settling(alert, ledger_time_ms=alert.opened_ms)
    assert not selectors.is_settling(alert, ledger_time_ms=alert.settle_until_ms)
    assert SOLD_TWICE not in alert.id
    assert len(alert.id) == 24


def test_a_confirmed_s1_does_not_wait(desk: Desk) -> None:
    epc = pack("C1")
    for party, minutes in (("pharmacy", 0), ("other", 30)):
        at_ms = START + DAY + minutes * 60_000
        desk.watched.report(party, desk.watched.event(party, at_ms, step="stocking", epcs=[epc]))
    alert = Alert.objects.get(rule="clone")
    assert alert.severity == "S1"
    assert alert.settle_until_ms == alert.opened_ms


def test_parties_see_their_own_only(desk: Desk) -> None:
    desk.sell("other", 6)
    seen = {name: selectors.for_party(party).count() for name, party in desk.house.parties.items()}
    assert seen == {"regulator": 1, "maker": 0, "wholesaler": 0, "pharmacy": 1, "other": 1}
    assert selectors.get(desk.alert.id, party=desk.house.parties["maker"]) is None
    assert selectors.for_regulator({"rule": "clone"}).count() == 0
    assert selectors.for_regulator({"rule": "double-dispense", "open": True}).count() == 1


def test_evidence_stays_within_what_a_party_may_see(desk: Desk) -> None:
    desk.sell("other", 6)
    mine = selectors.evidence(desk.alert, party=desk.house.parties["pharmacy"])
    assert ([event.reporter for event in mine.events], mine.hidden) == ([desk.house.parties["pharmacy"].uri], 1)
    everything = selectors.evidence(desk.alert, party=desk.house.parties["regulator"])
    assert (len(everything.events), everything.hidden, everything.packs) == (2, 0, [SOLD_TWICE])
    bundle = selectors.proofs(desk.alert, party=desk.house.parties["regulator"])
    assert [entry["index"] for entry in bundle["entries"]] == desk.alert.evidence
    assert len(selectors.proofs(desk.alert, party=desk.house.parties["pharmacy"])["entries"]) == 1


def test_a_temperature_alert_shows_readings_and_packs(desk: Desk) -> None:
    filled_pallet(desk.watched)
    warm = desk.watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, *[14] * 6, 5))
    desk.watched.report("wholesaler", warm)
    alert = Alert.objects.get(rule="temperature")
    found = selectors.evidence(alert, party=desk.house.parties["regulator"])
    assert max(value for _, value in found.readings) == 14_000
    assert found.packs == [pack("A1"), pack("B1")]
    assert "14.0 °C" in selectors.explanation(alert)
    with translation.override("zh-hans"):
        assert "{" not in selectors.explanation(alert)


def test_from_hand_to_hand(desk: Desk) -> None:
    desk.sell("other", 6)
    services.acknowledge(member=desk.people["regulator"], alert_id=desk.alert.id, comment="seen", version=0)
    assert desk.alert.state == "new"  # not yet published
    assert selectors.standing(desk.alert) == ("acknowledged", 1)
    desk.house.settle()
    assert (desk.alert.state, desk.alert.version) == ("acknowledged", 1)
    services.answer(member=desk.people["pharmacy"], alert_id=desk.alert.id, comment="our till shows one", version=1)
    services.resolve(
        member=desk.people["regulator"], alert_id=desk.alert.id, comment="copy found", version=2, cause="confirmed"
    )
    desk.house.settle()
    assert (desk.alert.state, desk.alert.version) == ("resolved", 3)
    steps = selectors.transitions(desk.alert)
    assert [(step.from_state, step.to_state) for step in steps] == [
        ("new", "acknowledged"), ("acknowledged", "answered"), ("answered", "resolved")
    ]  # fmt: skip
    assert len(ledger.positions([step.statement_hash for step in steps])) == 3
    assert Document.objects.filter(kind="alert-transition").count() == 3
    assert steps[1].actor == desk.people["pharmacy"].pseudonym


def refused(code: str, action: Any, **arguments: Any) -> None:
    before = (AlertTransition.objects.count(), ledger.backlog())
    with pytest.raises(AlertError) as raised:
        action(**arguments)
    assert raised.value.code == code
    assert (AlertTransition.objects.count(), ledger.backlog()) == before


def test_what_cannot_be_done(desk: Desk) -> None:
    desk.sell("other", 6)
    common = {"alert_id": desk.alert.id, "comment": "x", "version": 0}
    regulator, pharmacy, maker = (desk.people[name] for name in ("regulator", "pharmacy", "maker"))
    refused("no-such-alert", services.acknowledge, member=maker, **common)
    refused("no-such-alert", services.acknowledge, member=regulator, **{**common, "alert_id": "0" * 24})
    refused("comment", services.acknowledge, member=regulator, **{**common, "comment": "  "})
    refused("comment", services.acknowledge, member=regulator, **{**common, "comment": "x" * 501})
    refused("state-changed", services.acknowledge, member=regulator, **{**common, "version": 1})
    refused("not-a-regulator", services.resolve, member=pharmacy, cause="other", **common)
    refused("cause-unknown", services.resolve, member=regulator, cause="because", **common)
    services.resolve(member=regulator, cause="other", **common)
    refused("state", services.acknowledge, member=regulator, **{**common, "version": 1})


def test_the_same_step_sent_twice_is_taken_once(desk: Desk) -> None:
    """Of the same version, by the same person, with the same words; all else is another's doing, or another step."""
    desk.sell("other", 6)
    pharmacy = desk.people["pharmacy"]
    step: dict[str, Any] = {"alert_id": desk.alert.id, "comment": "our till shows one", "version": 0}
    first = services.answer(member=pharmacy, **step)
    assert services.answer(member=pharmacy, **step) == first
    assert AlertTransition.objects.count() == 1
    refused("state-changed", services.answer, member=desk.people["other"], **step)
    refused("state-changed", services.answer, member=pharmacy, **{**step, "comment": "two"})
    refused("state-changed", services.acknowledge, member=pharmacy, **step)


def test_it_is_retracted_with_its_finding_and_opens_again(desk: Desk) -> None:
    again = desk.sell("other", 6)
    services.acknowledge(member=desk.people["regulator"], alert_id=desk.alert.id, comment="seen", version=0)
    desk.watched.void("other", again)
    assert (desk.alert.state, desk.alert.handled) == ("retracted", "acknowledged")
    refused(
        "state", services.answer, member=desk.people["pharmacy"], alert_id=desk.alert.id, comment="x", version=1
    )  # fmt: skip
    desk.sell("other", 7)
    assert desk.alert.state == "acknowledged"


def test_a_rebuild_restores_what_people_did_and_tells_no_news(desk: Desk) -> None:
    again = desk.sell("other", 6)
    services.acknowledge(member=desk.people["regulator"], alert_id=desk.alert.id, comment="seen", version=0)
    desk.house.settle()
    desk.watched.void("other", again)
    desk.sell("other", 8)
    before = projection.digest(Alert), projection.digest(AlertParty)
    told = AlertChange.objects.count()
    for whole in projection.all_projections():  # one fold after the other, as `manage.py rebuild` does
        for _ in rebuilding.rebuild([whole]):
            pass
    assert (projection.digest(Alert), projection.digest(AlertParty)) == before
    assert desk.alert.state == "acknowledged"
    assert AlertChange.objects.count() == told


def test_what_time_brings_up_is_taken_up_without_an_entry(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding filed by a tick under the last entry: the refresh finds it, and finding it twice changes nothing."""
    desk.sell("other", 6)
    Alert.objects.all().delete()
    AlertParty.objects.all().delete()
    assert fold.refresh() == 1
    assert desk.alert.state == "new"
    told = AlertChange.objects.count()
    assert fold.refresh() == 1
    assert AlertChange.objects.count() == told


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_recorded(transactional_db: None, desk: Desk) -> None:
    desk.sell("other", 6)
    alert_id = desk.alert.id

    def act(name: str) -> str:
        from django.db import connections

        try:
            services.answer(member=desk.people[name], alert_id=alert_id, comment=name, version=0)
            return "recorded"
        except AlertError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        results = sorted(pool.map(act, ["regulator", "pharmacy", "other"]))
    assert results == ["recorded", "state-changed", "state-changed"]
    assert ledger.backlog() == 1
