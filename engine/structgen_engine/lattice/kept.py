"""What a pass over a block kept at each position, and what it weighs.

Axes: N block, T configurations kept at all positions together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.kernels.cpu.search import Frontiers, without

Longs = NDArray[np.int64]

NEAR = 1e-6  # nats, more than sums in another order differ by
FEW = 64  # configurations at a position for which there is room at first


class Pass:
    """The frontiers of a pass while it is made, in arrays that grow."""

    def __init__(self, entry: int, N: int) -> None:
        room = FEW * (N + 1)
        self.frontiers = Frontiers(
            np.zeros(N + 2, np.int64),
            np.zeros(room, np.int64),
            *np.zeros((4, room)),
            *np.full((2, N + 1), IMPOSSIBLE),
        )
        self.frontiers.begin[1] = 1
        self.frontiers.number[0] = entry

    def at(self, i: int) -> Longs:
        """The configurations kept at position i."""
        return self.frontiers.number[self.frontiers.begin[i] : self.frontiers.begin[i + 1]]

    def grow(self) -> None:
        """Make room for twice as many."""
        names = ("number", "weight", "best", "key", "top")
        wider = {name: np.append(old := getattr(self.frontiers, name), np.zeros_like(old)) for name in names}
        self.frontiers = self.frontiers._replace(**wider)

    def kept(self) -> Kept:
        """The frontiers of all positions."""
        return Kept(self.frontiers).only(np.arange(len(self.frontiers.number)) < self.frontiers.begin[-1])


@dataclass(frozen=True, eq=False)
class Kept:
    """What a pass kept at each of the N + 1 positions, with weights in normalised nats."""

    frontiers: Frontiers

    @property
    def _last(self) -> slice:
        return slice(int(self.frontiers.begin[-2]), int(self.frontiers.begin[-1]))

    @property
    def weight(self) -> float:
        """The weight of the blocks kept, in nats."""
        return float(np.logaddexp.reduce(self.frontiers.weight[self._last], initial=IMPOSSIBLE))

    @property
    def heaviest(self) -> float:
        """The weight of the heaviest of them, in nats."""
        return float(self.frontiers.best[self._last].max(initial=IMPOSSIBLE))

    @property
    def configurations(self) -> Longs:
        """Those kept at any position, sorted."""
        return np.unique(self.frontiers.number)

    @property
    def ends(self) -> Longs:
        """Those kept at the last position, sorted."""
        return np.sort(self.frontiers.number[self._last])

    @property
    def dropped(self) -> NDArray[np.float64]:
        """[N + 1] nats, bounds on the sum of what was dropped at each position."""
        return self.frontiers.dropped

    @property
    def dropped_best(self) -> NDArray[np.float64]:
        """[N + 1] nats, bounds on the heaviest of what was dropped at each position."""
        return self.frontiers.dropped_best

    @property
    def share(self) -> float:
        """A bound on the share left out, D / (D + Z)."""
        gap = self.weight - float(np.logaddexp.reduce(self.dropped))
        return 1 / (1 + math.exp(min(gap, 700.0))) if not math.isnan(gap) else 0.0

    def key_of(self, count: int) -> float:
        """The key that so many configurations exceed at some position, in nats."""
        numbers, place = np.unique(self.frontiers.number, return_inverse=True)
        keys = np.full(len(numbers), IMPOSSIBLE)
        np.maximum.at(keys, place, self.frontiers.key)
        return float(np.sort(keys)[-count - 1]) if len(keys) > count else IMPOSSIBLE

    def only(self, marks: NDArray[np.bool_]) -> Kept:
        """The marked ones [T]."""
        old, filled = self.frontiers, np.append(0, marks.cumsum())
        parts = {name: getattr(old, name)[marks] for name in ("number", "weight", "best", "key", "top")}
        return Kept(old._replace(begin=filled[old.begin], **parts))

    def trimmed(self, floor: float, path: Longs) -> Kept:
        """Without what turned out to weigh too little beside all that was kept; the witness stays, and the best block.

        If all that together weighs less than half, some block passes through nothing of it, so it can go.
        floor: nats; path: [N + 1] the witness
        """
        old = self.frontiers
        position = np.repeat(np.arange(len(old.dropped)), np.diff(old.begin))
        heavy = (old.key > floor) | (old.top >= self.heaviest - NEAR) | (old.number == path[position])
        heavy[: old.begin[1]] = True
        light, lightest = without(old, heavy)
        if np.logaddexp.reduce(light) > self.weight - math.log(2):
            return self
        dropped = np.logaddexp(old.dropped, light), np.maximum(old.dropped_best, lightest)
        kept = Kept(old._replace(dropped=dropped[0], dropped_best=dropped[1]))
        return kept if heavy.all() else kept.only(heavy)
