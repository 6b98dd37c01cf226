"""What is sent to a regulator is receipted like what it reads, before it goes; what is sent to others is not."""

from typing import Any

from tests.integration.conftest import House
from tests.integration.exchange.conftest import Receiver
from traceability.exchange import channels, outgoing
from traceability.exchange.channels import Plan
from traceability.visibility.models import Read

SINCE_EVER = "2020-01-01T00:00:00Z"


def test_what_is_sent_to_a_regulator_leaves_a_receipt(chain: House, subscribe: Any, receiver: Receiver) -> None:
    subscribe(chain, "regulator", initialRecordTime=SINCE_EVER)
    channels.create(chain.parties["maker"], Plan(chain.parties["regulator"], "download", "json-2.0", since_ever=True))
    outgoing.drain()
    reads = {read.door: read for read in Read.objects.all()}
    assert (reads["subscription"].events, reads["delivery"].events) == (8, 1)
    assert {read.regulator for read in reads.values()} == {chain.parties["regulator"].uri}
    assert reads["subscription"].reporters[chain.parties["pharmacy"].uri] == 7


def test_what_is_sent_to_others_leaves_none(chain: House, subscribe: Any, receiver: Receiver) -> None:
    subscribe(chain, "pharmacy", initialRecordTime=SINCE_EVER)
    outgoing.drain()
    assert len(receiver.got) == 1
    assert not Read.objects.filter(door="subscription").exists()
