"""The weights of one step's token sets, and bounds on what may follow a configuration.

Axes: N block, G sets of tokens, M nodes of the relaxed automaton.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu.blocks import Blocks, blocks_of, plain
from structgen_engine.kernels.cpu.bounds import FromBehind, bound_nodes, weigh_sets
from structgen_engine.kernels.cpu.memory import borrowed
from structgen_engine.kernels.cpu.search import Ahead, Weighed
from structgen_engine.lattice.class_scores import Rows
from structgen_engine.lattice.dropped import PositionSums

Floats = NDArray[np.float64]
Laid = Callable[[NDArray[np.int64], NDArray[np.int64], int], Blocks]


class SetWeights:
    """The weights of all token sets met so far, position by position; a class that is split changes none of them."""

    def __init__(self, lazy: LazyDfa, rows: Rows, sums: PositionSums) -> None:
        self._lazy, self._rows, self._sums = lazy, rows, sums
        self._done = np.full(len(rows), -1)  # sets weighed at each position
        self._offsets, self._member = np.zeros(1, np.int64), np.zeros(0, np.int64)
        self._key: tuple[object, int] = (None, 0)
        self._mass, self._top = np.zeros((2, len(rows), 0))

    @property
    def table(self) -> Weighed:
        """The weights known so far."""
        return Weighed(self._mass, self._top, self._done, len(self._lazy.sets))

    def weigh(self, i: int) -> None:
        """Weigh every set at position i."""
        if self._done[i] != len(self._lazy.sets):
            log_sum, peak = self._rows.at(i)
            self._weigh(i, i + 1, log_sum[None], peak[None])

    def weigh_all(self) -> None:
        """Weigh every set at every position."""
        if (self._done < 0).all() and len(self._done):
            log_sum, peak = self._rows.all_positions()
            self._weigh(0, len(self._done), log_sum, peak, blocks_of)
        for i in range(len(self._done)):
            self.weigh(i)

    def _weigh(self, low: int, high: int, log_sum: Floats, peak: Floats, laid: Laid = plain) -> None:
        """Weigh what is new at some positions, of which all have the same sets weighed; log_sum, peak: [P, K].

        laid: how the sets are laid out, with a tree or without
        """
        sets = self._lazy.sets
        self._refresh(sets)
        first, rows = int(self._done[low]), (self._mass[low:high], self._top[low:high])
        given = self._offsets, self._member
        blocks = laid(*given, log_sum.shape[1])
        norm, top = weigh_sets(blocks, *given, log_sum, peak, max(0, first), *rows)
        if first < 0:
            self._sums.record(low, high, norm, top, *rows)
        self._done[low:high] = len(sets)

    def _refresh(self, sets: list[NDArray[np.int32]]) -> None:
        alphabet = self._lazy.alphabet
        if self._key[0] is not alphabet or self._key[1] != len(sets):
            self._key = alphabet, len(sets)
            self._offsets = np.cumsum([0, *map(len, sets)])
            self._member = np.concatenate([*sets, np.zeros(0, np.int32)]).astype(np.int64)
            if len(sets) > self._mass.shape[1]:
                wider = borrowed((2, len(self._done), 5 * len(sets) // 4 + 64), np.float64)
                wider[0, :, : self._mass.shape[1]], wider[1, :, : self._mass.shape[1]] = self._mass, self._top
                self._mass, self._top = wider


def bounds(lazy: LazyDfa, weights: SetWeights, sums: PositionSums, remaining: int) -> Ahead:
    """Bounds from behind by the relaxed automaton, and by what ends as outputs do."""
    graph = lazy.outlook.relaxed  # before the weights, because it meets new sets
    weights.weigh_all()
    sets = weights.table
    N, M = len(sets.done), len(graph.most)
    caps = np.stack([sums.after(way) for way in (0, 1)])
    planes = borrowed((3, N + 1, M), np.float64)
    behind = FromBehind(planes[0], planes[1], np.zeros(N + 1), planes[2])
    fields = graph.most, graph.free, graph.least, graph.arc_at, graph.arc_set, graph.arc_target
    nodes = (*fields, graph.ref_at, graph.ref, graph.order)
    masses, tops = sets.mass[:, : sets.count], sets.top[:, : sets.count]
    bound_nodes(nodes, masses, tops, caps.max(1), remaining, behind)
    return Ahead(behind, caps)
