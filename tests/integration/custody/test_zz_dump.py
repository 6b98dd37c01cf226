import json, os
from random import Random
import pytest
from tests.integration.custody.test_trace import house, watched, slowly, placed, ask, told, Story, sscc, pack, LOT_CODE, TODAY, trace, traces
from traceability.custody.trace import TraceError

@pytest.mark.parametrize("seed", range(100, 112))
def test_dump(placed, slowly, seed):
    slowly.random = type("R", (), {"sample": staticmethod(lambda *_: [])})()
    boxes = [sscc(10 + number) for number in range(2)]
    Story(Random(seed), placed, "1").tell(Random(seed).randint(12, 40))
    slowly.house.settle()
    out = []
    subjects = [LOT_CODE, pack("1-0"), pack("1-1"), "urn:x:D0", "urn:x:D1", slowly.place("wholesaler"), slowly.place("maker"), *boxes]
    top = trace.horizon()
    for of in subjects:
        for direction in ("both", "back", "on"):
            for as_of in (None, top // 2, 3 * top // 4):
                for party in (None, "maker", "wholesaler", "pharmacy", "other"):
                    if party and (as_of or direction != "both"): continue
                    try:
                        if party: a = traces.ask(trace.subject(of, today=TODAY), party=slowly.house.parties[party])
                        else: a = ask(of, direction=direction, as_of=as_of)
                        out.append((of, direction, as_of, party, told(a), a.hidden, [(m.event, m.quantity) for m in a.materials], sorted(a.trace.events.items()), [(r.first_ms, r.last_ms) for r in a.trace.nodes]))
                    except (TraceError, KeyError) as e:
                        out.append((of, direction, as_of, party, type(e).__name__))
    out = json.loads(json.dumps(out, default=str))
    for o in out: o[0] = str(o[0])
    with open(f"{os.environ['DUMP']}-{seed}.json", "w") as f: json.dump(out, f, indent=0, sort_keys=True)
