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

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RADIX = 256  # one level is 2^256, about 177 nats
UP, DOWN = 2.0**RADIX, 2.0**-RADIX
BOTTOM = -(2**29)  # the level of zero: low enough to lose every comparison; two of them add without overflow


class Scaled(NamedTuple):
    """Weights as pairs: mantissa [...] float64 and level [...] int32; zero has mantissa 0."""

    mantissa: Array
    level: Array

    def row(self, b: int) -> Scaled:
        """Views of one row of the batch."""
        return Scaled(self.mantissa[b], self.level[b])


@numba.njit(nogil=True, cache=True)
def split(nats: Array, mantissa: Array, level: Array) -> None:
    """Pairs from log weights [K]."""
    for c in range(nats.size):
        if nats[c] == -np.inf:
            mantissa[c], level[c] = 0.0, BOTTOM
        else:
            step = np.floor(nats[c] / (RADIX * np.log(2.0)) + 0.5)
            mantissa[c], level[c] = np.exp(nats[c] - step * (RADIX * np.log(2.0))), np.int32(step)


@numba.njit(nogil=True, cache=True, inline="always")
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


@numba.njit(nogil=True, cache=True, inline="always")
def normal(total: Any, level: Any) -> Any:
    """The same pair with its mantissa in [2^-128, 2^128)."""
    if total == 0.0:
        return 0.0, np.int32(BOTTOM)
    if total >= 2.0**128:
        return total * DOWN, np.int32(level + 1)
    if total < 2.0**-128:
        return total * UP, np.int32(level - 1)
    return total, level


@numba.njit(nogil=True, cache=True, inline="always")
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
