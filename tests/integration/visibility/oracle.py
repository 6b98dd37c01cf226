"""ADR 9 once more, naively and from its words: every entry is judged anew from the first, pack by pack, in memory.

It shares no code with the product and knows no tables, batches or groups of packs. An event is a dict: time, by, step,
type, action, epcs, parent, children, inputs, outputs, to (parties), names (parties), and `voids` (the place of an event
that it declares void) in place of all those. Its place in the list is its place on the log.
"""

from typing import Any

Event = dict[str, Any]
FOREVER = 10**18


def audiences(log: list[Event], regulator: str) -> dict[tuple[str, int], int]:
    """(party, event) -> the entry from which on the party sees the event."""
    since: dict[tuple[str, int], int] = {}
    for now, entry in enumerate(log):
        void = {e["voids"] for e in log[: now + 1] if "voids" in e and e["by"] in (log[e["voids"]]["by"], regulator)}
        believed = [(n, e) for n, e in enumerate(log[: now + 1]) if "voids" not in e and n not in void]
        pairs = {(party, now) for party in (entry["by"], *entry.get("to", ()), *entry.get("names", ()))}
        world = World(believed)
        for thing in world.named():
            pairs |= world.pedigree(thing)
        if entry.get("voids") in void:
            pairs |= {(party, now) for party, event in since if event == entry["voids"]}
        for pair in pairs:
            since.setdefault(pair, now)
    return since


def things(e: Event) -> list[str]:
    return [*e["epcs"], *([e["parent"]] if e["parent"] else []), *e["children"], *e["inputs"], *e["outputs"]]


class World:
    def __init__(self, events: list[tuple[int, Event]]) -> None:
        self.had: dict[str, list[dict[str, Any]]] = {}  # tenures of a thing
        self.lay: dict[str, list[list[Any]]] = {}  # [container, from, to, who put it in, given] of a thing
        self.emptied: set[tuple[int, str]] = set()
        self.events, done = events, set()
        for upto in range(len(events)):  # an entry is read; then what was not credible before is tried again
            news = True
            while news:
                news = False
                for n, e in events[: upto + 1]:
                    before = len(done)
                    for x in sorted(set(things(e)), key=lambda x: len(self.around(x, e["time"]))):
                        if (n, x) not in done and self.claim(n, e, x):
                            done.add((n, x))
                    moved = e["children"] if e["children"] or e["action"] != "DELETE" else sorted(self.lay)
                    for x in sorted(moved) if e["type"] == "AggregationEvent" else ():
                        if (n, x, "moved") not in done and self.move(e, x):
                            done.add((n, x, "moved"))
                            self.emptied |= set() if e["children"] else {(n, x)}
                    if len(done) > before:
                        news = True
                        break

    def named(self) -> set[str]:
        return {x for _, e in self.events for x in things(e)}

    def container(self, x: str, t: int) -> list[Any] | None:
        return next((s for s in self.lay.get(x, ()) if s[1] <= t < s[2]), None)

    def around(self, x: str, t: int) -> list[str]:
        found = []
        while (stay := self.container(x, t)) and stay[0] not in found:
            found.append(x := stay[0])
        return found

    def tenure(self, x: str, t: int) -> tuple[dict[str, Any] | None, str]:
        own = max((d for d in self.had.get(x, ()) if d["from"] <= t), key=lambda d: d["from"], default=None)
        stay = self.container(x, t)
        if stay and (own is None or own["from"] <= stay[1]) and self.tenure(stay[0], t)[0]:
            return self.tenure(stay[0], t)
        return own, x

    def has(self, party: str, x: str, t: int) -> bool:
        d, _ = self.tenure(x, t)
        return d is not None and d["who"] == party and t < d["to"]

    def start(self, x: str, who: str, t: int, given: bool, may: set[str]) -> dict[str, Any]:
        to = min([d["from"] for d in self.had.get(x, ()) if d["from"] > t], default=FOREVER)
        d = {"who": who, "from": t, "to": to, "given": given, "may": may, "sent": None, "offer": None}
        self.had.setdefault(x, []).append(d)
        return d

    def given(self, x: str, t: int) -> bool:
        d, via = self.tenure(x, t)
        if d is None or via == x:
            return d is not None and d["given"]
        _, _, _, who, given = self.container(x, t)
        return given or who != d["who"]

    def out(self, x: str, t: int) -> None:
        if stay := self.container(x, t):
            stay[2] = t

    def claim(self, n: int, e: Event, x: str) -> bool:
        t, who = e["time"], e["by"]
        if e["step"] == "sensor_reporting":
            return True
        d, via = self.tenure(x, t)
        if d is None:
            d, via = self.start(x, who, t, False, set()), x
        elif d["who"] != who:
            if t < d["to"]:
                if who not in d["may"]:
                    return False
                rest = d["may"] - {who}
                if via == x:
                    d["to"] = t
            else:
                if d["offer"] is None or (d["offer"] and who not in d["offer"]):
                    return False
                rest = d["offer"] - {who}
                if via == x and not d["offer"]:
                    d["offer"] = None
            if via != x:
                self.out(x, t)
            d, via = self.start(x, who, t, True, rest), x
        if e["step"] == "shipping" and d["sent"] != n and not (d["sent"] is not None and t < d["to"]):
            if via != x:
                given = self.given(x, t)
                self.out(x, t)
                d = self.start(x, who, t, given, set())
            d["to"], d["sent"], d["offer"] = t, n, set(e["to"])
        elif e["step"] in ("receiving", "accepting", "void_shipping") and t >= d["to"]:
            given = self.given(x, t)
            if via != x:
                self.out(x, t)
            else:
                d["offer"] = None
            self.start(x, who, t, given, set())
        return True

    def move(self, e: Event, x: str) -> bool:
        t, box = e["time"], e["parent"]
        stay = self.container(x, t)
        if e["action"] == "ADD":
            if not (self.has(e["by"], x, t) and self.has(e["by"], box, t)):
                return False
            if x == box or x in self.around(box, t) or (stay and stay[0] == box):
                return True
            given = self.given(x, t)
            self.out(x, t)
            later = [s[1] for s in self.lay.get(x, ()) if s[1] > t] + [d["from"] for d in self.had[x] if d["from"] > t]
            self.lay.setdefault(x, []).append([box, t, min(later, default=FOREVER), e["by"], given])
        elif e["action"] == "DELETE":
            if not stay or stay[0] != box or not self.has(e["by"], x, t):
                return False
            d, _ = self.tenure(x, t)
            given = self.given(x, t)
            self.out(x, t)
            self.start(x, d["who"], t, given, d["may"])
        return True

    def pedigree(self, x: str) -> set[tuple[str, int]]:
        moments = sorted({e["time"] for _, e in self.events} | {FOREVER - 1})
        last: dict[str, int] = {}
        for t in moments:  # the last moment at which the party to whom it was given had it, or sent it on
            d, _ = self.tenure(x, t)
            if d and self.given(x, t) and t <= d["to"] and (t < d["to"] or d["sent"] is not None):
                last[d["who"]] = max(last.get(d["who"], 0), t)
        ups = self.upstream(x, FOREVER, ())
        # Between two moments nothing happens: who had it at one had it until just before the next.
        return {(party, n) for party, t in last.items() for n, when in ups if when <= t}

    def upstream(self, x: str, limit: int, seen: tuple[str, ...]) -> set[tuple[int, int]]:
        found = set()
        for n, e in self.events:
            t = e["time"]
            mine = x in things(e) or (n, x) in self.emptied
            moved = any(box in e["epcs"] or box in e["children"] for box in self.around(x, t))
            if t <= limit and (mine or moved):
                found.add((n, t))
            if t <= limit and x in e["outputs"] and self.has(e["by"], x, t):
                for source in set(e["inputs"]) - set(seen):
                    if self.has(e["by"], source, t):
                        found |= {(m, t) for m, _ in self.upstream(source, t, (*seen, x))}
        return found
