"""Two workers send at once: each report goes out once, in order."""

from functools import partial
from threading import Barrier
from typing import Any

from tests.concurrency.conftest import at_once
from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from tests.integration.exchange.conftest import Receiver, receiver, subscribe
from traceability.exchange import outgoing, sender, subscriptions
from traceability.exchange.models import Subscription

__all__ = ["receiver", "subscribe"]


def stocked(house: House, writer: Any, subscribe: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(subscriptions, "BATCH", 2)
    house.capture("pharmacy", *(observed(writer, f"{number}") for number in range(1, 9)))
    house.settle()
    for _ in range(3):
        assert subscribe(house, "pharmacy", initialRecordTime="2020-01-01T00:00:00Z").status_code == 201


def test_each_report_goes_out_once(
    house: House, writer: Any, subscribe: Any, receiver: Receiver, monkeypatch: Any
) -> None:
    stocked(house, writer, subscribe, monkeypatch)
    answers = at_once(*[outgoing.drain] * 4)
    assert sum(answers) == 12, answers
    by_subscription: dict[str, list[str]] = {}
    for document, names in zip(receiver.documents, receiver.reports, strict=True):
        by_subscription.setdefault(document["epcisBody"]["queryResults"]["subscriptionID"], []).extend(names)
    assert len(by_subscription) == 3
    first, *others = by_subscription.values()
    assert len(first) == len(set(first)) == 8
    assert all(one == first for one in others)


def test_without_the_lease_reports_are_doubled(
    house: House, writer: Any, subscribe: Any, receiver: Receiver, monkeypatch: Any
) -> None:
    """The negative control: two senders that ask nobody both send the same."""
    stocked(house, writer, subscribe, monkeypatch)
    both = Barrier(2, timeout=30)

    def claim() -> list[Subscription]:
        found = list(Subscription.objects.select_related("query__party"))
        both.wait()  # neither has sent anything yet
        return found

    monkeypatch.setattr(sender, "claim", claim)
    at_once(*[partial(sender.run_once)] * 2)
    assert len(receiver.reports) == 6
    assert len({tuple(report) for report in receiver.reports}) == 1
