"""What people of the demo world do at their desks: through the services that the portal's pages call."""

import time
from collections.abc import Mapping
from typing import Any

from traceability.exceptions import services as exceptions
from traceability.exceptions.models import ExceptionItem
from traceability.parties.models import Member, Party
from traceability.recalls import responses
from traceability.recalls import services as recalls
from traceability.recalls.models import Notice

Users = Mapping[str, Mapping[str, str]]  # user name -> password, party, role
NOTICE_TIMEOUT_SECONDS = 60


def work(task: str, users: Users, party: str, data: Mapping[str, Any]) -> None:
    """Do one task as people of this party; KeyError for a task that is none."""
    people = [(_member(name), one["password"]) for name, one in users.items() if one["party"] == party]
    _TASKS[task](people, data)


def _recall(people: list[tuple[Member, str]], data: Mapping[str, Any]) -> None:
    """Two people sign the same text."""
    signers = [one for one in people if one[0].role in {Member.Role.ADMIN, Member.Role.QUALITY}]
    recall = recalls.draft(member=signers[0][0], given=data)
    for member, password in signers:
        recalls.sign(member=member, recall_id=recall.id, definition=recall.definition, password=password)


def _answer_recall(people: list[tuple[Member, str]], data: Mapping[str, Any]) -> None:
    """The notice is read and answered: everything was set aside."""
    member = people[0][0]
    notice = _notice(member)
    responses.open_notice(notice=notice, member=member)
    answer = responses.Answer(version=notice.version, counts={"set_aside": notice.packs})
    responses.acknowledge(notice=notice, actor=member.pseudonym, answer=answer)


def _notice(member: Member) -> Notice:
    deadline = time.monotonic() + NOTICE_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if found := Notice.objects.filter(party=member.party).select_related("recall", "party").first():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{member.party_id} was not told within {NOTICE_TIMEOUT_SECONDS} s: is the engine running?")


def _exception(people: list[tuple[Member, str]], data: Mapping[str, Any]) -> None:
    """A delivery is short: the sender is asked for what did not arrive."""
    member = people[0][0]
    what = exceptions.Opening(
        kind=data["kind"],
        codes=data["codes"],
        place=data["place"],
        note=data["note"],
        partner=Party.objects.get(id=data["partner"]),
        despatch=data["despatch"],
    )
    item = exceptions.open_item(member, what)
    exceptions.ask(member, item, version=ExceptionItem.objects.get(id=item.id).version)


def _escalate(people: list[tuple[Member, str]], data: Mapping[str, Any]) -> None:
    """The sender has not answered in time: the regulator is told."""
    member = people[0][0]
    item = ExceptionItem.objects.exclude(state=ExceptionItem.State.RESOLVED).get(party=member.party)
    exceptions.escalate(member, item, comment=data["comment"], version=item.version)


def _member(name: str) -> Member:
    return Member.objects.select_related("party", "user", "site").get(user__username=name)


_TASKS = {"recall": _recall, "answer_recall": _answer_recall, "exception": _exception, "escalate": _escalate}
