"""Checks by Python libraries of others, in their own venv: foreign.py CHECK < facts.json; 0 = checked, 1 = refused.

`cwt` and `pycose` verify a COSE_Sign1 statement; `metamorphic` a signed note, an inclusion and a consistency proof.
"""

import json
import sys
from base64 import b64decode


def cwt(facts: dict) -> None:
    import cwt as library

    key = library.COSEKey.new({1: 1, -1: 6, -2: b64decode(facts["public"]), 3: -8, 2: b64decode(facts["kid"])})
    payload = library.COSE.new().decode(b64decode(facts["statement"]), keys=[key])
    assert payload == b64decode(facts["payload"])


def pycose(facts: dict) -> None:
    from pycose.keys import OKPKey
    from pycose.messages import Sign1Message

    message = Sign1Message.decode(b64decode(facts["statement"]))
    message.key = OKPKey(crv="ED25519", x=b64decode(facts["public"]))
    assert message.verify_signature()
    assert message.payload == b64decode(facts["payload"])


def metamorphic(facts: dict) -> None:
    import metamorphic_log as library

    old, new, keys = facts["old"], facts["new"], [facts["vkey"]]
    head = library.checkpoint_verify(new, keys)
    assert (head.origin, head.size) == (facts["origin"], facts["size"])
    inclusion = [b64decode(value) for value in facts["inclusion"]]
    library.checkpoint_verify_inclusion(new, keys, facts["index"], b64decode(facts["leaf"]), inclusion)
    consistency = [b64decode(value) for value in facts["consistency"]]
    library.checkpoint_verify_consistency(old, new, keys, consistency)


if __name__ == "__main__":
    try:
        {"cwt": cwt, "pycose": pycose, "metamorphic": metamorphic}[sys.argv[1]](json.load(sys.stdin))
    except Exception as error:  # noqa: BLE001  each library has errors of its own
        print(f"refused: {type(error).__name__}: {error}")
        sys.exit(1)
