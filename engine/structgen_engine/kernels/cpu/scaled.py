"""Weights as pairs, mantissa · 2^(RADIX·level): exact sums and products far outside a float64's range.

One level is 2^256, that is 177.446 nats. A float64 ends at e^-745, so it cannot hold the weights of this example:

    e^-1000 = 1.223e+28 · 2^(256·-6)        e^-1100 = 4.551e-16 · 2^(256·-6)

    sum       the levels are equal, so the mantissas are added:          1.223e+28, level -6
    product   the mantissas are multiplied, the levels are added:        5.568e+12, level -12
    square    of e^-1000: 1.497e+56, level -12; that is 2^128 or more, so it is
              normalised, by 2^-256 and one level up:                    1.293e-21, level -11

The last pair is e^-2000: -11 · 177.446 + ln 1.293e-21 = -2000.0. No step needs an exponential or a logarithm.

A *window* is a copy of many pairs as plain numbers, those that matter beside a given level. A sum over plain numbers
takes a quarter of the time of a sum over pairs, and neighbours of a state mostly weigh about what the state weighs. So
a scan makes a few windows, three levels apart, and each state reads its neighbours through the one that suits it;
where the sum turns out to lie outside, it is done again in pairs.
"""

from __future__ import annotations

from math import factorial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel

Array = NDArray[Any]

RADIX = 256  # one level is 2^256, about 177 nats
UP, DOWN = 2.0**RADIX, 2.0**-RADIX
LN2 = float(np.log(2.0))
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # their sum; the first has 21 zeros at its end
TAYLOR = tuple(1 / factorial(k) for k in range(14))  # of e^x: right to 1e-17 for |x| ≤ ln 2 / 2
# nats, 289 bits: weights of classes that lie no further apart are plain numbers, the heaviest 1
PLAIN_SPAN = 200.0
LEVELS_APART = 3  # levels between windows
WINDOWS = 16  # of one scan: sums that need more are added pair by pair
# what a window holds for numbers below and above it, and between which a sum over it is right to a float64's precision:
# beside LEAST_SUM, no sum of NEGLIGIBLE numbers counts; one EXCESSIVE times the lightest class exceeds MOST_SUM
NEGLIGIBLE, EXCESSIVE = 2.0**-600, 2.0**1000
LEAST_SUM, MOST_SUM = 2.0**-520, 2.0**670
BOTTOM = -(2**29)  # the level of zero: low enough to lose every comparison; two of them add without overflow


class Scaled(NamedTuple):
    """Weights as pairs: mantissa [...] float64 and level [...] int32; zero has mantissa 0."""

    mantissa: Array
    level: Array

    def row(self, b: int) -> Scaled:
        """Views of one row of the batch."""
        return Scaled(self.mantissa[b], self.level[b])


@kernel(nogil=True)
def split(nats: Array, mantissa: Array, level: Array) -> None:
    """Pairs from log weights [K]; a loop without calls or branches, so that it vectorises."""
    for c in range(nats.size):
        possible = nats[c] > -np.inf
        own = nats[c] if possible else 0.0
        step = np.floor(own * (1 / (RADIX * LN2)) + 0.5)
        rest = own - step * (RADIX * LN2)
        whole = np.floor(rest * (1 / LN2) + 0.5)
        x = (rest - whole * LN2_HIGH) - whole * LN2_LOW
        power = TAYLOR[-1]
        for k in range(2, len(TAYLOR) + 1):
            power = power * x + TAYLOR[-k]
        scale = np.int64((np.int64(whole) + 1023) << 52).view(np.float64)
        mantissa[c] = power * scale if possible else 0.0
        level[c] = np.int32(step) if possible else np.int32(BOTTOM)


@kernel(nogil=True, inline="always")
def plus(total: Any, level: Any, term: Any, at: Any) -> Any:
    """total · 2^(RADIX·level) + term · 2^(RADIX·at); a term two levels lower is below a float64's precision."""
    if at == level:
        return total + term, level
    if term == 0.0:
        return total, level
    if at > level:
        gap = at - level
        return term + (total * DOWN if gap == 1 else (total * DOWN * DOWN if gap == 2 else 0.0)), at
    if at == level - 1:
        return total + term * DOWN, level
    if at == level - 2:
        return total + term * DOWN * DOWN, level
    return total, level


@kernel(nogil=True, inline="always")
def normal(total: Any, level: Any) -> Any:
    """The same pair with its mantissa in [2^-128, 2^128)."""
    if total == 0.0:
        return 0.0, np.int32(BOTTOM)
    if total >= 2.0**128:
        return total * DOWN, np.int32(level + 1)
    if total < 2.0**-128:
        return total * UP, np.int32(level - 1)
    return total, level


@kernel(nogil=True, inline="always")
def lowered(value: Any, levels: Any) -> Any:
    """value · 2^(−RADIX·levels), for results of at most about 1."""
    if levels == 0:
        return value
    if levels > 3:
        return 0.0
    for _ in range(levels):
        value *= DOWN
    for _ in range(-levels):
        value *= UP
    return value


@kernel(nogil=True)
def relative(nats: Array, out: Array) -> Any:
    """Plain numbers from log weights [K], relative to the heaviest, which is returned; NaN if others are too light."""
    top, low = -np.inf, np.inf
    for c in range(nats.size):
        top = max(top, nats[c])
        low = min(low, nats[c] if nats[c] > -np.inf else np.inf)
    if not top > -np.inf:
        top = 0.0
    if low < np.inf and not top - low <= PLAIN_SPAN:
        return np.nan
    for c in range(nats.size):
        possible = nats[c] > -np.inf
        own = nats[c] - top if possible else 0.0
        whole = np.floor(own * (1 / LN2) + 0.5)
        x = (own - whole * LN2_HIGH) - whole * LN2_LOW
        power = TAYLOR[-1]
        for k in range(2, len(TAYLOR) + 1):
            power = power * x + TAYLOR[-k]
        scale = np.int64((np.int64(whole) + 1023) << 52).view(np.float64)
        out[c] = power * scale if possible else 0.0
    return top


@kernel(nogil=True)
def windows(mantissa: Array, level: Array, which: Array) -> Any:
    """Which window suits each of the pairs [S]; returns the base of the first, and how many there are: see `window`.

    They lie three levels apart, downwards from the first, so that numbers are in [2^-384, 2^384) in their own.
    """
    top, number = np.int32(BOTTOM), np.int32(0)
    for s in range(mantissa.size):
        top = max(top, level[s])
    for s in range(mantissa.size):
        gap = min(np.int32(top - level[s]), np.int32(LEVELS_APART * WINDOWS - 1))
        k = np.int32((gap * np.int32(21846)) >> np.int32(16))  # a third
        which[s] = k if mantissa[s] > 0.0 else np.int32(0)
    for s in range(mantissa.size):
        number = max(number, which[s])
    return np.int32(top - np.int32(1)), number + 1


@kernel(nogil=True)
def window(mantissa: Array, level: Array, base: Any, floor: float, out: Array) -> None:
    """Plain numbers from pairs [S]: value · 2^(−RADIX·base) where the level is within 2 of the base.

    Smaller numbers are `floor`, and larger ones are EXCESSIVE, with which a sum exceeds MOST_SUM; zero stays zero. A
    loop without calls or branches, so that it vectorises.
    """
    for s in range(mantissa.size):
        gap = level[s] - base
        held = np.int64(min(max(gap, -3), 2))
        x = mantissa[s] * np.int64((held * RADIX + 1023) << 52).view(np.float64)
        x = x if gap <= 2 else EXCESSIVE
        x = x if x > floor else floor
        out[s] = x if mantissa[s] > 0.0 else 0.0


@kernel(nogil=True)
def settle(total: Array, scale: float, level: Array) -> None:
    """Normalise the pairs total · scale, level [S], which are normal float64 numbers or zero; without branches."""
    for s in range(total.size):
        x = total[s] * scale
        bits = np.float64(x).view(np.int64)
        up = ((bits >> 52) - (1023 - RADIX // 2)) >> 8  # of RADIX bits
        some = x > 0.0
        total[s] = np.int64(bits - (up << 60)).view(np.float64) if some else 0.0
        level[s] = np.int32(level[s] + up) if some else np.int32(BOTTOM)
