"""What a recall says, and the hash that two people sign. PURE.

Everything in it stands on the public log in clear once it is published: products, lots, class, clocks and two texts for
the public. Never a serial number, a holder or a person.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from traceability.gs1 import check_digit, digital_link, scan
from traceability.gs1.errors import Gs1Error

MAX_LOTS = 100
EVERY_LOT = "*"  # in the place of a lot number: the whole product, also the lots that are made later
MAX_TEXT = 1000
MAX_HOURS = 24 * 90
# Class -> hours within which each holder must have been told, and must have answered (NMPA 2007: notice in 24/48/72 h,
# report and plan in 1/3/7 days). A draft may say otherwise.
CLOCKS: Mapping[str, tuple[int, int]] = {"1": (24, 24), "2": (48, 72), "3": (72, 168)}
# Of a recall that an event recorded without naming a class: nobody said that it may wait.
STRICTEST = "1"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a draft: the member at fault, a stable code, and words for people."""

    field: str
    code: str
    message: str


class ContentError(ValueError):
    """A draft that says too little or too much; every fault of it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Content:
    """`lots` are (GTIN, lot number), sorted; '' as lot = every lot of the product. `level` is the class, 1 the gravest.

    `revision` rises with every change, so that a signature never counts for another wording, not even for an old one.
    """

    recall: str
    revision: int
    level: str
    is_drill: bool
    lots: tuple[tuple[str, str], ...]
    reason: str
    instruction: str
    deliver_hours: int
    answer_hours: int

    def public(self) -> dict[str, Any]:
        """The content as JSON: what is signed, stored and published."""
        return {
            "recall": self.recall,
            "revision": self.revision,
            "class": self.level,
            "drill": self.is_drill,
            "lots": [{"gtin": gtin, "lot": lot} for gtin, lot in self.lots],
            "reason": self.reason,
            "instruction": self.instruction,
            "clocks": {"deliveredWithinHours": self.deliver_hours, "answeredWithinHours": self.answer_hours},
        }

    @property
    def definition(self) -> str:
        """SHA-256 (hex) of `public` as canonical JSON: texts, integers and booleans, so sorting keys is enough."""
        text = json.dumps(self.public(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def classes(self) -> list[str]:
        """The EPC classes of its lots, as events name them."""
        return [lot_class(gtin, lot) for gtin, lot in self.lots]


def lot_class(gtin: str, lot: str) -> str:
    """The class under which custody keeps a lot, or a whole product."""
    return digital_link.lot_class(gtin, lot) if lot else digital_link.build(gtin=gtin)


def of_public(public: Mapping[str, Any]) -> Content:
    """The content out of what `public` gave."""
    return Content(
        recall=public["recall"],
        revision=public["revision"],
        level=public["class"],
        is_drill=public["drill"],
        lots=tuple((one["gtin"], one["lot"]) for one in public["lots"]),
        reason=public["reason"],
        instruction=public["instruction"],
        deliver_hours=public["clocks"]["deliveredWithinHours"],
        answer_hours=public["clocks"]["answeredWithinHours"],
    )


def read(given: Mapping[str, Any], *, recall: str, revision: int, today: date) -> Content:
    """A draft as a form or program gives it: class, drill, lots, reason, instruction, deliver_hours, answer_hours.

    `lots` are texts: a lot's code as scanned, or GTIN and lot number with a space between, `*` in the place of the
    number for every lot. Hours that are not given are the class's. ContentError names every fault.
    """
    faults: list[Fault] = []
    level = str(given.get("class", ""))
    if level not in CLOCKS:
        faults.append(Fault("class", "recall-class", f"the class is one of {', '.join(CLOCKS)}"))
    hours = CLOCKS.get(level, CLOCKS[STRICTEST])
    content = Content(
        recall=recall,
        revision=revision,
        level=level,
        is_drill=given.get("drill") is True,
        lots=_lots(given.get("lots"), today, faults),
        reason=_text(given.get("reason"), "reason", faults),
        instruction=_text(given.get("instruction"), "instruction", faults),
        deliver_hours=_hours(given.get("deliver_hours"), "deliver_hours", hours[0], faults),
        answer_hours=_hours(given.get("answer_hours"), "answer_hours", hours[1], faults),
    )
    if content.answer_hours < content.deliver_hours and not faults:
        faults.append(Fault("answer_hours", "recall-hours", "nobody answers before being told: give more hours"))
    if faults:
        raise ContentError(faults)
    return content


def _lots(given: Any, today: date, faults: list[Fault]) -> tuple[tuple[str, str], ...]:
    texts = [text for one in given if (text := str(one).strip())] if isinstance(given, Sequence) else []
    if not 0 < len(texts) <= MAX_LOTS:
        faults.append(Fault("lots", "recall-lots", f"name 1 to {MAX_LOTS} lots"))
        return ()
    found = set()
    for text in texts:
        lot = _lot(text, today)
        if lot is None:
            detail = f"{text}: give the lot's code, or GTIN and lot number, {EVERY_LOT} for every lot"
            faults.append(Fault("lots", "recall-lot", detail))
        else:
            found.add(lot)
    return tuple(sorted(found))


def _lot(text: str, today: date) -> tuple[str, str] | None:
    first, _, rest = text.partition(" ")
    try:
        if first.isascii() and first.isdigit() and len(first) <= 14 and rest.strip():
            gtin, lot = first.zfill(14), rest.strip()
            check_digit.require(gtin, name="GTIN", length=14)
            if lot == EVERY_LOT:
                return gtin, ""
            digital_link.build(gtin=gtin, lot=lot)
            return gtin, lot
        code = scan.parse(text, today=today)
    except Gs1Error:
        return None
    return (code.gtin, code.lot) if code.gtin and code.lot else None


def _text(given: Any, field: str, faults: list[Fault]) -> str:
    text = given.strip().replace("\r\n", "\n") if isinstance(given, str) else ""
    if not 0 < len(text) <= MAX_TEXT or "\x00" in text:
        faults.append(Fault(field, f"recall-{field}", f"the {field} is a text of 1 to {MAX_TEXT} characters"))
    return text


def _hours(given: Any, field: str, default: int, faults: list[Fault]) -> int:
    if given is None or given == "":
        return default
    text = str(given)
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_HOURS):
        faults.append(Fault(field, "recall-hours", f"give whole hours from 1 to {MAX_HOURS}"))
        return default
    return int(text)
