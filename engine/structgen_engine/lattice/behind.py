"""The weights of one step's token sets, and bounds on what may follow a configuration.

Axes: N block, G sets of tokens, M nodes of the relaxed automaton, F configurations at one position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import IMPOSSIBLE
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu.search import bound_nodes, weigh_sets
from structgen_engine.lattice.class_scores import Rows
from structgen_engine.lattice.dropped import PositionSums

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]


class SetWeights:
    """The weights of all token sets met so far, position by position; a class that is split changes none of them."""

    def __init__(self, lazy: LazyDfa, rows: Rows, sums: PositionSums) -> None:
        self._lazy, self._rows, self._sums = lazy, rows, sums
        self._done = np.full(len(rows), -1)  # sets weighed at each position
        self._offsets, self._member = np.zeros(1, np.int64), np.zeros(0, np.int64)
        self._key: tuple[object, int] = (None, 0)
        self.mass, self.top = np.zeros((2, len(rows), 0))

    def at(self, i: int) -> tuple[Floats, Floats]:
        """[G] log-sum and peak of each set at position i, normalised."""
        sets = self._lazy.sets
        if self._done[i] != len(sets):
            self._refresh(sets)
            log_sum, peak = self._rows.at(i)
            row = self.mass[i], self.top[i]
            norm, top = weigh_sets(self._offsets, self._member, log_sum, peak, max(0, self._done[i]), *row)
            if self._done[i] < 0:
                self._sums.record(i, norm, top, *row)
            self._done[i] = len(sets)
        return self.mass[i], self.top[i]

    def all(self) -> tuple[Floats, Floats]:
        """[N, ≥ G] the weights at every position."""
        for i in range(len(self._done)):
            self.at(i)
        return self.mass, self.top

    def _refresh(self, sets: list[NDArray[np.int32]]) -> None:
        alphabet = self._lazy.alphabet
        if self._key[0] is not alphabet or self._key[1] != len(sets):
            self._key = alphabet, len(sets)
            self._offsets = np.cumsum([0, *map(len, sets)])
            self._member = np.concatenate([*sets, np.zeros(0, np.int32)]).astype(np.int64)
            if len(sets) > self.mass.shape[1]:
                more = np.zeros((len(self._done), 2 * len(sets) - self.mass.shape[1]))
                self.mass, self.top = (np.hstack([table, more]) for table in (self.mass, self.top))


class Bounds:
    """Bounds from behind by the relaxed automaton, and by what ends as outputs do."""

    def __init__(self, lazy: LazyDfa, weights: SetWeights, sums: PositionSums, remaining: int) -> None:
        graph = lazy.outlook.relaxed  # before the weights, because it meets new sets
        masses, tops = weights.all()
        N, M = len(masses), len(graph.most)
        self._caps, self._outlook = np.stack([sums.after(way) for way in (0, 1)]), lazy.outlook
        self._total, self._best = np.full((2, N + 1, M), IMPOSSIBLE)
        fields = graph.most, graph.free, graph.least, graph.arc_at, graph.arc_set, graph.arc_target
        nodes = (*fields, graph.ref_at, graph.ref, graph.order)
        bound_nodes(nodes, masses, tops, self._caps.max(1), remaining, self._total, self._best)

    def at(self, i: int, configurations: Longs, complete: Marks) -> tuple[Floats, Floats]:
        """[F] nats, the bounds on the sum and on the heaviest of what may follow the configurations at position i.

        complete: [F] which are outputs that may end there
        """
        nodes, sizes = self._outlook.nodes(configurations)
        total, best = self._total[i, nodes], self._best[i, nodes]
        if len(nodes) != len(configurations):
            first = sizes.cumsum() - sizes
            total, best = np.logaddexp.reduceat(total, first), np.maximum.reduceat(best, first)
        kind = complete.view(np.int8)
        return np.minimum(total, self._caps[0, kind, i]), np.minimum(best, self._caps[1, kind, i])
