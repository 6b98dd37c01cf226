"""Chinese drug trace codes (码上放心): 20 digits, the first seven naming product, firm and pack."""

import re

from .epc import NMPA_PREFIX
from .errors import Gs1Error

_CODE = re.compile(r"8[0-9]{19}")


def is_code(text: str) -> bool:
    """Whether `text` has the form of a trace code; the last four digits can be judged by the issuing platform only."""
    return _CODE.fullmatch(text) is not None


def epc(code: str) -> str:
    """The code as EPC; Gs1Error when it has not the form."""
    if not is_code(code):
        raise Gs1Error("nmpa", f"{code!r} is not 20 digits that begin with 8")
    return NMPA_PREFIX + code


def product_prefix(code: str) -> str:
    """The product resource code: the first seven digits."""
    return code[:7]
