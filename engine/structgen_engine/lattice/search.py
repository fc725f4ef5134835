"""The search of one block: forward passes along a lazy automaton, pruned with bounds from behind.

A backward pass over the relaxed automaton (`automata/outlook`) bounds what may follow each configuration. A forward
pass then keeps what weighs most by prefix times bound. By prefix alone it would follow garden paths: one unlikely token
makes the right prefix light, and everything after it shows that it was right. If the bound on what was dropped is too
large, further passes are wider; they leave out what is surely light beside the blocks found so far.

A pass is one kernel (`sweep`) as long as the arcs of everything kept are known. Where they are not, it comes back here,
the arcs are learnt, and it goes on.

Axes: N block, F configurations at one position.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu import search as kernels
from structgen_engine.kernels.cpu.search import Keeping
from structgen_engine.lattice.behind import SetWeights, bounds
from structgen_engine.lattice.class_scores import Rows
from structgen_engine.lattice.dropped import PositionSums, Totals
from structgen_engine.lattice.kept import Kept, Pass
from structgen_engine.lattice.known import Known
from structgen_engine.lattice.pruning import ALL, Overlong, Pruning

Longs = NDArray[np.int64]

TOLERANCE = 1e-3  # the share left out that is not worth another pass
WIDTHS = (48, 256, 1024)  # configurations at one position in the first pass and in wider ones
BETWEEN_LOOKS = 32  # configurations learnt between two looks at the clock, which take up to 0.1 ms each
ROOM = 4  # times as many configurations as are kept in the end may be looked at in one pass


class Search:
    """The passes over one block with one step's scores."""

    def __init__(
        self,
        lazy: LazyDfa,
        entry: int,
        rows: Rows,
        remaining: int,
        pruning: Pruning,
        finishing: Finishing,
        known: Known,
        witness: Sequence[int] | None,
    ) -> None:
        self._lazy, self._entry, self._N, self._remaining = lazy, entry, len(rows), remaining
        self._pruning, self._finishing, self._known = pruning, finishing, known
        self._sums = PositionSums(len(rows), lazy.closing, remaining)
        self._weights = SetWeights(lazy, rows, self._sums)
        self._path = _path(lazy, entry, witness, len(rows))
        self._latest = time.thread_time() + pruning.seconds
        self._ahead = bounds(lazy, self._weights, self._sums, remaining)
        known.refresh(finishing)

    def run(self) -> tuple[Kept, Totals]:
        """The best pass, and bounds on what it dropped."""
        pruning, kept = self._pruning, None
        most = pruning.most_kept * (ROOM if pruning.epsilon else 1)
        for width in WIDTHS if pruning.epsilon else (ALL,):
            found = self._pass(self._floor(kept), min(width, pruning.width), most)
            if kept is None or found.weight >= kept.weight:
                kept = found
            if found.share <= TOLERANCE:
                break
        assert kept is not None
        if pruning.epsilon:
            kept = kept.trimmed(self._floor(kept), self._path)
            exact = self._weighed(kept)
            kept = exact.trimmed(max(self._floor(kept), exact.key_of(pruning.most_kept)), self._path)
            if len(kept.configurations) > pruning.most_kept:
                kept = self._pass(self._floor(kept), pruning.width, pruning.most_kept)
        dropped = float(np.logaddexp.reduce(kept.dropped))
        return kept, Totals(dropped, float(kept.dropped_best.max()), float(self._sums.norm.sum()))

    def _floor(self, kept: Kept | None) -> float:
        """The weight of prefix times bound (nats) below which a configuration is dropped."""
        return kept.weight + math.log(self._pruning.epsilon) if kept and self._pruning.epsilon else IMPOSSIBLE

    def _weighed(self, kept: Kept) -> Kept:
        """The same with exact keys: what follows a configuration is weighed within what is kept.

        A block that leaves what is kept is counted where it does, among what was dropped.
        """
        frontiers, known = kept.frontiers, self._known
        after, after_best = kernels.follow_back(
            frontiers, known.arcs, self._weights.table, known.scratch.place
        )
        return Kept(frontiers._replace(key=frontiers.weight + after, top=frontiers.best + after_best))

    def _pass(self, floor: float, width: int, total: int) -> Kept:
        """One pass forward, with at most `total` configurations in all.

        floor: nats, the weight of prefix times bound below which a configuration is dropped
        """
        N, known = self._N, self._known
        room = np.array([total // 2 + total * i // (2 * N) if N else total for i in range(N + 1)], np.int64)
        limits = Keeping(self._path, room, floor, width, self._remaining)
        known.forget(self._entry)
        found, i = Pass(self._entry, N), 0
        while i < N:
            given = known.arcs, known.met, self._weights.table, self._ahead, limits, known.scratch
            i, why = kernels.sweep(i, found.frontiers, *given)
            if why == kernels.FULL:
                found.grow()
                continue
            self._learn(i, found.at(i))
            if why != kernels.UNKNOWN:
                self._decide(i, found, limits)
                i += 1
        return found.kept()

    def _learn(self, i: int, numbers: Longs) -> None:
        """Learn the arcs of configurations kept at position i, and the weights of their sets there."""
        known = self._known
        unknown = known.unknown(numbers)
        for learnt, number in enumerate(unknown):
            if learnt % BETWEEN_LOOKS == 0 and time.thread_time() > self._latest:
                raise Overlong(self._pruning.seconds, i, int(known.met.count[0]))
            known.learn(number)
        if unknown:
            known.refresh(self._finishing)
        self._weights.weigh(i)

    def _decide(self, i: int, found: Pass, limits: Keeping) -> None:
        """Go on from position i where bounds on distances must be certain, or where by them nothing surely finishes."""
        known, ending = self._known, i == self._N - 1
        sets, left = self._weights.table, self._N - 1 - i + self._remaining
        count = kernels.advance(i, found.frontiers, known.arcs, sets, known.scratch)
        numbers, weight = known.scratch.found[:count], known.scratch.high[:count]
        if ending or not (known.met.most[numbers] <= left).any():
            self._search(numbers, weight, left)
            count = kernels.advance(i, found.frontiers, known.arcs, sets, known.scratch)
        while not kernels.settle(
            i, count, found.frontiers, known.met, self._ahead, limits, known.scratch, ending
        ):
            found.grow()

    def _search(self, numbers: Longs, weight: NDArray[np.float64], left: int) -> None:
        """Tighten distances by searches, of the heaviest first; those too light to keep are not searched."""
        order = (-weight).argsort(kind="stable")
        if self._pruning.epsilon and len(order):
            order = order[weight[order] > np.logaddexp.reduce(weight) + math.log(self._pruning.epsilon)]
        searched = numbers[order[: min(2 * self._pruning.width, len(order))]]
        self._finishing.narrow(searched.tolist(), left, self._pruning.most_searched)
        self._known.refresh(self._finishing)


def _path(lazy: LazyDfa, entry: int, ids: Sequence[int] | None, N: int) -> Longs:
    """The N + 1 configurations that the ids lead through; 0, which is never kept, where the path has ended."""
    path = [entry]
    for token in (ids or [])[:N]:
        path.append(lazy.run([token], path[-1]))
    return np.array(path + [DEAD] * (N + 1 - len(path)), np.int64)
