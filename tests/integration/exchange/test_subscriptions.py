"""Subscriptions: made and refused, sent in order and at least once, retried, suspended, resumed."""

import hashlib
import hmac
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.api.test_query import listed
from tests.integration.conftest import House
from tests.integration.exchange.conftest import Receiver
from traceability.common import clock
from traceability.exchange import channels, deliveries, dispatch, leases, outgoing, retry, sender, subscriptions
from traceability.exchange.models import Subscription
from traceability.queries import documents

Subscribe = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[3]
SINCE_EVER = "2020-01-01T00:00:00Z"


def the_one() -> Subscription:
    return Subscription.objects.get()


def later(monkeypatch: Any, ms: int) -> None:
    """So much later than now, for whoever asks the clock."""
    now = clock.now_ms() + ms
    for module in (sender, subscriptions, leases, channels, deliveries, dispatch):
        monkeypatch.setattr(module, "now_ms", lambda: now)


def test_made_listed_shown_and_ended(house: House, subscribe: Subscribe, receiver: Receiver) -> None:
    made = subscribe(house, "pharmacy", signatureToken="a secret of ours", reportIfEmpty=False)
    assert made.status_code == 201, made.content
    client = house.client("pharmacy")
    shown = client.get(made["Location"])
    assert shown.json() == made.json()
    assert shown.json()["dest"] == receiver.url
    assert (shown.json()["stream"], shown.json()["signed"]) == (True, True)
    path = made["Location"].rpartition("/")[0]
    assert [one["subscriptionID"] for one in client.get(path).json()] == [made.json()["subscriptionID"]]
    assert b"a secret" not in shown.content + made.content + client.get(path).content
    assert b"a secret" not in bytes(the_one().sealed_seed or b"")
    for method in ("get", "delete"):
        assert getattr(house.client("other"), method)(made["Location"]).status_code == 404
    assert house.client("other").get(path).status_code == 404
    assert client.delete(made["Location"]).status_code == 204
    assert client.get(made["Location"]).status_code == 404


def test_the_end_of_a_query_ends_its_subscriptions(house: House, subscribe: Subscribe) -> None:
    made = subscribe(house, "pharmacy")
    assert house.client("pharmacy").delete(made["Location"].partition("/subscriptions")[0]).status_code == 204
    assert Subscription.objects.count() == 0


@pytest.mark.parametrize(
    ("controls", "pointer"),
    [
        ({"stream": False}, "/schedule"),
        ({"schedule": {"second": "0"}}, "/schedule"),
        ({"stream": "yes"}, "/stream"),
        ({"stream": False, "schedule": {}}, "/schedule"),
        ({"stream": False, "schedule": {"second": "61"}}, "/schedule/second"),
        ({"stream": False, "schedule": {"dayOfMonth": "31", "month": "2"}}, "/schedule"),
        ({"dest": None}, "/dest"),
        ({"dest": "ftp://example.com/"}, "/dest"),
        ({"dest": "https://10.0.0.1/"}, "/dest"),
        ({"dest": "https://169.254.169.254/latest/"}, "/dest"),
        ({"dest": "wss://example.com/"}, "/dest"),
        ({"signatureToken": ""}, "/signatureToken"),
        ({"signatureToken": 5}, "/signatureToken"),
        ({"reportIfEmpty": "no"}, "/reportIfEmpty"),
        ({"initialRecordTime": "soon"}, "/initialRecordTime"),
        ({"initialRecordTime": "2026-02-31T00:00:00Z"}, "/initialRecordTime"),
        ({"trigger": "urn:x"}, "/trigger"),
    ],
)
def test_what_is_no_subscription_is_said(
    house: House, subscribe: Subscribe, controls: dict[str, Any], pointer: str
) -> None:
    answer = subscribe(house, "pharmacy", **controls)
    assert (answer.status_code, answer.json()["title"]) == (400, "SubscriptionControlsException"), answer.content
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert Subscription.objects.count() == 0


def test_loopback_is_refused_where_it_is_not_allowed(house: House, subscribe: Subscribe, settings: Any) -> None:
    settings.OUTBOUND_LOOPBACK = False
    assert subscribe(house, "pharmacy").status_code == 400


def test_a_stream_sends_what_matches_from_now_on_and_nothing_twice(
    chain: House, writer: Any, subscribe: Subscribe, receiver: Receiver
) -> None:
    made = subscribe(chain, "pharmacy", {"EQ_bizStep": "stocking"})
    assert (outgoing.drain(), receiver.got) == (0, [])
    events = [observed(writer, f"5{number}") for number in range(3)]
    chain.capture("pharmacy", *events)
    chain.capture("pharmacy", observed(writer, "59", bizStep="inspecting"))
    chain.settle()
    assert outgoing.drain() == 1
    assert receiver.reports == [[event["eventID"] for event in events]]
    results = receiver.documents[0]["epcisBody"]["queryResults"]
    assert (results["subscriptionID"], results["queryName"]) == (made.json()["subscriptionID"], "q0")
    assert all("recordTime" in event for event in results["resultsBody"]["eventList"])
    assert outgoing.drain() == 0
    assert len(receiver.got) == 1


def test_what_is_sent_is_what_the_party_may_see(
    chain: House, writer: Any, subscribe: Subscribe, receiver: Receiver
) -> None:
    for party in ("wholesaler", "other", "regulator"):
        receiver.got.clear()
        assert subscribe(chain, party, initialRecordTime=SINCE_EVER).status_code == 201
        outgoing.drain()
        sent = [name for report in receiver.reports for name in report]
        assert sorted(sent) == sorted(event["eventID"] for event in listed(chain, party, "?perPage=1000"))
        Subscription.objects.all().delete()


def test_a_report_is_valid_for_a_foreign_reader(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    from traceability.epcis import validation

    subscribe(chain, "regulator", initialRecordTime=SINCE_EVER)
    outgoing.drain()
    assert validation.validate_document(receiver.documents[0]) == []


def test_the_signature_is_what_the_docs_say(
    chain: House, writer: Any, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER, signatureToken="密 token")
    outgoing.drain()
    headers, body = receiver.got[0]
    parts = dict(part.split("=", 1) for part in headers["GS1-Signature"].split(","))
    expected = hmac.new("密 token".encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], expected)
    assert abs(int(parts["t"]) - clock.now_ms() // 1000) < 60
    snippet = re.search(r"```python\n(.*?def is_ours.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    assert snippet is not None
    names: dict[str, Any] = {}
    exec(snippet[1], names)
    assert names["is_ours"]("密 token", headers["GS1-Signature"], body)
    assert not names["is_ours"]("another", headers["GS1-Signature"], body)
    assert not names["is_ours"]("密 token", headers["GS1-Signature"], body + b" ")
    assert not names["is_ours"]("密 token", headers["GS1-Signature"].replace("t=1", "t=2"), body)


def test_without_a_token_nothing_is_signed(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    outgoing.drain()
    assert "GS1-Signature" not in receiver.got[0][0]


def test_the_place_moves_on_2xx_only(chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [500, 301, 404, 204]
    for number in range(4):
        later(monkeypatch, number * 3_600_000)
        outgoing.drain()
    assert len(receiver.reports) == 4
    assert all(report == receiver.reports[0] for report in receiver.reports)
    assert (the_one().attempts, the_one().error, the_one().sent_events) == (0, "", 7)
    later(monkeypatch, 9 * 3_600_000)
    assert outgoing.drain() == 0


def test_a_failure_waits_longer_each_time(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    assert [retry.pause_ms(number) for number in (1, 2, 3, 12, 13, 100)] == [
        1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000,
    ]  # fmt: skip
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [503] * 9
    outgoing.drain()
    assert outgoing.drain() == 0  # not due yet
    later(monkeypatch, 1100)
    assert outgoing.drain() == 1
    assert the_one().attempts == 2
    assert the_one().due_ms == sender.now_ms() + 2000


def test_after_too_many_failures_it_is_suspended_and_a_person_lets_it_go_on(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [500] * retry.MAX_ATTEMPTS
    for number in range(retry.MAX_ATTEMPTS):
        assert the_one().state == "active"
        later(monkeypatch, number * 3_600_000)
        assert outgoing.drain() == 1
    assert (the_one().state, the_one().error) == ("suspended", "HTTP 500")
    later(monkeypatch, 99 * 3_600_000)
    assert outgoing.drain() == 0
    subscriptions.resume(the_one())
    assert outgoing.drain() == 1
    assert receiver.reports[-1] == receiver.reports[0]
    assert the_one().sent_events == 7


def test_a_receiver_that_is_gone_is_not_asked_again(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [410]
    outgoing.drain()
    assert the_one().state == "suspended"


def test_a_receiver_that_finds_it_too_large_gets_halves_in_order(
    chain: House, subscribe: Subscribe, receiver: Receiver
) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [413, 413]
    outgoing.drain()
    assert [len(report) for report in receiver.reports] == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    taken = [name for report in receiver.reports[2:] for name in report]
    assert taken == receiver.reports[0]
    assert the_one().attempts == 0


def test_one_event_that_is_too_large_is_a_failure(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe(
        chain, "pharmacy", {"MATCH_epc": "https://id.gs1.org/01/09521000001008/21/3"}, initialRecordTime=SINCE_EVER
    )
    receiver.statuses = [413]
    outgoing.drain()
    assert (the_one().attempts, the_one().error) == (1, "HTTP 413")


def test_batches_are_limited_in_count_and_bytes(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    monkeypatch.setattr(subscriptions, "BATCH", 3)
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    outgoing.drain()
    assert [len(report) for report in receiver.reports] == [3, 3, 1]
    Subscription.objects.all().delete()
    receiver.got.clear()
    monkeypatch.setattr(sender, "MAX_BODY", 10)  # each event alone has more
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    outgoing.drain()
    assert [len(report) for report in receiver.reports] == [1] * 7


def test_killed_between_the_answer_and_the_place_it_is_sent_again(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    """The receiver has it, we do not know: after the lease has run out it comes again, and nothing is left out."""
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)

    class Killed(BaseException):
        """As a kill: no handler of ours sees it."""

    def die(*_args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sender, "_settle", die)
        with pytest.raises(Killed):
            sender.run_once()
    assert len(receiver.reports) == 1
    assert outgoing.drain() == 0  # the dead sender's lease stands
    later(monkeypatch, leases.LEASE_MS + 1)
    assert outgoing.drain() == 1
    assert receiver.reports[1] == receiver.reports[0]
    assert outgoing.drain() == 0


def test_a_place_moved_before_the_answer_loses_events(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    """The negative control of the order of steps: moved first, what the receiver refuses is never sent again."""
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    receiver.statuses = [500]
    original = leases.fail

    def moved_first(one: Subscription, error: str, **more: Any) -> bool:
        Subscription.objects.update(since_index=10**6)
        return original(one, error, **more)

    monkeypatch.setattr(leases, "fail", moved_first)
    outgoing.drain()
    later(monkeypatch, 3_600_000)
    assert (outgoing.drain(), len(receiver.reports)) == (0, 1)


def test_a_sender_whose_lease_has_run_out_moves_nothing(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    claimed = sender.claim()
    Subscription.objects.update(lease="another")
    leases.release(claimed[0], since_index=10**6)
    assert the_one().since_index < 10**6


def test_a_schedule_runs_at_its_times_and_reports_emptiness_where_asked(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    plan = {"second": "0", "minute": "0"}
    made = subscribe(chain, "pharmacy", stream=False, schedule=plan, reportIfEmpty=True, initialRecordTime=SINCE_EVER)
    assert made.status_code == 201, made.content
    assert made.json()["schedule"] == plan
    assert outgoing.drain() == 0
    for hour, sizes in ((1, [7]), (2, [7, 0])):
        later(monkeypatch, hour * 3_600_000)
        assert outgoing.drain() == 1
        assert outgoing.drain() == 0
        assert [len(report) for report in receiver.reports] == sizes
    Subscription.objects.update(report_if_empty=False)
    later(monkeypatch, 3 * 3_600_000)
    assert (outgoing.drain(), the_one().due_ms > sender.now_ms()) == (0, True)


def test_nothing_is_asked_of_the_query_while_nothing_is_new(
    chain: House, subscribe: Subscribe, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        subscribe(chain, "pharmacy")
    outgoing.drain()
    with django_assert_num_queries(7):  # where the log stands and who is due, of each kind; however many there are
        assert outgoing.drain() == 0


def test_an_inactive_party_gets_nothing(chain: House, subscribe: Subscribe, receiver: Receiver) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    party = chain.parties["pharmacy"]
    party.active = False
    party.save()
    assert (outgoing.drain(), receiver.got) == (0, [])


def test_a_query_that_the_engine_no_longer_takes_suspends(chain: House, subscribe: Subscribe) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    query = the_one().query
    query.query = {"EQ_color": "red"}
    query.save()
    assert outgoing.drain() == 0
    assert the_one().state == "suspended"
    assert "EQ_color" in the_one().error


def test_a_subscription_may_not_count(house: House, subscribe: Subscribe) -> None:
    answer = subscribe(house, "pharmacy", {"eventCountLimit": 5})
    assert (answer.status_code, answer.json()["code"]) == (400, "query-counts")


def test_content_that_is_not_held_is_passed_over(
    chain: House, subscribe: Subscribe, receiver: Receiver, monkeypatch: Any
) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    original = documents.events_by_index

    def without_first(rows: Any) -> Any:
        return {index: event for index, event in original(rows).items() if index != rows[0].index}

    monkeypatch.setattr(documents, "events_by_index", without_first)
    outgoing.drain()
    assert [len(report) for report in receiver.reports] == [6]
    assert outgoing.drain() == 0
