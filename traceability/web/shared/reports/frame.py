"""What a report is: a form, and an answer of rows that come in portions, with what they rest on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.parties.models import Member, Party
from traceability.visibility import rules

Text = str | Promise
Row = Sequence[Any]
PORTAL, REGULATOR = "portal", "regulator"
CSV_ROWS = 500


@dataclass(frozen=True)
class Asker:
    """Who asks, through which face; times are told in `zone`."""

    member: Member
    face: str
    zone: ZoneInfo

    @property
    def party(self) -> Party:
        return self.member.party

    @property
    def is_inspector(self) -> bool:
        return self.face == REGULATOR


@dataclass(frozen=True)
class Column:
    """`name` heads the CSV and stays the same in every language; a column without a label is in the CSV only.

    `kind` is how a value is told: text | number | moment (ms) | status | goods (an EPC) | documents | yes. The page
    says the numbers of documents as they are printed, the CSV as they stand on the log.
    """

    name: str
    label: Text = ""
    kind: str = "text"


@dataclass(frozen=True)
class Portion:
    """Some rows, and the place after which the next ones come, '' = there are none."""

    rows: Sequence[Row]
    after: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: `share` is its length in per cent of the longest."""

    label: Text
    number: int
    share: float


@dataclass(frozen=True)
class Answer:
    """What a report found. `portion(after, limit)` reads rows; '' is before the first.

    `facts` are figures with their names, `notes` say what the rows rest on, `warnings` what speaks against them.
    """

    subject: str
    columns: Sequence[Column]
    portion: Callable[[str, int], Portion]
    facts: Sequence[tuple[Text, Any]] = ()
    bars: Sequence[Bar] = ()
    notes: Sequence[Text] = ()
    warnings: Sequence[Text] = ()
    proofs: Callable[[], Mapping[str, Any]] | None = None  # the evidence bundle of what the rows show
    zone: ZoneInfo | None = None  # in which its times are told, None = the asker's
    is_statement: bool = False  # for another's file: on paper it has a place for name, date and signature

    def every_row(self) -> Iterator[Row]:
        """All rows, some at a time, so that a long CSV needs no more memory than a short one."""
        portion = self.portion("", CSV_ROWS)
        yield from portion.rows
        while portion.after:
            portion = self.portion(portion.after, CSV_ROWS)
            yield from portion.rows


class ReportForm(forms.Form):
    """What a report asks for, by GET. It is asked once everything required has a value, be it the usual one."""

    def __init__(self, given: Mapping[str, str], *, asker: Asker) -> None:
        usual = {name: one.initial for name, one in self.base_fields.items() if one.initial is not None}
        data = {name: value for name, value in given.items() if name in self.base_fields}
        required = {name for name, one in self.base_fields.items() if one.required}
        self.asker = asker
        super().__init__({**usual, **data} if data or required <= usual.keys() else None, label_suffix="")


@dataclass(frozen=True)
class Report:
    """A report as the list of them shows it."""

    id: str
    title: Text
    lead: Text
    form: type[ReportForm]
    run: Callable[[Asker, dict[str, Any]], Answer]
    icon: str = "log"
    faces: frozenset[str] = field(default=frozenset({PORTAL, REGULATOR}))


@dataclass(frozen=True)
class AsOf:
    """What a report rests on: the last log entry that was folded, the newest checkpoint, and when it was asked."""

    index: int  # -1 before the first
    size: int
    root: str  # hex
    checkpoint_ms: int | None
    asked_ms: int


def as_of() -> AsOf:
    """Read it before the rows: what is folded in the meantime may be in them, nothing older is missing."""
    checkpoint = ledger.latest_checkpoint()
    if checkpoint is None:
        return AsOf(rules.horizon(), 0, "", None, now_ms())
    return AsOf(rules.horizon(), checkpoint.size, checkpoint.root.hex(), checkpoint.time_ms, now_ms())


def listed(rows: Sequence[Row]) -> Callable[[str, int], Portion]:
    """The portions of rows that are few enough to be counted out at once."""

    def portion(after: str, limit: int) -> Portion:
        start = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
        end = start + limit
        return Portion(rows[start:end], str(end) if end < len(rows) else "")

    return portion


def bars(numbers: Sequence[tuple[Text, int]]) -> list[Bar]:
    """Bars in proportion to the longest."""
    longest = max((number for _, number in numbers), default=0) or 1
    return [Bar(label, number, round(100 * number / longest, 1)) for label, number in numbers]
