"""Weights as pairs, mantissa · 2^(RADIX·level): exact sums and products far outside a float64's range.

One level is 2^256, that is 177.446 nats. A float64 ends at e^-745, so it cannot hold the weights of this example:

    e^-1000 = 1.223e+28 · 2^(256·-6)        e^-1100 = 4.551e-16 · 2^(256·-6)

    sum       the levels are equal, so the mantissas are added:          1.223e+28, level -6
    product   the mantissas are multiplied, the levels are added:        5.568e+12, level -12
    square    of e^-1000: 1.497e+56, level -12; that is 2^128 or more, so it is
              normalised, by 2^-256 and one level up:                    1.293e-21, level -11

The last pair is e^-2000: -11 · 177.446 + ln 1.293e-21 = -2000.0. No step needs an exponential or a logarithm.
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
SHALLOW = 2  # levels: a product of plain numbers that together lie this far down is a normal float64
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
def levels_of(mantissa: Array, level: Array) -> Any:
    """The highest level of nonzero pairs [K], and by how many levels the lowest lies below; BOTTOM and 0 of none."""
    top, low = np.int32(BOTTOM), np.int32(-BOTTOM)
    for c in range(mantissa.size):
        if mantissa[c] > 0.0:
            top, low = max(top, level[c]), min(low, level[c])
    return top, max(np.int32(0), np.int32(top - low))


@kernel(nogil=True)
def lined_up(mantissa: Array, level: Array, top: int, out: Array) -> None:
    """Plain numbers from pairs [K] that lie at most two levels below `top`: value · 2^(−RADIX·top)."""
    for c in range(mantissa.size):
        gap = top - level[c]
        out[c] = mantissa[c] * (1.0 if gap == 0 else (DOWN if gap == 1 else DOWN * DOWN))


@kernel(nogil=True, inline="always")
def settled(total: Any, level: Any) -> Any:
    """The pair of a plain number at a level."""
    if total == 0.0:
        return 0.0, np.int32(BOTTOM)
    while total < 2.0**-128:
        total, level = total * UP, level - 1
    if total >= 2.0**128:
        total, level = total * DOWN, level + 1
    return total, np.int32(level)
