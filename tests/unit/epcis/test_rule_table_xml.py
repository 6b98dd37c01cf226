"""The table of rules through the XML door: what JSON lets pass passes, what it refuses is refused there."""

from collections.abc import Mapping
from typing import TypeVar

import pytest

from traceability.epcis.validation import validate_document
from traceability.epcis.xml import content, placing
from traceability.epcis.xml import members as tables
from traceability.epcis.xml.writer import Version, write

from . import samples
from .rule_table import RULES, Members, Rule
from .rule_table_xml import BY_HAND, NOT_IN_XML
from .test_rule_table import Found, wanted
from .test_xml_reading import read

VERSIONS: tuple[Version, ...] = ("2.0", "1.2")
Entry = TypeVar("Entry")


def entry(table: Mapping[str, Entry], rule: Rule) -> Entry | None:
    return table.get(str(rule), table.get(rule.sentence))


SPELLED = [rule for rule in RULES if entry(NOT_IN_XML, rule) is None]
UNSPELLED = [rule for rule in RULES if rule not in SPELLED]


def written(rule: Rule, members: Members, version: Version) -> bytes:
    """The altered sample behind a good event."""
    document = samples.document(samples.event("AssociationEvent"), samples.event(rule.kind, **members))
    return b"".join(write(document, version=version))


def by_hand(rule: Rule, members: Members, version: Version, xml: str) -> bytes:
    """The same, with `xml` at the end of the event in place of the member that the rule is about."""
    member = rule.field.partition("/")[0]
    data = written(rule, members if member == "type" else {**members, member: None}, version)
    before, end, after = data.rpartition(f"</{rule.kind}>".encode())
    assert end
    return _without_required(before, rule, {**members, member: None}) + xml.encode() + end + after


def _without_required(data: bytes, rule: Rule, members: Members) -> bytes:
    """Without the empty list that the writer adds; a sender may forget it."""
    name = placing.REQUIRED.get(rule.kind)
    is_there = name in samples.event(rule.kind, **members)
    return data if is_there else data.replace(f"<{name}/>".encode(), b"")


def refused(rule: Rule, version: Version) -> bytes:
    xml = entry(BY_HAND, rule)
    if xml is not None:
        return by_hand(rule, rule.bad, version, xml)
    return _without_required(written(rule, rule.bad, version), rule, rule.bad)


def found(data: bytes, rule: Rule) -> Found:
    faults = validate_document(read(data), cbv_compliant=rule.compliant)
    return [(one.event_index, one.pointer, one.code) for one in faults]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_passes_in_json_passes_in_xml(rule: Rule, version: Version) -> None:
    assert found(written(rule, rule.good, version), rule) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rule", SPELLED, ids=str)
def test_what_is_refused_in_json_is_refused_in_xml_at_the_same_place(rule: Rule, version: Version) -> None:
    assert found(refused(rule, version), rule) == wanted(rule)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rule", UNSPELLED, ids=str)
def test_what_xml_has_no_spelling_for_is_what_its_row_says(rule: Rule, version: Version) -> None:
    """Neither the writer nor the nearest spelling gives the fault of JSON; once one does, the row belongs above."""
    unspelled = NOT_IN_XML[rule.sentence]
    faults = found(by_hand(rule, rule.good, version, unspelled.nearest), rule)
    assert faults == [(1, f"/epcisBody/eventList/1/{field}", code) for field, code in unspelled.faults]
    assert faults != wanted(rule)
    assert not _is_written(rule, version)


def _is_written(rule: Rule, version: Version) -> bool:
    try:
        data = _without_required(written(rule, rule.bad, version), rule, rule.bad)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        return False  # the writer knows valid events only
    return found(data, rule) == wanted(rule)


@pytest.mark.parametrize("rule", [rule for rule in RULES if entry(BY_HAND, rule) is not None], ids=str)
def test_by_hand_is_only_what_the_writer_does_not_write(rule: Rule) -> None:
    assert not _is_written(rule, "2.0")


def test_no_entry_is_stale_and_each_has_its_reason() -> None:
    for table in (BY_HAND, NOT_IN_XML):
        assert [key for key in table if not any(key in (str(rule), rule.sentence) for rule in RULES)] == []
    assert set(BY_HAND).isdisjoint(NOT_IN_XML)
    assert all(unspelled.reason for unspelled in NOT_IN_XML.values())
    assert (len(SPELLED), len(UNSPELLED)) == (366, 22)


# What has the same form when it is read as an extension: a text, or an object by the names within.
_SAME = {"readPoint", "bizLocation", "ilmd", *(name for name, read in tables.EVENT.items() if read is tables._TEXT)}


@pytest.mark.parametrize("name", [name for name in tables.EVENT if name not in _SAME])
def test_no_entry_of_the_reader_is_switched_off_unnoticed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(tables.EVENT, name, content.extension)
    about = [rule for rule in RULES if rule.field.startswith(name)]
    assert any(found(written(rule, rule.good, "2.0"), rule) for rule in about)
