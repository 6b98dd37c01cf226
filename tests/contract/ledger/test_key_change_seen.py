"""A log replaces its key before the eyes of those who follow and witness it."""

import logging

import pytest

from ledger import keyring, models
from ledger import statement as statements
from ledger.statement import Header
from ledger.tlog import checkpoint, merkle, note
from ledger.witness import WitnessError, format_request

from .lying_log import LOG, LOG_SEED, OPERATOR, ORIGIN, PARTY_KEY, ROOT_KEY, LyingLog
from .test_follower import Following, replica  # noqa: F401  the fixture
from .test_member import URL, House, folder, no_pause, posts, signer  # noqa: F401  fixtures

pytestmark = pytest.mark.django_db
NEXT = statements.key_from_seed(b"\7" * 32)
NEW = note.Verifier(ORIGIN, NEXT.public)
OLD_ONLY, NEW_ONLY = f"log {LOG}\nquorum none\n", f"log {NEW}\nquorum none\n"
BOTH = f"log {LOG}\nlog {NEW}\nquorum none\n"


def follows(by=ROOT_KEY):
    old = statements.key_from_seed(LOG_SEED)
    content = keyring.log_key(origin=ORIGIN, public=NEXT.public, replaces=old.public, overlap=True)
    return statements.sign(Header("log-key", OPERATOR, by.kid, 0), content, key=by)


def double(log):
    tree = checkpoint.Checkpoint(ORIGIN, log.size, merkle.root_of(log.leaves))
    return checkpoint.sign(tree, seed=LOG_SEED, also=[NEXT.seed])


def begin(log, by=ROOT_KEY):
    """The log says who follows, and both keys sign."""
    log.all.append(follows(by))
    log.grow(log.size + 3)
    log.note = double(log)


def retire(log):
    log.grow(log.size + 1)
    log.note = log.signed(seed=NEXT.seed)


@pytest.mark.parametrize("text", [OLD_ONLY, NEW_ONLY, BOTH])
def test_while_both_keys_sign_everybody_goes_on_with_the_key_they_know(replica, text):  # noqa: F811
    log = LyingLog(5)
    begin(log)
    following = Following(replica, log, text)
    following.step()
    assert (replica.head().published_size, following.reports) == (log.size, [])


def test_after_the_retirement_a_follower_with_the_new_line_goes_on(replica):  # noqa: F811
    following = Following(replica, LyingLog(5), BOTH)
    following.step()
    begin(following.log)
    following.step()
    retire(following.log)
    following.step()
    assert replica.head().published_size == following.log.size


def test_after_the_retirement_a_follower_without_it_says_which_line_is_missing_and_trusts_nothing(replica):  # noqa: F811
    following = Following(replica, LyingLog(5), OLD_ONLY)
    begin(following.log)
    following.step()
    size = replica.head().published_size
    retire(following.log)
    first = following.lie()
    assert (first.kind, first.evidence) == ("bad-checkpoint", {"entry": 5, "vkey": str(NEW)})
    assert f"add the line `log {NEW}`" in first.detail
    retire(following.log)
    assert following.lie() == first  # one finding, however many checkpoints come
    assert replica.head().published_size == size
    following.text = BOTH
    following.start()
    following.step()
    assert replica.head().published_size == following.log.size


def test_a_key_that_the_root_key_did_not_name_is_a_strangers(replica):  # noqa: F811
    following = Following(replica, LyingLog(5), OLD_ONLY)
    following.log.all.append(follows(by=PARTY_KEY))
    following.log.grow(9)
    following.step()
    assert [report.kind for report in following.reports] == ["bad-entry"]
    following.log.note = following.log.signed(seed=NEXT.seed)
    assert "no known key signed" in following.lie().detail


def test_a_checkpoint_that_the_successor_did_not_sign_either_is_shown_as_it_is(replica):  # noqa: F811
    following = Following(replica, LyingLog(5), OLD_ONLY)
    begin(following.log)
    following.step()
    following.log.note = following.log.signed(seed=b"\6" * 32)
    assert following.lie().evidence == {"seen": following.log.note}


def test_the_owner_is_warned_once_while_there_is_time(signer, posts, caplog):  # noqa: F811
    house = House(signer)
    house.step()
    begin(house.log)
    with caplog.at_level(logging.WARNING, logger="ledger.member"):
        house.step()
        house.step()
    assert [f"add `log {NEW}` to the policy" in record.getMessage() for record in caplog.records] == [True]
    assert house.found() == []


def test_a_node_without_the_line_reports_once_and_does_not_cosign(signer, posts):  # noqa: F811
    house = House(signer)
    begin(house.log)
    house.step()
    witness = house.node.witness(looking=True)
    assert witness.add_checkpoint(format_request(0, [], house.log.note))
    known = house.log.size
    for _ in range(3):
        retire(house.log)
        house.step()
    assert house.found() == ["bad-checkpoint"]
    assert [url for url, _ in posts] == [f"{URL}/reports"]
    with pytest.raises(WitnessError) as refused:
        witness.add_checkpoint(format_request(known, [], house.log.note))
    assert refused.value.status == 403
    assert models.WitnessedLog.objects.get().size == known


def test_a_witness_keeps_and_passes_on_both_lines(signer, posts):  # noqa: F811
    house = House(signer)
    house.node.policy = house.node.policy.__class__(
        [*house.policy.logs, house.policy.logs[0].__class__(NEW, None)], *[
            getattr(house.policy, name) for name in ("witnesses", "groups", "quorum")
        ]
    )  # fmt: skip
    begin(house.log)
    witness = house.node.witness(looking=False)
    witness.add_checkpoint(format_request(0, [], house.log.note))
    kept = note.parse(models.WitnessedLog.objects.get().note.encode())
    assert [len(kept.lines_of(key)) for key in (LOG, NEW)] == [1, 1]
