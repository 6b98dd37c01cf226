"""The portal's partners page: the log for everybody, channels and webhooks for administrators."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.portal.conftest import Portal, act
from traceability.exchange import outgoing
from traceability.exchange.models import Channel, Delivery, DeliveryStep, Subscription
from traceability.queries.models import NamedQuery

Person = Callable[..., Portal]
FORM = {
    "action": "add-channel", "partner": "pharmacy", "way": "download", "format": "xml-1.2", "which": "shipping",
    "dest": "", "since_ever": "1", "statement": "A statement of ours.",
}  # fmt: skip


@pytest.fixture
def delivered(stocked: House, person: Person) -> Portal:
    """The maker's administrator, who has set up a channel to the pharmacy that was served."""
    admin = person("maker", "admin")
    assert admin.post("partners", FORM).status_code == 302
    outgoing.drain()
    return admin


def test_an_administrator_sets_up_and_the_partner_fetches(delivered: Portal, person: Person) -> None:
    made = Delivery.objects.get()
    assert made.channel.query == {"EQ_bizStep": ["shipping"]}
    page = delivered.get("partners")
    assert "Pharmacy" in page
    assert "EPCIS 1.2, XML" in page
    receiver = person("pharmacy")
    assert f"/portal/deliveries/{made.id}" in receiver.get("partners")
    assert "Send documents to a partner" not in receiver.get("partners")
    answer = receiver.client.get(f"/portal/deliveries/{made.id}/document")
    assert answer.content == bytes(made.body)
    assert 'filename="maker-1.xml"' in answer["Content-Disposition"]
    assert DeliveryStep.objects.get(state="fetched").actor == receiver.member.pseudonym
    assert "Fetched" in delivered.get(f"deliveries/{made.id}")
    assert delivered.post(f"deliveries/{made.id}/resend", {}).status_code == 302
    assert Delivery.objects.get().state == "queued"


def test_a_form_sent_twice_sets_up_one_channel(house: House, person: Person) -> None:
    """With two the partner had each document twice. Other content, or no nonce, is the control."""
    admin = person("maker", "admin")
    assert 'name="nonce"' in admin.get("partners")
    for _ in range(2):
        assert admin.post("partners", {**FORM, "nonce": "n"}).status_code == 302
    assert Channel.objects.count() == 1
    for other in ({"nonce": "n", "format": "xml-2.0"}, {"nonce": "m"}, {}):
        admin.post("partners", {**FORM, **other})
    assert Channel.objects.count() == 4


def test_others_see_nothing_of_it(delivered: Portal, person: Person) -> None:
    made = Delivery.objects.get()
    for party, role in (("other", "admin"), ("wholesaler", "admin")):
        stranger = person(party, role)
        assert made.id not in stranger.get("partners")
        stranger.get(f"deliveries/{made.id}", 404)
        stranger.get(f"deliveries/{made.id}/document", 404)
        assert stranger.post(f"deliveries/{made.id}/resend", {}).status_code == 404
        act = {"action": "end-channel", "channel": made.channel_id}
        assert stranger.post("partners", act).status_code == 404
    receiver = person("pharmacy", "admin")
    assert receiver.post(f"deliveries/{made.id}/resend", {}).status_code == 404


def test_only_administrators_change_anything(delivered: Portal, person: Person) -> None:
    operator = person("maker")
    made = Delivery.objects.get()
    assert operator.post("partners", FORM).status_code == 403
    assert operator.post(f"deliveries/{made.id}/resend", {}).status_code == 403
    assert operator.client.get(f"/portal/deliveries/{made.id}/resend").status_code == 405
    assert Channel.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"partner": ""}, "partner"),
        ({"partner": "maker"}, "partner"),
        ({"way": "pigeon"}, "way"),
        ({"way": "webhook", "dest": "https://127.0.0.1/"}, "dest"),
        ({"statement": "x" * 2001}, "statement"),
    ],
)
def test_a_fault_leads_to_its_field(house: House, person: Person, changes: dict[str, str], field: str) -> None:
    admin = person("maker", "admin")
    answer = admin.post("partners", {**FORM, **changes})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f'href="#id_{field}"' in page
    assert f'id="id_{field}"' in page
    assert Channel.objects.count() == 0


def test_a_suspended_channel_and_subscription_go_on(delivered: Portal, house: House) -> None:
    channel = Channel.objects.get()
    Channel.objects.update(state="suspended", error="HTTP 500")
    assert delivered.post("partners", {"action": "resume-channel", "channel": channel.id}).status_code == 302
    assert Channel.objects.get().state == "active"
    query = NamedQuery.objects.create(party=house.parties["maker"], name="q", query={}, created_ms=0)
    Subscription.objects.create(
        id="s", query=query, dest="https://example.com/", created_ms=0, due_ms=0, since_index=0, event_index=0,
        batch=1, state="suspended", error="HTTP 500", attempts=30,
    )  # fmt: skip
    assert "HTTP 500" in delivered.get("partners")
    assert delivered.post("partners", {"action": "resume-subscription", "subscription": "s"}).status_code == 302
    assert Subscription.objects.get().state == "active"
    assert delivered.post("partners", {"action": "resume-subscription", "subscription": "x"}).status_code == 404
    assert delivered.post("partners", {"action": "x"}).status_code == 404


def test_an_ended_channel_has_left_the_page_and_its_documents_stay(delivered: Portal) -> None:
    channel, made = Channel.objects.get(), Delivery.objects.get()
    assert "resend" in delivered.get(f"deliveries/{made.id}")
    assert delivered.post("partners", {"action": "end-channel", "channel": channel.id}).status_code == 302
    page = delivered.get("partners")
    assert channel.id not in page
    assert made.id in page
    refused = delivered.post("partners", {"action": "resume-channel", "channel": channel.id})
    assert (refused.status_code, "has ended" in refused.content.decode()) == (409, True)
    assert "resend" not in delivered.get(f"deliveries/{made.id}")
    assert delivered.post(f"deliveries/{made.id}/resend", {}).status_code == 302  # to the page that says why not
    assert "has ended" in delivered.get("partners")
    assert (Channel.objects.get().state, Delivery.objects.get().state) == ("ended", made.state)


def test_the_page_costs_the_same_whatever_it_shows(
    delivered: Portal, stocked: House, django_assert_max_num_queries: Any
) -> None:
    for number in range(7, 11):
        act(stocked, "maker", "commission", [code(str(number))], lot=LOT, expiry=EXPIRY.isoformat())
        act(stocked, "maker", "ship", [code(str(number))], receiver="pharmacy", despatch=f"DB{number}")
        outgoing.drain()
    assert Delivery.objects.count() > 3
    with django_assert_max_num_queries(16):
        delivered.get("partners")
