"""Which facts are fine: the checks behind /healthz, each with a stable name (docs/operations.md, Health)."""

from ledger import api as ledger

from .facts import IN_PROCESS, Facts, LogFacts

Check = ledger.Check

# An idle log is cosigned again with each tick (30 s); a round and its slowest witness take 13 s more.
QUORUM_SECONDS = 120
# How long a published entry may lie unread by a projection.
PROJECTION_SECONDS = 60
NAMES = (
    "database", "checkpoint_age", "backlog", "backlog_age", "sequencer", "projections", "witness_quorum",
    "disk_data", "disk_database", "broker", "key_files",
)  # fmt: skip


def judge(facts: Facts) -> list[Check]:
    """Every check, in the order of NAMES; what the database alone knows is unknown while it does not answer."""
    if facts.log is None:
        checks = [Check("database", ledger.health.FAILING, "the database does not answer", facts.database_error)]
        checks += [Check(name, ledger.health.UNKNOWN, "only the database knows") for name in NAMES[1:7]]
    else:
        checks = [Check("database", ledger.health.OK, "the database answers", facts.database)]
        checks += [*_log(facts, facts.log), _projections(facts, facts.log), _quorum(facts, facts.log.log)]
    return [*checks, *_machine(facts)]


def _log(facts: Facts, found: LogFacts) -> list[Check]:
    log, mmd = found.log, facts.limits["mmd_s"]
    if log.checkpoint_ms is None:
        age = Check("checkpoint_age", ledger.health.FAILING, "nothing has been published yet", None, mmd, "s")
    else:
        words = "time since the newest published checkpoint; an idle log repeats it every tick"
        age = ledger.health.at_most("checkpoint_age", facts.age_s(log.checkpoint_ms), mmd, "s", words)
    waits = facts.age_s(found.oldest_ms) if log.backlog else 0
    return [
        age,
        ledger.health.at_most(
            "backlog", log.backlog, facts.limits["backlog"], "statements", "more than this, and capture answers 503"
        ),
        ledger.health.at_most("backlog_age", waits, mmd, "s", "how long the oldest waits; receipts promise the limit"),
        _sequencer(log),
    ]


def _sequencer(log: ledger.LogStanding) -> Check:
    if log.refusal:
        return Check(
            "sequencer", ledger.health.FAILING, f"the log is closed, nothing is signed: {log.refusal}", "closed"
        )
    if not log.is_written:
        return Check(
            "sequencer", ledger.health.FAILING, "no process is the log's writer: start the sequencer", "nobody"
        )
    return Check("sequencer", ledger.health.OK, "a process is the log's writer", "elected")


def _projections(facts: Facts, found: LogFacts) -> Check:
    if found.rebuilding:
        words = (
            "tables are being rebuilt, or wait for manage.py rebuild --stale after an upgrade: answers are incomplete"
        )
        return Check("projections", ledger.health.FAILING, words, ", ".join(found.rebuilding))
    waits = facts.age_s(found.unread_ms) if any(fold.behind for fold in found.folds) else 0
    behind = {fold.name: fold.behind for fold in found.folds}
    words = "how long the first entry waits that some projection has not read; detail: entries behind the log"
    return ledger.health.at_most("projections", waits, PROJECTION_SECONDS, "s", words, **behind)


def _quorum(facts: Facts, log: ledger.LogStanding) -> Check:
    if not log.has_quorum:
        words = "no quorum is named in this house's policy: entries are recorded, and never final"
        return Check("witness_quorum", ledger.health.OK, words, "none")
    detail: dict[str, int | None] = {"published": log.published_size, "final": log.final_size}
    ages = {f"witness {one.name}": facts.age_s(one.cosigned_ms or None) for one in log.witnesses}
    if log.quorum_ms is None:
        words = "no quorum of the policy's witnesses has cosigned yet"
        return Check("witness_quorum", ledger.health.FAILING, words, None, QUORUM_SECONDS, "s", detail | ages)
    words = "since a quorum had cosigned, or since the oldest entry that is not final; detail: sizes, each witness' age"
    age = max(facts.age_s(log.quorum_ms) or 0, facts.age_s(log.unfinal_ms) or 0)
    return ledger.health.at_most("witness_quorum", age, QUORUM_SECONDS, "s", words, **detail, **ages)


def _machine(facts: Facts) -> list[Check]:
    least = facts.limits["disk"]
    broker = Check("broker", ledger.health.OK, "the broker answers", "reachable")
    if facts.broker == IN_PROCESS:
        broker = Check("broker", ledger.health.OK, "tasks pass inside the process", IN_PROCESS)
    elif facts.broker:
        words = "the broker does not answer: entries are published, projections and alerts stand still"
        broker = Check("broker", ledger.health.FAILING, words, facts.broker)
    loose = ", ".join(facts.loose_files)
    keys = Check("key_files", ledger.health.OK, "secrets are readable by their owner only", "0600")
    if loose:
        keys = Check("key_files", ledger.health.FAILING, "absent, or readable by others (chmod 600)", loose, "0600")
    data = "free where the data folder lies"
    database = "free where the database lies" if facts.database == "sqlite" else "watch the database's own machine"
    return [
        ledger.health.at_least("disk_data", facts.disk_data, least, "bytes", data),
        ledger.health.at_least("disk_database", facts.disk_database, least, "bytes", database),
        broker,
        keys,
    ]
