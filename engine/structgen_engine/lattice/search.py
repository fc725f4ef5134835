"""The search of one block: forward passes along a lazy automaton, pruned with bounds from behind.

A backward pass over the relaxed automaton (`automata/outlook`) bounds what may follow each configuration. A forward
pass then keeps what weighs most by prefix times bound. By prefix alone it would follow garden paths: one unlikely token
makes the right prefix light, and everything after it shows that it was right. If the bound on what was dropped is too
large, further passes are wider; they leave out what is surely light beside the blocks found so far.

Axes: N block, K classes, F configurations at one position, G sets, M nodes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.arrays import NEVER
from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu.search import Leaving, advance, bound_nodes, log_sum_of, select
from structgen_engine.lattice.behind import Bounds, SetWeights
from structgen_engine.lattice.class_scores import Rows
from structgen_engine.lattice.dropped import PositionSums, Totals
from structgen_engine.lattice.pruning import ALL, Overlong, Pruning

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]

TOLERANCE = 1e-3  # the share left out that is not worth another pass
WIDTHS = (48, 256, 1024)  # configurations at one position in the first pass and in wider ones
FEW = 512  # configurations that are not worth an exact pass to find out which of them matter
NEAR = 1e-6  # nats, more than sums in another order differ by
ROOM = 4  # times as many configurations as are kept in the end may be looked at in one pass


@dataclass(frozen=True, eq=False)
class Frontier:
    """The configurations [F] at one position, with weights in normalised nats.

    weight, best: [F] of all their prefixes and of the heaviest; key, top: the same times bounds on what may follow
    """

    configurations: Longs
    weight: Floats
    best: Floats
    key: Floats
    top: Floats

    def only(self, marks: Marks) -> Frontier:
        """The marked ones."""
        parts = self.configurations, self.weight, self.best, self.key, self.top
        return Frontier(*(part[marks] for part in parts))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Kept:
    """What a pass kept at each of the N + 1 positions, and the weight of its blocks in nats.

    dropped, dropped_best: [N + 1] nats, bounds on the sum and on the heaviest of what was dropped at each position
    """

    frontiers: list[Frontier]
    dropped: Floats
    dropped_best: Floats

    @property
    def weight(self) -> float:
        """The weight of the blocks kept."""
        return float(np.logaddexp.reduce(self.frontiers[-1].weight, initial=IMPOSSIBLE))

    @property
    def heaviest(self) -> float:
        """The weight of the heaviest of them."""
        return float(self.frontiers[-1].best.max(initial=IMPOSSIBLE))

    def key_of(self, count: int) -> float:
        """The key that so many configurations exceed at some position."""
        numbers = np.concatenate([frontier.configurations for frontier in self.frontiers])
        keys = np.full(int(numbers.max()) + 1, IMPOSSIBLE)
        np.maximum.at(keys, numbers, np.concatenate([frontier.key for frontier in self.frontiers]))
        return float(np.sort(keys)[-count - 1]) if len(keys) > count else IMPOSSIBLE

    @property
    def configurations(self) -> Longs:
        """Those kept at any position, sorted."""
        return np.unique(np.concatenate([frontier.configurations for frontier in self.frontiers]))

    @property
    def ends(self) -> Longs:
        """Those kept at the last position, sorted."""
        return self.frontiers[-1].configurations

    @property
    def share(self) -> float:
        """A bound on the share left out, D / (D + Z)."""
        gap = self.weight - float(np.logaddexp.reduce(self.dropped))
        return 1 / (1 + math.exp(min(gap, 700.0))) if not math.isnan(gap) else 0.0


class Known:
    """The arcs of configurations as arrays, which grow while a block is explored and stay for its next step.

    place: scratch; kept: [configurations] bool, those that the present pass has kept; count: how many
    """

    def __init__(self, lazy: LazyDfa) -> None:
        self._lazy = lazy
        self._at, self.size = np.zeros(1024, np.int64), np.full(1024, -1, np.int64)
        self._sets, self._targets = np.zeros(4096, np.int64), np.zeros(4096, np.int64)
        self._filled, self._top = 0, 0
        self.place = np.full(1024, -1, np.int64)
        self.kept, self.count = np.zeros(1024, np.bool_), 0
        self.most, self.least = lazy.distance_upper, lazy.distance_lower

    @property
    def arcs(self) -> Leaving:
        """The arcs known so far."""
        return Leaving(self._at, self.size, self._sets, self._targets)

    def learn(self, number: int) -> None:
        """The arcs of one more configuration."""
        sets, targets = self._lazy.arcs(number)
        end = self._filled + len(sets)
        while end > len(self._sets):
            self._sets, self._targets = np.tile(self._sets, 2), np.tile(self._targets, 2)
        self._sets[self._filled : end], self._targets[self._filled : end] = sets, targets
        self._at[number], self.size[number] = self._filled, len(sets)
        self._filled = end

    def unknown(self, numbers: Longs) -> list[int]:
        """Those whose arcs are not known; afterwards there is room for the numbers met so far."""
        top = int(numbers.max(initial=0)) + 1
        if top > len(self.size):
            more = max(top, 2 * len(self.size)) - len(self.size)
            self._at = np.append(self._at, np.zeros(more, np.int64))
            self.size = np.append(self.size, np.full(more, -1, np.int64))
        return numbers[self.size[numbers] < 0].tolist()

    def refresh(self) -> None:
        """Read the distances of all configurations met so far."""
        self.most, self.least = self._lazy.distance_upper, self._lazy.distance_lower
        if len(self.most) > len(self.place):
            self.place = np.full(2 * len(self.most), -1, np.int64)
            self.kept = np.append(self.kept, np.zeros(len(self.place) - len(self.kept), np.bool_))

    def forget(self, entry: int) -> None:
        """Begin a pass: of all configurations only the entry is kept."""
        self.kept[:] = False
        self.kept[entry] = True
        self.count = 1

    def keep(self, numbers: Longs) -> None:
        """Note that these configurations are kept somewhere."""
        self.count += len(numbers) - int(self.kept[numbers].sum())
        self.kept[numbers] = True


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
        known.refresh()

    def run(self) -> tuple[Kept, Totals]:
        """The best pass, and bounds on what it dropped."""
        pruning, kept = self._pruning, None
        behind = Bounds(self._lazy, self._weights, self._sums, self._remaining)
        most = pruning.most_kept * (ROOM if pruning.epsilon else 1)
        for width in WIDTHS if pruning.epsilon else (ALL,):
            found = self._pass(behind, self._floor(kept), min(width, pruning.width), most)
            if kept is None or found.weight >= kept.weight:
                kept = found
            if found.share <= TOLERANCE:
                break
        assert kept is not None
        kept = self._trimmed(kept, self._floor(kept))
        if len(kept.configurations) > FEW and pruning.epsilon:
            exact = self._weighed(kept)
            kept = self._trimmed(exact, max(self._floor(kept), exact.key_of(pruning.most_kept)))
        if len(kept.configurations) > pruning.most_kept and pruning.epsilon:
            kept = self._pass(behind, self._floor(kept), pruning.width, pruning.most_kept)
        dropped = float(np.logaddexp.reduce(kept.dropped))
        return kept, Totals(dropped, float(kept.dropped_best.max()), float(self._sums.norm.sum()))

    def _floor(self, kept: Kept | None) -> float:
        """The weight of prefix times bound (nats) below which a configuration is dropped."""
        return kept.weight + math.log(self._pruning.epsilon) if kept and self._pruning.epsilon else IMPOSSIBLE

    def _trimmed(self, kept: Kept, floor: float) -> Kept:
        """Without what turned out to weigh too little beside all that was kept; the witness stays, and the best block.

        If all that together weighs less than half, some block passes through nothing of it, so it can go.
        """
        frontiers, best = kept.frontiers[:1], kept.heaviest
        light, lightest = np.full((2, self._N + 1), IMPOSSIBLE)
        for i, here in enumerate(kept.frontiers[1:], 1):
            heavy = (here.key > floor) | (here.top >= best - NEAR) | (here.configurations == self._path[i])
            if heavy.all():
                frontiers.append(here)
                continue
            frontiers.append(here.only(heavy))
            light[i], lightest[i] = log_sum_of(here.key, ~heavy), here.top[~heavy].max()
        if np.logaddexp.reduce(light) > kept.weight - math.log(2):
            return kept
        dropped = np.logaddexp(kept.dropped, light), np.maximum(kept.dropped_best, lightest)
        return Kept(frontiers, *dropped)

    def _weighed(self, kept: Kept) -> Kept:
        """The same with exact keys: what follows a configuration is weighed within what is kept.

        A block that leaves what is kept is counted where it does, among what was dropped.
        """
        numbers = kept.configurations
        self._known.unknown(numbers)  # makes room for all; those at the last position may have no arcs yet
        arcs = self._known.arcs
        sizes = np.maximum(arcs.size[numbers], 0)
        at = np.repeat(arcs.at[numbers] - (sizes.cumsum() - sizes), sizes) + np.arange(sizes.sum())
        place = np.searchsorted(numbers, arcs.targets[at])
        inside = numbers[np.minimum(place, len(numbers) - 1)] == arcs.targets[at]
        source = np.repeat(np.arange(len(numbers)), sizes)[inside]
        no, nowhere = np.zeros(len(numbers), np.bool_), np.zeros(len(numbers) + 1, np.int64)
        graph = (
            no,
            no,
            np.where(np.isin(numbers, kept.ends), 0, NEVER),
            np.append(0, np.bincount(source, minlength=len(numbers)).cumsum()),
            arcs.sets[at][inside],
            place[inside],
            nowhere,
            np.zeros(0, np.int64),
            np.arange(len(numbers)),
        )
        after, after_best = np.full((2, self._N + 1, len(numbers)), IMPOSSIBLE)
        bound_nodes(graph, *self._weights.all(), np.zeros((2, self._N + 1)), 0, after, after_best)
        frontiers = []
        for i, here in enumerate(kept.frontiers):
            k = np.searchsorted(numbers, here.configurations)
            bounds = here.weight + after[i, k], here.best + after_best[i, k]
            frontiers.append(Frontier(here.configurations, here.weight, here.best, *bounds))
        return Kept(frontiers, kept.dropped, kept.dropped_best)

    def _pass(self, behind: Bounds, floor: float, width: int, total: int) -> Kept:
        """One pass forward, with at most `total` configurations in all.

        floor: nats, the weight of prefix times bound below which a configuration is dropped
        """
        one = np.zeros(1)
        frontiers = [Frontier(np.array([self._entry]), one, one, one, one)]
        dropped, dropped_best = np.full((2, self._N + 1), IMPOSSIBLE)
        self._known.forget(self._entry)
        for i in range(1, self._N + 1):
            numbers, weight, best = self._step(i - 1, frontiers[-1])
            left = self._N - i + self._remaining
            most, least = self._distances(numbers, weight, left, certain=i == self._N)
            after, after_best = behind.at(i, numbers, least == 0)
            reached = Frontier(numbers, weight, best, weight + after, best + after_best)
            sure, able = most <= left, least <= left
            keep = select(
                weight,
                reached.key,
                reached.top,
                sure if i == self._N else able,
                sure,
                self._known.kept[numbers],
                numbers == self._path[i],
                floor,
                width,
                total // 2 + total * i // (2 * self._N) - self._known.count,
            )
            gone = able & ~keep
            if gone.any():
                dropped[i], dropped_best[i] = log_sum_of(reached.key, gone), reached.top[gone].max()
            frontiers.append(reached.only(keep))
            self._known.keep(frontiers[-1].configurations)
        return Kept(frontiers, dropped, dropped_best)

    def _step(self, i: int, frontier: Frontier) -> tuple[Longs, Floats, Floats]:
        """Advance by one token: all configurations that the frontier's arcs lead to, and the weights that arrive."""
        known = self._known
        unknown = known.unknown(frontier.configurations)
        for number in unknown:
            if time.thread_time() > self._latest:
                raise Overlong(self._pruning.seconds, i, known.count)
            known.learn(number)
        if unknown:
            known.refresh()
        weights = self._weights.at(i)
        return advance(
            frontier.configurations, frontier.weight, frontier.best, known.arcs, *weights, known.place
        )

    def _distances(self, numbers: Longs, weight: Floats, left: int, *, certain: bool) -> tuple[Longs, Longs]:
        """Upper and lower bounds [F] of the distances, tightened by searches if they must be certain or if nothing
        surely finishes.

        The heaviest are searched first; those too light to be kept are not searched.
        """
        most, least = self._known.most[numbers], self._known.least[numbers]
        if certain or not (most <= left).any():
            order = (-weight).argsort(kind="stable")
            if self._pruning.epsilon and len(order):
                order = order[weight[order] > np.logaddexp.reduce(weight) + math.log(self._pruning.epsilon)]
            searched = numbers[order[: min(2 * self._pruning.width, len(order))]]
            self._finishing.narrow(searched.tolist(), left, self._pruning.most_searched)
            self._known.refresh()
        return self._finishing.bounds(numbers.tolist()) if self._finishing.learnt else (most, least)


def _path(lazy: LazyDfa, entry: int, ids: Sequence[int] | None, N: int) -> list[int]:
    """The N + 1 configurations that the ids lead through; 0, which is never kept, where the path has ended."""
    path = [entry]
    for token in (ids or [])[:N]:
        path.append(lazy.run([token], path[-1]))
    return path + [DEAD] * (N + 1 - len(path))
