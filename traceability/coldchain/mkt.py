"""Mean kinetic temperature in integers (rules-and-coldchain.md, D1.1, D2). PURE.

MKT = (dH/R) / -ln(Σ w·exp(-dH/(R·T)) / Σ w). The exponential of each milli-degree is rounded once to an integer
`rate` (relative to 25 °C, scaled 10^12), so that sums are exact, mergeable and equal on every platform. A limit is
tested on the sums, without inverting: MKT <= limit iff Σ rate·s <= rate(limit)·Σ s.
"""

from collections.abc import Iterable
from decimal import Context, Decimal
from functools import lru_cache

# Activation energy of USP <1079.2>, J/mol; with R = 8.3144 J/(mol·K), dH/R = 10,000 K exactly.
DEFAULT_ENERGY_J = 83_144
_R = Decimal("8.3144")
_ZERO_C = Decimal("273.15")
_REFERENCE_K = Decimal("298.15")
_SCALE = Decimal(10) ** 12
_CONTEXT = Context(prec=40)

STEP_MC = 10  # MKT is reported in steps of 0.01 °C, rounded down
_LOWEST_MC, _HIGHEST_MC = -270_000, 1_000_000


class MktError(ValueError):
    """MKT cannot be given: no time at all, a temperature outside its range, or a frozen product."""


@lru_cache(maxsize=65_536)
def rate(value_mc: int, *, energy_j: int = DEFAULT_ENERGY_J) -> int:
    """round(10^12 · exp(dH/R·(1/298.15 K - 1/T))) at `value_mc`, correctly rounded (half even) from 40 digits."""
    if not _LOWEST_MC <= value_mc <= _HIGHEST_MC:
        raise MktError(f"{value_mc} milli-degrees Celsius is outside the range of MKT")
    kelvin = _ZERO_C + Decimal(value_mc).scaleb(-3)
    activation_k = _CONTEXT.divide(Decimal(energy_j), _R)
    exponent = _CONTEXT.subtract(_CONTEXT.divide(activation_k, _REFERENCE_K), _CONTEXT.divide(activation_k, kelvin))
    return int((_CONTEXT.exp(exponent) * _SCALE).to_integral_value())


def mkt_mc(rate_seconds: int, seconds: int, *, energy_j: int = DEFAULT_ENERGY_J, frozen: bool = False) -> int:
    """The MKT of Σ rate·s over Σ s, in milli-°C: the largest 10 m°C step whose rate does not exceed the mean rate.

    Raises MktError for no time at all, and for a `frozen` profile: freezing and thawing do not follow Arrhenius, so
    MKT says nothing there (USP <1079.2>: not for frozen products).
    """
    if frozen:
        raise MktError("MKT does not apply to a product that is stored frozen")
    if seconds <= 0:
        raise MktError("MKT needs a time of at least one second")
    low, high = _LOWEST_MC // STEP_MC, _HIGHEST_MC // STEP_MC
    while low < high:
        middle = (low + high + 1) // 2
        if rate(middle * STEP_MC, energy_j=energy_j) * seconds <= rate_seconds:
            low = middle
        else:
            high = middle - 1
    return low * STEP_MC


def within(rate_seconds: int, seconds: int, *, limit_mc: int, energy_j: int = DEFAULT_ENERGY_J) -> bool:
    """Whether MKT <= `limit_mc`, exactly."""
    return rate_seconds <= rate(limit_mc, energy_j=energy_j) * seconds


def total(parts: Iterable[tuple[int, int]], *, energy_j: int = DEFAULT_ENERGY_J) -> tuple[int, int]:
    """(Σ rate·s, Σ s) of (milli-°C, seconds) parts."""
    rate_seconds = seconds = 0
    for value_mc, duration in parts:
        rate_seconds += rate(value_mc, energy_j=energy_j) * duration
        seconds += duration
    return rate_seconds, seconds
