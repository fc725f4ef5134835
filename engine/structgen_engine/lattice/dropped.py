"""The mass that a beam search dropped from a block: see the certificate in `beam`.

Axes: N block, K classes, F configurations at one position.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.automata.lazy import Closing

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]


class Totals(NamedTuple):
    """log D, the bound on the heaviest dropped block, and the sum of all norms, in nats."""

    dropped: float
    dropped_best: float
    shift: float


class Bounding(Protocol):
    """Bounds on what may follow a configuration."""

    def at(self, i: int, configurations: Longs, /) -> tuple[Floats, Floats]:
        """[F] nats, the bounds on the sum and on the heaviest of what may follow the configurations at position i."""
        ...


class PositionSums:
    """The sums and maxima of the scores of each position, which bound whatever may follow."""

    def __init__(self, N: int, closing: Closing | None, remaining: int) -> None:
        self._closing, self._remaining = closing, remaining
        self.norm, self._top = np.zeros(N), np.zeros(N)
        self._end, self._pad = np.zeros((2, N)), np.zeros((2, N))  # sum and maximum

    def record(self, i: int, sets: list[NDArray[np.int32]], log_sum: Floats, peak: Floats) -> float:
        """Record the scores [K] of position i; returns the logarithm of their sum."""
        norm = float(np.logaddexp.reduce(log_sum))
        self.norm[i] = norm
        if norm == IMPOSSIBLE:
            return norm
        self._top[i] = peak.max() - norm
        if self._closing is not None:
            for kept, number in zip((self._end, self._pad), self._closing, strict=True):
                labels = sets[number]
                kept[:, i] = np.logaddexp.reduce(log_sum[labels]) - norm, peak[labels].max() - norm
        return norm

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


class DroppedMass:
    """What one search dropped: at each position the configurations, and the weights of their prefixes."""

    def __init__(self, before: DroppedMass | None = None) -> None:
        """before: what was dropped already"""
        self._gone: list[tuple[int, Longs, Floats, Floats, Marks]] = list(before._gone) if before else []

    def drop(self, i: int, configurations: Longs, weight: Floats, best: Floats, complete: Marks) -> None:
        """Record configurations [F] dropped at position i; complete [F]: which are outputs that may end there."""
        if len(configurations):
            self._gone.append((i, configurations, weight, best, complete))

    def totals(self, sums: PositionSums, behind: Bounding) -> Totals:
        """The sums over everything dropped, each weight times a bound on what could have followed it."""
        after = [sums.after(way) for way in (0, 1)]
        dropped, heaviest = [IMPOSSIBLE], IMPOSSIBLE
        for i, configurations, weight, best, complete in self._gone:
            kind = complete.astype(np.int64)
            total, top = behind.at(i, configurations)
            dropped.append(np.logaddexp.reduce(weight + np.minimum(total, after[0][kind, i])))
            heaviest = max(heaviest, float((best + np.minimum(top, after[1][kind, i])).max()))
        return Totals(float(np.logaddexp.reduce(dropped)), heaviest, float(sums.norm.sum()))
