"""The header `GS1-Signature` of what is sent to a subscriber (EPCIS 2.0, section 12.7.4 leaves its form to us).

`t=<seconds since 1970>,v1=<hex>`, where hex is HMAC-SHA256 under the signatureToken (UTF-8) over the decimal digits of
t, a full stop, and the body's bytes. The time lets a receiver refuse what somebody recorded and sends again.
"""

import hashlib
import hmac


def header(token: str, body: bytes, at_s: int) -> str:
    """The header's value."""
    made = hmac.new(token.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={made}"
