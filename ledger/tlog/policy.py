"""Trust policies: which logs and witnesses count, and how many of them make a checkpoint final (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member> ...
    quorum <group>|<witness>|none

One definition a line, names defined before they are used, `#` begins a comment. A witness counts once: it and every
group is a member of one group at most, and no two witnesses share a key.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from . import checkpoint, cosignature, note
from .checkpoint import Checkpoint
from .cosignature import Cosigner
from .errors import CheckpointError, NoteError, PolicyError
from .note import Verifier

NONE = "none"
MAX_SIZE = 256 * 1024
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_NUMBER = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Log:
    """A log's key, and where its checkpoint and tiles are read (None: not said)."""

    verifier: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness and where it takes checkpoints; `cosigner` is None for a key type that we cannot judge."""

    name: str
    cosigner: Cosigner | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Met when at least `threshold` of its members (witnesses or groups) are."""

    threshold: int
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Checked:
    """A checkpoint whose log signature verified, and who cosigned it when (seconds since 1970)."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]
    final: bool  # a quorum of witnesses cosigned it; never so under `quorum none`


@dataclass(slots=True)
class Policy:
    """A policy as parsed; witnesses and groups by name."""

    logs: list[Log] = field(default_factory=list)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = ""

    @property
    def cosigners(self) -> dict[str, Cosigner]:
        """The keys of those witnesses whose cosignatures we can judge."""
        return {witness.name: witness.cosigner for witness in self.witnesses.values() if witness.cosigner}

    def check(self, data: bytes) -> Checked:
        """The checkpoint in a note that a log of this policy signed; NoteError or CheckpointError otherwise."""
        logs = [log.verifier for log in self.logs]
        cosigners = self.cosigners
        signed = note.verify(data, [*logs, *cosigners.values()])
        tree = checkpoint.parse(signed.text)
        if not any(log.name == tree.origin and signed.lines_of(log) for log in logs):
            raise CheckpointError(f"no log of this policy signed the checkpoint of {tree.origin!r}")
        cosigned = {
            name: max(cosignature.time_of(line.payload) for line in lines)
            for name, cosigner in cosigners.items()
            if (lines := signed.lines_of(cosigner))
        }
        return Checked(tree, cosigned, self.is_met(cosigned))

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Whether these witnesses make up the quorum."""
        return self.quorum != NONE and self._counts(self.quorum, cosigned)

    def _counts(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._counts(member, cosigned) for member in group.members) >= group.threshold


def of_vkey(vkey: str) -> Policy:
    """The policy of someone who knows a log's key and no witness; NoteError when the key is malformed."""
    return Policy(logs=[Log(note.parse_vkey(vkey), None)], quorum=NONE)


def parse(text: str) -> Policy:
    """The policy in a file's text; PolicyError names the line."""
    if len(text) > MAX_SIZE:
        raise PolicyError("a policy is shorter than that")
    policy = Policy()
    taken: set[str] = set()  # names that are members of a group already
    for number, line in enumerate(text.split("\n"), start=1):
        words = _COMMENT.sub("", line).split()
        try:
            if words:
                _define(policy, words, taken)
        except (PolicyError, NoteError) as error:
            raise PolicyError(f"line {number}: {error}") from error
    if not policy.quorum:
        raise PolicyError("the policy says no quorum")
    return policy


def _define(policy: Policy, words: list[str], taken: set[str]) -> None:
    match words:
        case ["log", vkey, *url] if len(url) <= 1:
            policy.logs.append(Log(note.parse_vkey(vkey), _url(url)))
        case ["witness", name, vkey, *url] if len(url) <= 1:
            _check_new(policy, name)
            cosigner = cosignature.parse_vkey(vkey)
            if cosigner and cosigner.public in {known.public for known in policy.cosigners.values()}:
                raise PolicyError("two witnesses have one key")
            policy.witnesses[name] = Witness(name, cosigner, _url(url))
        case ["group", name, threshold, *members] if members:
            _check_new(policy, name)
            for member in members:
                _check_defined(policy, member)
                if member in taken:
                    raise PolicyError(f"{member} is a member twice")
                taken.add(member)
            policy.groups[name] = Group(_threshold(threshold, len(members)), tuple(members))
        case ["quorum", name]:
            if policy.quorum:
                raise PolicyError("a second quorum")
            if name != NONE:
                _check_defined(policy, name)
            policy.quorum = name
        case _:
            raise PolicyError("a line defines a log, a witness, a group or the quorum")


def _check_new(policy: Policy, name: str) -> None:
    if name == NONE or name in policy.witnesses or name in policy.groups:
        raise PolicyError(f"the name {name} is taken")


def _check_defined(policy: Policy, name: str) -> None:
    if name not in policy.witnesses and name not in policy.groups:
        raise PolicyError(f"{name} is not defined above")


def _threshold(word: str, members: int) -> int:
    if word in ("all", "any"):
        return members if word == "all" else 1
    if not _NUMBER.fullmatch(word) or int(word) > members:
        raise PolicyError(f"{word} is no number of members (all, any, 1 to {members})")
    return int(word)


def _url(words: Sequence[str]) -> str | None:
    if not words:
        return None
    if not words[0].startswith(("https://", "http://")):
        raise PolicyError(f"{words[0]} is no http address")
    return words[0].rstrip("/")
