"""The mass that a beam search dropped from a block: see the certificate in `beam`.

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
    """The weights dropped at each position, and the sums and maxima that bound what could have followed."""

    def __init__(self, N: int, closing: Closing | None, remaining: int) -> None:
        self._closing, self._remaining = closing, remaining
        self._norm, self._top = np.zeros(N), np.zeros(N)
        self._end, self._pad = np.zeros((2, N)), np.zeros((2, N))  # sum and maximum
        self._dropped = np.full((2, 2, N + 1), IMPOSSIBLE)  # open or complete; sum and maximum

    def position(self, i: int, sets: list[NDArray[np.int32]], log_sum: Floats, peak: Floats) -> float:
        """Record the scores [K] of position i; returns the logarithm of their sum."""
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
        """Record configurations [F] dropped at position i; complete [F]: which are outputs that may end there."""
        for kind, part in enumerate((~complete, complete)):
            if part.any():
                self._dropped[kind, 0, i] = np.logaddexp.reduce(weight[part])
                self._dropped[kind, 1, i] = best[part].max()

    def totals(self) -> tuple[float, float, float]:
        """log D, the bound on the heaviest dropped block, and the sum of all norms."""
        sums, maxima = self._dropped[:, 0] + self._after(0), self._dropped[:, 1] + self._after(1)
        return float(np.logaddexp.reduce(sums, axis=None)), float(maxima.max()), float(self._norm.sum())

    def _after(self, way: int) -> Floats:
        """[2, N + 1] bounds on the weight of the strings that can follow position i, of all (way 0) or of the heaviest
        (way 1): row 0 for an open output, row 1 for a complete one."""
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
