"""Berlinger-like files of our own, signed with a test key by the rules of rules-and-coldchain.md, D1.5.

Written from the rules, not with the reader's code: it signs with `cryptography`'s own key objects.
"""

import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

KEY = ec.derive_private_key(0x0D05E7A11, ec.SECP256R1())
OTHER_KEY = ec.derive_private_key(0x0BAD0BAD, ec.SECP256R1())
ISSUER, LOT = "Test Loggers & Co.", "0001_26_11"

Q_TAG_HEAD = """\
Device: Q-tag CLm doc LR
Vers: 1.9
Fw Vers: 4.7.04o
Sensor: 1
Conf:
 Serial: TEST00001
 MKT Energy: 83.0
 User String 1: cold, box: 3
 Logging Interval: 10
 Alarm:
  1:
   Type: 2, T AL: 8.0, t AL: 30
  2:
   Type: 0
  3:
   Type: 3, T AL: 2.0, t AL: 60
Res:
 TS Actv: 2026-03-01 08:00
 TS Stop: 2026-03-01 11:05
 TS Batt Temp:
 MKT: 6.1
 Avrg T: 5.4
 Alarm:
  1:
   TS S: 2026-03-01 09:30, t A: 31, TS A: 2026-03-01 10:00, TS E: 2026-03-01 10:01, T M: 9.4, TS M: 2026-03-01 09:50
Marker:
\tNumber\tT\tyyyy-MM-dd hh:mm\t
"""

FRIDGE_TAG_HEAD = """\
Device: Q-tag Fridge-tag 2
Vers: 0.5
Sensor: 1
Conf:
 Serial: TEST00002
 Lot: 0001_26_11
 Temp unit: C
 Alarm:
  0:
   T AL: -0.5, t AL: 60
  1:
   T AL: +8.0, t AL: 600
Hist:
 TS Actv: 2026-02-01 06:00
 TS Report Creation: 2026-03-02 10:00
 1:
  Date: 2026-03-02
  Min T: +4.0, TS Min T: 00:42
  Max T: +6.2, TS Max T: 09:52
  Avrg T: +4.5
  Alarm:
   0:
    t Acc: 0
   1:
    t Acc: 0
  Events: 0
 2:
  Date: 2026-03-01
  Min T: -1.5, TS Min T: 08:42
  Max T: +6.2, TS Max T: 09:52
  Avrg T: +3.5
  Alarm:
   0:
    t Acc: 75, TS A: 08:42, C A: 0
   1:
    t Acc: 12
  Events: 0
"""

READINGS = [
    ("2026-03-01 09:00", "5.0"),
    ("2026-03-01 09:10", "--.-"),
    ("2026-03-01 09:20", "7.9"),
    ("2026-03-01 09:30", "9.4"),
]


def q_tag(rows: Sequence[tuple[str, str]] = READINGS) -> bytes:
    """A signed Q-tag file with these (local time, temperature) rows."""
    data = "Data:\n\tyyyy-MM-dd hh:mm\tT\tOut of limits\n" + "".join(f"\t{at}\t{value}\t\n" for at, value in rows)
    return sign(Q_TAG_HEAD + data)


def fridge_tag() -> bytes:
    """A signed Fridge-tag 2 file: two days, no readings."""
    return sign(FRIDGE_TAG_HEAD)


def sign(text: str, *, key: ec.EllipticCurvePrivateKey = KEY, issuer: str = ISSUER, lot: str = LOT) -> bytes:
    """`text` with CRLF, certificate and signature."""
    numbers = key.public_key().public_numbers()
    public = (numbers.x.to_bytes(32, "little") + numbers.y.to_bytes(32, "little")).hex()
    text += f"Cert:\n Vers: 1.0\n Lot: {lot}\n Issuer: {issuer}\n Public Key: {public}\nSig Cert: {'00' * 64}\n"
    message = text.replace("\n", "\r\n").encode()
    backwards = hashlib.sha256(message).digest()[::-1]
    r, s = utils.decode_dss_signature(key.sign(backwards, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    return message + f"Sig: {(r.to_bytes(32, 'little') + s.to_bytes(32, 'little')).hex()}\r\n".encode()
