"""UN/CEFACT Recommendation 20 unit codes, and their exact conversion to one unit of each kind.

Factors are exact rationals, so 5 CEL, 278.15 KEL and 41 FAH are one number. Sources: Recommendation 20 rev. 17;
BIPM SI brochure and NIST SP 811 appendix B for the definitions. A code that is not here compares with itself only.
"""

from fractions import Fraction

# Kind -> {code: (factor, offset)}: value in the kind's own unit = value * factor + offset.
_F = Fraction
_CELSIUS = _F("273.15")
_LINEAR: dict[str, dict[str, str]] = {
    "m": {
        "MTR": "1", "KMT": "1000", "DMT": "0.1", "CMT": "0.01", "MMT": "0.001", "4H": "0.000001", "C45": "0.000000001",
        "INH": "0.0254", "FOT": "0.3048", "YRD": "0.9144", "SMI": "1609.344", "NMI": "1852",
    },
    "m2": {
        "MTK": "1", "CMK": "0.0001", "MMK": "0.000001", "DMK": "0.01", "KMK": "1000000", "HAR": "10000",
        "INK": "0.00064516", "FTK": "0.09290304",
    },
    "m3": {
        "MTQ": "1", "LTR": "0.001", "DLT": "0.0001", "CLT": "0.00001", "MLT": "0.000001", "4G": "0.000000001",
        "HLT": "0.1", "CMQ": "0.000001", "DMQ": "0.001", "MMQ": "0.000000001",
        "INQ": "0.000016387064", "FTQ": "0.028316846592", "GLL": "0.003785411784", "GLI": "0.00454609",
        "OZA": "0.0000295735295625", "OZI": "0.0000284130625",
    },
    "kg": {
        "KGM": "1", "GRM": "0.001", "DG": "0.0001", "CGM": "0.00001", "MGM": "0.000001", "MC": "0.000000001",
        "TNE": "1000", "LBR": "0.45359237", "ONZ": "0.028349523125", "STN": "907.18474", "LTN": "1016.0469088",
    },
    "Pa": {
        "PAL": "1", "A97": "100", "KPA": "1000", "MPA": "1000000", "BAR": "100000", "MBR": "100", "ATM": "101325",
        "HN": "133.322387415", "UA": "101325/760", "PS": "44482216152605/6451600000",
    },
    "s": {
        "SEC": "1", "C26": "0.001", "B98": "0.000001", "C47": "0.000000001", "MIN": "60", "HUR": "3600",
        "DAY": "86400", "WEE": "604800",
    },
    "1": {"P1": "0.01", "59": "0.000001", "61": "0.000000001", "NX": "0.001", "C62": "1", "EA": "1", "H87": "1"},
    "m/s": {"MTS": "1", "KMH": "5/18", "HM": "0.44704", "KNT": "1852/3600", "2M": "0.01", "C16": "0.001"},
    "m/s2": {"MSK": "1", "K40": "9.80665", "A76": "0.01"},
    "lx": {"LUX": "1", "KLX": "1000"},
    "V": {"VLT": "1", "2Z": "0.001", "KVT": "1000", "D82": "0.000001"},
    "A": {"AMP": "1", "4K": "0.001", "B22": "1000", "B84": "0.000001"},
    "W": {"WTT": "1", "KWT": "1000", "MAW": "1000000", "C31": "0.001"},
    "J": {"JOU": "1", "KJO": "1000", "3B": "1000000", "WHR": "3600", "KWH": "3600000"},
    "Hz": {"HTZ": "1", "KHZ": "1000", "MHZ": "1000000", "A86": "1000000000"},
    "mol": {"C34": "1", "C18": "0.001", "FH": "0.000001", "B45": "1000"},
    "mol/m3": {"C36": "1", "C35": "1000"},
    "kg/m3": {
        "KMQ": "1", "GL": "1", "23": "1000", "GP": "0.000001", "GQ": "0.000000001", "M1": "0.001",
        "A93": "0.001",
    },
    "bit": {"A99": "1", "AD": "8"},
}  # fmt: skip
_UNITS: dict[str, tuple[str, Fraction, Fraction]] = {
    "KEL": ("K", _F(1), _F(0)),
    "CEL": ("K", _F(1), _CELSIUS),
    "FAH": ("K", _F(5, 9), _CELSIUS - 32 * _F(5, 9)),
    "A48": ("K", _F(5, 9), _F(0)),  # degree Rankine
    **{
        code: (kind, Fraction(factor), Fraction(0)) for kind, units in _LINEAR.items() for code, factor in units.items()
    },
}


def converted(value: Fraction, uom: str) -> tuple[str, Fraction]:
    """The kind of unit, and `value` in that kind's own unit; an unknown code is a kind of its own.

    Temperatures become kelvins. Standard deviations and differences need `difference`.
    """
    kind, factor, offset = _UNITS.get(uom, (uom, Fraction(1), Fraction(0)))
    return kind, value * factor + offset


def difference(value: Fraction, uom: str) -> tuple[str, Fraction]:
    """As `converted`, for a distance between two values: the scale counts, its zero does not."""
    kind, factor, _ = _UNITS.get(uom, (uom, Fraction(1), Fraction(0)))
    return kind, value * factor
