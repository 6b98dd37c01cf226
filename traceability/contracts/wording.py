"""Findings in words: a title and an explanation per code, in the reader's language; numbers as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_TITLES: Mapping[str, Promise | str] = {
    "temperature-hot": _("Too warm"),
    "temperature-freeze": _("Too cold"),
    "temperature-cold": _("Too cold"),
    "expired-sale": _("Sold after expiry"),
    "clone-commissioned-twice": _("Serial number made twice"),
    "clone-impossible-travel": _("Seen in two places that one pack cannot have reached"),
    "double-dispense-elsewhere": _("Dispensed twice, by different parties"),
    "double-dispense-same-party": _("Dispensed twice by the same party"),
    "double-dispense-double-scan": _("Scanned twice within minutes"),
    "containment-second": _("Packed again without having been taken out"),
    "containment-ring": _("Recorded as lying in itself"),
    "quantity-mismatch": _("Received is not what was despatched"),
    "movement-after-recall-shipped": _("Shipped after recall"),
    "movement-after-recall-sold": _("Dispensed after recall"),
    "movement-after-freeze-lot": _("Moved although its lot is frozen"),
    "movement-after-freeze-place": _("Moved although its place is frozen"),
    "key-revoked": _("Records withdrawn: their key is not trusted"),
    "key-retired": _("Records withdrawn: signed after their key was retired"),
    "key-unregistered": _("Records that no registered key stands behind"),
    "log-split-view": _("The log showed two histories"),
    "log-fork": _("The log was rewritten"),
    "log-rollback": _("The log went backwards"),
    "log-bad-bundle": _("The log serves entries that it did not sign"),
    "log-bad-tile": _("The log serves hashes that do not fit its checkpoint"),
    "log-bad-checkpoint": _("The log serves a checkpoint that does not count"),
    "log-omission": _("The log left out what it had accepted"),
    "log-bad-entry": _("An entry that no registered key stands behind"),
    "log-stale": _("The log stands still"),
}
_TEXTS: Mapping[str, Promise | str] = {
    "temperature-hot": _(
        "{subject} was above {limit_mc} for at least {certain_s} and at most {possible_s} minutes between {start_ms} "
        "and {end_ms}; the highest reading was {extreme_mc}. Allowed: {limit_s} minutes. Keep the goods apart until a "
        "responsible person has decided."
    ),
    "temperature-freeze": _(
        "{subject} was at or below {limit_mc} for at least {certain_s} and at most {possible_s} minutes between "
        "{start_ms} and {end_ms}; the lowest reading was {extreme_mc}. Allowed: {limit_s} minutes. A product that must "
        "not freeze may be spoilt without looking so: keep the goods apart and have them tested."
    ),
    "temperature-cold": _(
        "{subject} was below {limit_mc} for at least {certain_s} and at most {possible_s} minutes between {start_ms} "
        "and {end_ms}; the lowest reading was {extreme_mc}. Allowed: {limit_s} minutes. Keep the goods apart until a "
        "responsible person has decided."
    ),
    "expired-sale": _(
        "{subject} was handed out on {sold}, after its last valid day {expiry}. Trace whom it went to and take expired "
        "packs off the shelf."
    ),
    "clone-commissioned-twice": _(
        "{subject} was commissioned twice with different content. One of the two may be a copy: hold the pack and "
        "compare both records with the maker."
    ),
    "clone-impossible-travel": _(
        "{subject} was seen in two places {km} km apart within {minutes} minutes. One of the two may be a copy: hold "
        "both packs and compare them with the maker's record."
    ),
    "double-dispense-elsewhere": _(
        "{subject} was handed out twice by different parties, {minutes} minutes apart, without an undo or a return in "
        "between. One of the two may be a copy, or the first sale was not real."
    ),
    "double-dispense-same-party": _(
        "{subject} was handed out twice by the same party, {minutes} minutes apart, without an undo or a return in "
        "between. Check the stock and declare the wrong record void."
    ),
    "double-dispense-double-scan": _(
        "{subject} was handed out twice by the same party within {minutes} minutes: probably one sale, scanned twice. "
        "Declare the second record void."
    ),
    "containment-second": _(
        "{subject} was packed into {second_container} while it was recorded as lying in {first_container}. Find out "
        "where it is, and record the unpacking or declare the wrong packing void."
    ),
    "containment-ring": _(
        "{subject} is recorded as lying in {ring}, that is, in itself. Where these goods are cannot be told by their "
        "containers: declare the wrong packing void."
    ),
    "quantity-mismatch": _(
        "Under {subject} {missing} were despatched and not received, and {extra} received and not despatched, when the "
        "time for receipts had passed."
    ),
    "movement-after-recall-shipped": _(
        "{subject} was shipped after lot {lot_class} had been recalled ({recalled_ms}), and not as a return. Stop it "
        "and take it back."
    ),
    "movement-after-recall-sold": _(
        "{subject} was handed out after lot {lot_class} had been recalled ({recalled_ms}). Trace whom it went to."
    ),
    "movement-after-freeze-lot": _(
        "{subject} was shipped, handed out or destroyed after the authority had frozen lot {lot_class} ({frozen_ms})."
        " Find out where it is and have it kept there."
    ),
    "movement-after-freeze-place": _(
        "{subject} was shipped, handed out or destroyed at {lot_class} after the authority had frozen that place"
        " ({frozen_ms}). Find out where it is and have it kept there."
    ),
    "key-revoked": _(
        "The key {kid} of {party} was revoked: it must not be believed since {since_ms}. {entries} records that it"
        " signed count no more; they name {things} packs and containers. Find out what really happened to these goods"
        " and have it recorded again with a key that counts."
    ),
    "key-retired": _(
        "The key {kid} of {party} was retired as of {since_ms}. {entries} records that it signed later, by their own"
        " word, do not count; they name {things} packs and containers. Find the device that still signs with it, and"
        " have these steps recorded again."
    ),
    "key-unregistered": _(
        "{entries} records are signed with the key {kid}, which is not registered to who signed, or was registered only"
        " later. They do not count; they name {things} packs and containers. Find out how they got on the log."
    ),
    "log-split-view": _(
        "The witness {witness} holds two checkpoints of {subject} for one size with different content. Different people"
        " were shown different logs. Keep both, ask the other witnesses for theirs, and stop relying on this log."
    ),
    "log-fork": _(
        "The witness {witness} found that the newer tree of {subject} does not contain the older one. Something that"
        " was recorded was changed or removed. Keep the evidence and stop relying on this log until it is explained."
    ),
    "log-rollback": _(
        "The witness {witness} was shown a smaller log by {subject} than before. An older backup may have been put"
        " back, or entries are being hidden. Compare with the checkpoints that others kept."
    ),
    "log-bad-bundle": _(
        "The witness {witness} was served entries of {subject} that are not those in the signed tree. A disk may be"
        " damaged or somebody changed them: run fsck on the house's database."
    ),
    "log-bad-tile": _(
        "The witness {witness} was served hashes of {subject} that do not lead to the signed checkpoint. A disk may be"
        " damaged or somebody changed them: run fsck on the house's database."
    ),
    "log-bad-checkpoint": _(
        "The witness {witness} was served a checkpoint of {subject} that is malformed or not signed by the log's key."
        " Find out who answers under this address."
    ),
    "log-omission": _(
        "The witness {witness} holds a receipt of {subject} for statements that are not in the log after the promised"
        " time. Whoever sent them must send them again, and somebody must find out where they went."
    ),
    "log-bad-entry": _(
        "The witness {witness} found an entry in {subject} that no registered key stands behind. It counts for nothing;"
        " find out how it got there."
    ),
    "log-stale": _(
        "The witness {witness} has seen nothing new of {subject} for too long: it does not answer, or shows an old"
        " checkpoint."
    ),
}

_URIS = frozenset({"lot_class", "party", "first_container", "second_container"})


def title(code: str) -> str:
    """The finding in a few words."""
    return str(_TITLES.get(code, code))


def explain(code: str, params: Mapping[str, Any], *, subject: str) -> str:
    """What happened and what to do, in the active language; times in UTC."""
    shown = {name: _shown(name, value) for name, value in params.items()} | {"subject": short(subject)}
    return str(_TEXTS.get(code, code)).format(**shown)


def short(uri: str) -> str:
    """An identifier as people read it on the goods: `(01)…(21)…`, `(00)…`, else its last part."""
    for prefix, shown in (("https://id.gs1.org/01/", "(01)"), ("https://id.gs1.org/00/", "(00)")):
        if uri.startswith(prefix):
            return shown + uri.removeprefix(prefix).replace("/21/", "(21)").replace("/10/", "(10)")
    if uri.startswith("https://id.gs1.org/414/"):
        return "(414)" + uri.removeprefix("https://id.gs1.org/414/")
    return uri.rpartition(":")[2] if uri.startswith("urn:") else uri


def celsius(milli: int) -> str:
    """Milli-°C as °C with one decimal, a second and third only where they are needed."""
    sign, rest = ("−" if milli < 0 else ""), abs(milli)
    decimals = f"{rest % 1000:03d}".rstrip("0") or "0"
    return f"{sign}{rest // 1000}.{decimals} °C"


def utc(ms: int) -> str:
    """A moment as `2026-03-01 08:00 UTC`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _shown(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if name.endswith("_mc"):
        return celsius(value)
    if name.endswith("_ms"):
        return utc(value)
    if name.endswith("_s"):
        return -(-value // 60) if name == "possible_s" else value // 60  # an upper bound is rounded up
    if name == "kid":
        return f"{value[:16]}…"
    if name == "ring":
        return " → ".join(map(short, value))
    return short(value) if name in _URIS else value
