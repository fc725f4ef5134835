"""The account of what was dropped from a block: see the certificate in `beam`.

Axes: N block, K classes, F configurations at one position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.automata.lazy import Closing

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


class DroppedMass:
    """What has been dropped, position by position, and the sums and maxima of weights that bound what could follow."""

    def __init__(self, N: int, closing: Closing | None, remaining: int) -> None:
        self._closing, self._remaining = closing, remaining
        self._norm, self._top = np.zeros(N), np.zeros(N)
        self._end, self._pad = np.zeros((2, N)), np.zeros((2, N))  # sum and maximum
        self._dropped = np.full((2, 2, N + 1), IMPOSSIBLE)  # open or complete; sum and maximum

    def position(self, i: int, sets: list[NDArray[np.int32]], log_sum: Floats, peak: Floats) -> float:
        """Note position i of scores [K]; returns the logarithm of its sum."""
        norm = float(np.logaddexp.reduce(log_sum))
        if norm == IMPOSSIBLE:
            return norm
        self._norm[i], self._top[i] = norm, peak.max() - norm
        if self._closing is not None:
            for kept, number in zip((self._end, self._pad), self._closing, strict=True):
                labels = sets[number]
                kept[:, i] = np.logaddexp.reduce(log_sum[labels]) - norm, peak[labels].max() - norm
        return norm

    def drop(self, i: int, weight: Floats, best: Floats, complete: Marks) -> None:
        """At position i configurations of these weights go [F]; `complete` [F]: outputs that may end there."""
        for kind, part in enumerate((~complete, complete)):
            if part.any():
                self._dropped[kind, 0, i] = np.logaddexp.reduce(weight[part])
                self._dropped[kind, 1, i] = best[part].max()

    def totals(self) -> tuple[float, float, float]:
        """log D, the bound on the heaviest dropped block, and the sum of all norms."""
        sums, maxima = self._dropped[:, 0] + self._after(0), self._dropped[:, 1] + self._after(1)
        return float(np.logaddexp.reduce(sums, axis=None)), float(maxima.max()), float(self._norm.sum())

    def _after(self, way: int) -> Floats:
        """[2, N + 1] bounds on the weight of all (way 0) or the heaviest (1) of the strings that can follow at i: of an
        output that is open, and of one that is complete."""
        N = len(self._norm)
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
