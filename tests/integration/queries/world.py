"""Random events over a few identifiers, in either spelling, and random questions about them."""

import random
from collections.abc import Callable
from typing import Any

from .naive import CASES, EX, LOTS, PACKS, PARTIES, SITES

CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"example": "https://ns.example.com/epcis/"}]
STEPS = ["shipping", "receiving", "storing", "https://ns.example.com/epcis/step"]
DISPOSITIONS = ["in_transit", "damaged", "recalled"]
BTT, SDT = ["po", "desadv", "example:note"], ["owning_party", "possessing_party"]
DOCUMENTS = ["urn:epcglobal:cbv:bt:9521000000100:A", "https://ns.example.com/doc/1", "https://ns.example.com/doc/2"]
TEMPERATURES = [
    ("5", "CEL"),
    ("278.15", "KEL"),
    ("41", "FAH"),
    ("8.5", "CEL"),
    ("-20", "CEL"),
    ("40.1", "FAH"),
    ("4.5", "CEL"),
]
WEIGHTS = [("1.5", "KGM"), ("1500", "GRM"), ("2", "KGM"), ("0.25", "KGM")]
FIELDS = ["example:farm", "example:count", "example:until"]
SCALARS: list[Any] = ["north", "south", 3, 10, 2.5, "2026-03-01T00:00:00Z", "2026-05-01T00:00:00+02:00"]
BOUNDS = ["3", "2.5", "-1", "2026-04-01T00:00:00Z"]
PATTERNS = ["https://id.gs1.org/01/09521000001008", "urn:epc:idpat:sgtin:9521000.000100.*", "urn:epc:idpat:sgtin:*.*.*"]
TIMES = [f"2026-0{month}-01T00:00:00.{ms}Z" for month in (1, 2, 3, 4, 5) for ms in ("000", "250")]


class World:
    """Draws events and questions."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.number = 0

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def one(self, pairs: dict[str, str]) -> str:
        return self.chance.choice(self.chance.choice(list(pairs.items())))

    def some(self, draw: Callable[[], Any], most: int = 3) -> list[Any]:
        found = [draw() for _ in range(self.chance.randint(1, most))]
        return list(dict.fromkeys(found)) if all(isinstance(one, str) for one in found) else found

    def packs(self) -> list[str]:
        links = self.chance.sample(list(PACKS), self.chance.randint(1, 3))
        return [self.chance.choice((link, PACKS[link])) for link in links]

    def event(self) -> dict[str, Any]:
        """A valid event."""
        self.number += 1
        kind = self.chance.choice(["ObjectEvent", "AggregationEvent", "TransformationEvent", "AssociationEvent"])
        event: dict[str, Any] = {
            "@context": CONTEXT,
            "type": kind,
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{self.chance.getrandbits(48):012x}",
            "eventTime": self.chance.choice(TIMES),
            "eventTimeZoneOffset": "+00:00",
            **self._what(kind),
        }
        if self.maybe(0.8):
            event["bizStep"] = self.spelled(self.chance.choice(STEPS), "BizStep", in_json=True)
        if self.maybe():
            event["disposition"] = self.spelled(self.chance.choice(DISPOSITIONS), "Disp", in_json=True)
        self._where_and_why(event)
        self._more(event)
        return event

    def _what(self, kind: str) -> dict[str, Any]:
        if kind == "TransformationEvent":
            return {
                "inputEPCList": self.packs(),
                "outputQuantityList": self.quantities(),
                **({"transformationID": f"urn:x:t:{self.chance.randint(1, 2)}"} if self.maybe() else {}),
                **({"ilmd": self.ilmd()} if self.maybe() else {}),
            }
        if kind == "ObjectEvent":
            added = self.maybe()
            return {
                "action": "ADD" if added else "OBSERVE",
                "epcList": self.packs(),
                **({"quantityList": self.quantities()} if self.maybe() else {}),
                **({"ilmd": self.ilmd()} if added else {}),
            }
        parent = self.one(CASES) if kind == "AggregationEvent" else self.one(SITES)
        children = {"childEPCs": self.packs()} if self.maybe(0.7) else {"childQuantityList": self.quantities()}
        return {"action": self.chance.choice(["ADD", "DELETE", "OBSERVE"]), "parentID": parent, **children}

    def quantities(self) -> list[dict[str, Any]]:
        def quantity() -> dict[str, Any]:
            if self.maybe():
                return {"epcClass": self.one(LOTS), "quantity": self.chance.randint(1, 9)}
            amount, uom = self.chance.choice(WEIGHTS)
            return {"epcClass": self.one(LOTS), "quantity": float(amount), "uom": uom}

        return self.some(quantity, 2)

    def ilmd(self) -> dict[str, Any]:
        lot = self.chance.choice(["cbvmda:lotNumber", "urn:epcglobal:cbv:mda:lotNumber"])
        return {lot: self.chance.choice(["L1", "L2"]), **self.extension()}

    def extension(self) -> dict[str, Any]:
        field, value = self.chance.choice(FIELDS), self.chance.choice(SCALARS)
        if self.maybe(0.3):
            return {field: [value, self.chance.choice(SCALARS)]}
        return {"example:box": {field: value}} if self.maybe(0.3) else {field: value}

    def _where_and_why(self, event: dict[str, Any]) -> None:
        for name in ("readPoint", "bizLocation"):
            if self.maybe():
                event[name] = {"id": self.one(SITES), **(self.extension() if self.maybe(0.3) else {})}
        if self.maybe(0.4):
            event["bizTransactionList"] = [
                {"type": self.chance.choice(BTT), "bizTransaction": self.chance.choice(DOCUMENTS)},
                *([{"bizTransaction": self.chance.choice(DOCUMENTS)}] if self.maybe(0.3) else []),
            ]
        for name in ("source", "destination"):
            if self.maybe(0.4):
                event[f"{name}List"] = [{"type": self.chance.choice(SDT), name: self.one(PARTIES)}]

    def _more(self, event: dict[str, Any]) -> None:
        if self.maybe(0.4):
            event |= self.extension()
        if self.maybe(0.2):
            event["persistentDisposition"] = {self.chance.choice(["set", "unset"]): [self.chance.choice(DISPOSITIONS)]}
        if self.maybe(0.3):
            event["sensorElementList"] = self.some(self.sensor, 2)
        if self.maybe(0.15):
            event["errorDeclaration"] = {
                "declarationTime": self.chance.choice(TIMES),
                "reason": self.chance.choice(["did_not_occur", "incorrect_data"]),
                **({"correctiveEventIDs": ["urn:x:event:1"]} if self.maybe() else {}),
                **(self.extension() if self.maybe() else {}),
            }

    def sensor(self) -> dict[str, Any]:
        value, uom = self.chance.choice(TEMPERATURES)
        name = self.chance.choice(["value", "minValue", "maxValue", "sDev"])
        report: dict[str, Any] = {"type": "Temperature", name: float(value), "uom": uom}
        if self.maybe(0.3):
            report |= {"deviceID": "urn:x:device:1", "booleanValue": self.maybe(), "stringValue": "fine"}
        if self.maybe(0.3):
            report["example:count"] = self.chance.randint(1, 5)
        return {"sensorMetadata": {"time": self.chance.choice(TIMES)}, "sensorReport": [report]}

    def spelled(self, word: str, kind: str, *, in_json: bool = False) -> str:
        if ":" in word:
            return self.chance.choice([word, word.replace("https://ns.example.com/epcis/", "example:")])
        urn = {"BizStep": "bizstep", "Disp": "disp", "BTT": "btt", "SDT": "sdt", "ER": "er"}[kind]
        spellings = [word, f"https://ref.gs1.org/cbv/{kind}-{word}", f"urn:epcglobal:cbv:{urn}:{word}"]
        return self.chance.choice(spellings[: 2 if in_json else 3])

    def question(self) -> dict[str, list[str]]:
        """One to three parameters with values."""
        drawn = dict(self.parameter() for _ in range(self.chance.choice([1, 1, 2, 3])))
        # Two spellings of one parameter are refused.
        once = {name.replace("cbvmda:", "urn:epcglobal:cbv:mda:").replace("example:", EX): name for name in drawn}
        return {name: drawn[name] for name in once.values()}

    def parameter(self) -> tuple[str, list[str]]:
        one = self.chance.choice
        name, draw = one(self.kinds())
        several = name.startswith(("EQ_", "MATCH", "eventType"))
        return name, self.some(draw) if several else [draw()]

    def kinds(self) -> list[tuple[str, Callable[[], str]]]:
        one, chance = self.chance.choice, self.chance
        verb, order = one(["GE", "LT"]), one(["GE", "LT", "GT", "LE"])
        field = one(["", "INNER_"]) + one(["", "ILMD_", "ERROR_DECLARATION_", "SENSORREPORT_", "readPoint_"])
        named = one([*FIELDS, "example:box", "https://ns.example.com/epcis/farm"])
        uom, amount = one(["CEL", "KEL", "FAH"]), one(["value", "minValue", "maxValue", "sDev"])
        return [
            ("eventType", lambda: one(["ObjectEvent", "AggregationEvent", "AssociationEvent", "TransformationEvent"])),
            (f"{verb}_eventTime", lambda: one(TIMES)),
            ("EQ_action", lambda: one(["ADD", "DELETE", "OBSERVE"])),
            ("EQ_bizStep", lambda: self.spelled(one(STEPS), "BizStep")),
            ("EQ_disposition", lambda: self.spelled(one(DISPOSITIONS), "Disp")),
            (f"EQ_persistentDisposition_{one(['set', 'unset'])}", lambda: self.spelled(one(DISPOSITIONS), "Disp")),
            (f"EQ_{one(['readPoint', 'bizLocation'])}", lambda: self.one(SITES)),
            ("EQ_transformationID", lambda: f"urn:x:t:{chance.randint(1, 3)}"),
            (f"MATCH_{one(['epc', 'anyEPC', 'inputEPC', 'outputEPC'])}", lambda: one([self.one(PACKS), *PATTERNS])),
            ("MATCH_parentID", lambda: self.one({**CASES, **SITES})),
            (
                f"MATCH_{one(['epcClass', 'anyEPCClass', 'inputEPCClass', 'outputEPCClass'])}",
                lambda: one([self.one(LOTS), "https://id.gs1.org/01/09521000002005"]),
            ),
            (
                f"EQ_bizTransaction{one(['', '_'])}".rstrip("_") + one(["", *(f"_{kind}" for kind in BTT)]),
                lambda: one(DOCUMENTS),
            ),
            (f"EQ_{one(['source', 'destination'])}_{self.spelled(one(SDT), 'SDT')}", lambda: self.one(PARTIES)),
            ("EXISTS_errorDeclaration", lambda: one(["true", "false"])),
            (f"{verb}_{one(['errorDeclarationTime', 'errorDeclaration_Time'])}", lambda: one(TIMES)),
            ("EQ_errorReason", lambda: self.spelled(one(["did_not_occur", "incorrect_data"]), "ER")),
            ("EQ_correctiveEventID", lambda: one(["urn:x:event:1", "urn:x:event:2"])),
            ("EXISTS_sensorElementList", lambda: "true"),
            (f"{verb}_time", lambda: one(TIMES)),
            ("EQ_type", lambda: one(["Temperature", "gs1:Temperature", "Mass"])),
            ("EQ_deviceID", lambda: one(["urn:x:device:1", "urn:x:device:2"])),
            ("EQ_booleanValue", lambda: one(["true", "false", "TRUE"])),
            ("EQ_stringValue", lambda: one(["fine", "Fine"])),
            (f"{order}_{amount}_{uom}", lambda: one([value for value, unit in TEMPERATURES if unit == uom])),
            (f"EQ_value_{uom}", lambda: one([value for value, unit in TEMPERATURES if unit == uom])),
            (f"{order}_quantity", lambda: str(chance.randint(1, 9))),
            (f"{one([order, 'EQ'])}_quantity_{one(['KGM', 'GRM'])}", lambda: one(["1.5", "1500", "2", "0.25"])),
            (f"EQ_{field}{named}", lambda: str(one(SCALARS))),
            (f"{order}_{field}{named}", lambda: one(BOUNDS)),
            (f"EXISTS_{field}{named}", lambda: one(["true", "false"])),
            (f"EQ_ILMD_{one(['cbvmda:', 'urn:epcglobal:cbv:mda:'])}lotNumber", lambda: one(["L1", "L2", "L3"])),
        ]
