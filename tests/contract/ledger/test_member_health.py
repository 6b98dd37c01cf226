"""The health of a member's node: each check fails when its thing is broken, and strangers learn names only."""

import threading
import time

import pytest
from django.test import Client, override_settings

from ledger import member, member_health, models
from ledger.tlog import merkle

from .test_member import House, folder, posts, signer  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def node(signer, posts):  # noqa: F811
    found = House(signer)
    member_health.watch(found.node)
    with override_settings(ROOT_URLCONF="ledger.member_urls"):
        yield found
    member_health._running.clear()


def asked(**headers):
    answer = Client().get("/healthz", **headers)
    return answer.status_code, answer.json()


def test_all_is_well(node):
    node.step()
    status, body = asked()
    assert (status, body["failing"], tuple(body["checks"])) == (200, [], member_health.NAMES)


def test_a_log_that_does_not_answer(node):
    node.node.answered = node.node.stepped = time.monotonic() - member.STALE_SECONDS - 2
    assert asked()[1]["failing"] == ["log_answers", "in_step"]
    node.step()
    assert asked()[0] == 200


def test_a_log_that_answers_with_lies_leaves_the_copy_behind(node):
    node.step()
    node.node.answered = node.node.stepped = time.monotonic() - member.STALE_SECONDS - 2
    node.log.note = node.log.signed(root=merkle.leaf_hash(b"other"))
    node.step()
    status, body = asked()
    assert (status, body["failing"]) == (503, ["in_step"])
    assert body["checks"]["reports"]["detail"] == {"findings": 1}


def test_a_damaged_copy(node):
    node.node.damage = "the tiles have another root"
    assert asked()[1]["failing"] == ["in_step"]
    assert "another root" in asked()[1]["checks"]["in_step"]["words"]


def test_a_report_that_nobody_took(node):
    models.MonitorFinding.objects.create(
        digest="d", kind="fork", detail="", evidence={}, note="signed", found_ms=1, delivered_ms=None
    )
    assert asked()[1]["failing"] == ["reports"]
    models.MonitorFinding.objects.update(delivered_ms=2)
    status, body = asked()
    assert (status, body["checks"]["reports"]["detail"]) == (200, {"findings": 1})


def test_a_full_disk(node, settings):
    settings.HEALTH_MIN_FREE_BYTES = 1 << 60
    assert asked()[1]["failing"] == ["disk"]


def test_a_witness_that_follows_nothing_has_no_log_to_answer(node):
    node.node.url = ""
    assert set(asked()[1]["checks"]) == {"database", "reports", "disk"}


def test_strangers_learn_names_only(node):
    node.node.damage = "the tiles have another root"
    for request in ({"REMOTE_ADDR": "203.0.113.5"}, {"headers": {"X-Forwarded-For": "127.0.0.1"}}):
        assert asked(**request)[1] == {"status": "failing", "failing": ["in_step"]}


def test_the_loop_notes_damage_and_forgets_it(node, monkeypatch):
    stop, seen = threading.Event(), []

    def step(follower):
        seen.append(node.node.damage)
        if len(seen) == 1:
            raise member.ReplicaError("entry 3 is not what was signed")
        stop.set()

    monkeypatch.setattr(node.node, "step", step)
    monkeypatch.setattr(member.connection, "close", lambda: None)
    node.node.run(stop, every_s=0.01, progress=lambda done, total: None)
    assert seen == ["", "entry 3 is not what was signed"]
    assert node.node.damage == ""
