"""What XML 1.0 has no character for, made visible: what a scanner read holds the control character GS. PURE."""

import re
from typing import Any

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PICTURES = 0x2400  # Unicode block Control Pictures: U+001D becomes U+241D


def shown(value: Any) -> Any:
    """`value` (JSON) with each control character in its texts as its picture, others that XML cannot carry as U+FFFD.

    XML's reader gets the picture, not the character: a document that must be exact is JSON.
    """
    if isinstance(value, str):
        return _UNWRITABLE.sub(_picture, value) if _UNWRITABLE.search(value) else value
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else value


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_PICTURES + code) if code < 0x20 else "\ufffd"
