"""What bounds the mass that a beam search dropped from a block: see the certificate in `beam`.

Axes: N block, G sets of tokens.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.automata.lazy import Closing

Floats = NDArray[np.float64]


class Totals(NamedTuple):
    """log D, the bound on the heaviest dropped block, and the sum of all norms, in nats."""

    dropped: float
    dropped_best: float
    shift: float


class PositionSums:
    """The sums and maxima of the scores of each position, which bound whatever may follow."""

    def __init__(self, N: int, closing: Closing | None, remaining: int) -> None:
        self._closing, self._remaining = closing, remaining
        self.norm, self._top = np.zeros(N), np.zeros(N)
        self._end, self._pad = np.zeros((2, N)), np.zeros((2, N))  # sum and maximum

    def record(self, low: int, high: int, norm: Floats, top: Floats, mass: Floats, peaks: Floats) -> None:
        """Record positions: the log-sum of all tokens, and relative to it the highest and the sets' weights [P, G]."""
        self.norm[low:high], self._top[low:high] = norm, top
        if self._closing is not None:
            for kept, number in zip((self._end, self._pad), self._closing, strict=True):
                kept[0, low:high], kept[1, low:high] = mass[:, number], peaks[:, number]

    def after(self, way: int) -> Floats:
        """[2, N + 1] bounds on the weight of the strings that can follow position i, of all (way 0) or of the heaviest
        (way 1): row 0 for an open output, row 1 for a complete one."""
        N = len(self.norm)
        most = self._top if way else np.zeros(N)
        after = np.zeros((2, N + 1))
        if self._closing is None:
            after[:, :N] = most[::-1].cumsum()[::-1]
            return after
        join = np.maximum if way else np.logaddexp
        after[0, N] = 0.0 if self._remaining else IMPOSSIBLE
        for i in reversed(range(N)):
            after[1, i] = self._pad[way, i] + after[1, i + 1]
            after[0, i] = join(most[i] + after[0, i + 1], self._end[way, i] + after[1, i + 1])
        return np.minimum(after, 0.0)
