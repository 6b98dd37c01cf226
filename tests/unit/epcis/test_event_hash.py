"""The event hash of CBV 2.0: vectors that others agree on, our own, and what must or must not change it."""

import io
import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.epcis import document as documents
from traceability.epcis.event_hash import event_hash, is_event_hash, prehash
from traceability.epcis.validation import validate_event
from traceability.epcis.xml.reader import open_document

from . import samples, xml_samples
from .test_xml_reading import SPELLED_APART, as_xml_has_it

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors/epcis/event_hash.json").read_text())["vectors"]


def from_xml(data):
    source = open_document(io.BytesIO(data))
    return [documents.bare(event, source.frame.get("@context")) for event in source.events()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_own_vectors(vector):
    assert validate_event(vector["event"]) == []
    assert prehash(vector["event"]) == vector["prehash"]
    assert event_hash(vector["event"]) == vector["hash"]
    assert is_event_hash(vector["hash"])


def test_vectors_on_which_implementations_agree(shared_data):
    folder = shared_data / "event-hash"
    vectors = json.loads((folder / "consensus_vectors.json").read_text())
    for vector in vectors:
        document = json.loads((folder / "docs" / vector["file"]).read_text())
        event = documents.events(document)[vector["index"]]
        assert prehash(event) == vector["prehash"], vector["file"]
        assert event_hash(event) == vector["hash"], vector["file"]
    assert len(vectors) >= 12


@pytest.mark.parametrize("kind", samples.EVENTS)
def test_xml_twins_hash_equal(kind):
    (twin,) = documents.events(samples.document(as_xml_has_it(kind)))
    for version in ("2.0", "1.2"):
        (found,) = from_xml(xml_samples.document(xml_samples.EVENTS[version][kind], version=version))
        assert prehash(found) == prehash(twin)


def test_foreign_twins_hash_equal(shared_data):
    count = 0
    for path in (shared_data / "epcis/openepcis/valid").glob("*.xml"):
        if path.name not in SPELLED_APART:
            theirs = documents.events(json.loads(path.with_suffix(".json").read_bytes()))
            for one, other in zip(from_xml(path.read_bytes()), theirs, strict=True):
                assert prehash(one) == prehash(other), path.name
                count += 1
    assert count >= 24


@pytest.mark.parametrize("kind", samples.EVENTS)
@given(data=st.data())
def test_order_and_id_do_not_matter_and_content_does(kind, data):
    event = samples.bare(kind)
    shuffled = {name: event[name] for name in data.draw(st.permutations(list(event)))}
    for name, value in shuffled.items():
        if name.endswith(("List", "EPCs")):
            shuffled[name] = data.draw(st.permutations(value))
    assert event_hash({**shuffled, "eventID": "urn:uuid:1", "recordTime": "2026-03-01T00:00:00Z"}) == event_hash(event)
    left_out = {"@context", "eventID", "errorDeclaration"}
    name = data.draw(st.sampled_from([name for name in event if name not in left_out and event[name] != []]))
    changed = deepcopy(event)
    changed[name] = "2026-03-01T12:00:01+08:00" if name == "eventTime" else "ours:other" if name == "type" else None
    if changed[name] is None:
        del changed[name]
    assert event_hash(changed) != event_hash(event)
