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

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels.cpu.search import (
    Leaving,
    advance,
    bound_nodes,
    heaviest,
    log_sum_of,
    weigh_sets,
)
from structgen_engine.lattice.class_scores import Rows
from structgen_engine.lattice.dropped import DroppedMass, PositionSums, Totals
from structgen_engine.lattice.pruning import ALL, Overlong, Pruning

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]

TOLERANCE = 1e-3  # the share left out that is not worth another pass
WIDTHS = (48, 256, 1024)  # configurations at one position in the passes with bounds from behind


@dataclass(frozen=True, eq=False)
class Frontier:
    """The configurations at one position; the weights of all and of their heaviest prefixes. [F], normalised nats"""

    configurations: Longs
    weight: Floats
    best: Floats

    def only(self, marks: Marks) -> Frontier:
        """The marked ones."""
        return Frontier(self.configurations[marks], self.weight[marks], self.best[marks])


@dataclass(frozen=True, eq=False)
class Kept:
    """What a pass kept at each of the N + 1 positions, the weight of its blocks in nats, and what it dropped."""

    frontiers: list[Frontier]
    weight: float
    dropped: DroppedMass

    @property
    def configurations(self) -> Longs:
        """Those kept at any position, sorted."""
        return np.unique(np.concatenate([frontier.configurations for frontier in self.frontiers]))

    @property
    def ends(self) -> Longs:
        """Those kept at the last position, sorted."""
        return self.frontiers[-1].configurations


class Known:
    """The arcs of configurations as arrays, which grow while a block is explored and stay for its next step."""

    def __init__(self, lazy: LazyDfa) -> None:
        self._lazy = lazy
        self._at, self.size = np.zeros(1024, np.int64), np.full(1024, -1, np.int64)
        self._sets, self._targets = np.zeros(4096, np.int64), np.zeros(4096, np.int64)
        self._filled, self._top = 0, 0
        self.place = np.full(1024, -1, np.int64)
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


class SetWeights:
    """The weights of all token sets met so far, position by position, under the present classes."""

    def __init__(self, lazy: LazyDfa, rows: Rows, sums: PositionSums) -> None:
        self._lazy, self._rows, self._sums = lazy, rows, sums
        self._done = np.full(len(rows), -1)  # sets weighed at each position
        self._offsets, self._member = np.zeros(1, np.int64), np.zeros(0, np.int64)
        self._key: tuple[object, int] = (None, 0)
        self.mass, self.top = np.zeros((2, len(rows), 0))

    def at(self, i: int) -> tuple[Floats, Floats]:
        """[G] log-sum and peak of each set at position i, normalised."""
        sets, alphabet = self._lazy.sets, self._lazy.alphabet
        if self._key[0] is not alphabet or self._key[1] != len(sets):
            self._key = alphabet, len(sets)
            self._offsets = np.cumsum([0, *map(len, sets)])
            self._member = np.concatenate([*sets, np.zeros(0, np.int32)]).astype(np.int64)
            if len(sets) > self.mass.shape[1]:
                more = np.zeros((len(self._done), 2 * len(sets) - self.mass.shape[1]))
                self.mass, self.top = (np.hstack([table, more]) for table in (self.mass, self.top))
        if self._done[i] != len(sets):
            log_sum, peak = self._rows.at(i)
            norm = self._sums.record(i, sets, log_sum, peak)
            norm, first = max(norm, -1e300), max(0, int(self._done[i]))
            table = self.mass[i], self.top[i]
            weigh_sets(self._offsets, self._member, log_sum, peak, norm, first, *table)
            self._done[i] = len(sets)
        return self.mass[i], self.top[i]

    def all(self) -> tuple[Floats, Floats]:
        """[N, ≥ G] the weights at every position."""
        for i in range(len(self._done)):
            self.at(i)
        return self.mass, self.top


class Bounds:
    """Bounds from behind by the relaxed automaton."""

    def __init__(self, lazy: LazyDfa, weights: SetWeights, sums: PositionSums, remaining: int) -> None:
        graph = lazy.outlook.relaxed  # before the weights, because it meets new sets
        masses, tops = weights.all()
        N, M = len(masses), len(graph.most)
        caps = np.stack([sums.after(way).max(0) for way in (0, 1)])
        self._outlook = lazy.outlook
        self._total, self._best = np.zeros((2, N + 1, M))
        fields = graph.most, graph.free, graph.least, graph.arc_at, graph.arc_set, graph.arc_target
        graph_ = (*fields, graph.ref_at, graph.ref, graph.order)
        bound_nodes(graph_, masses, tops, caps, remaining, self._total, self._best)

    def at(self, i: int, configurations: Longs) -> tuple[Floats, Floats]:
        """[F] nats, the bounds on the sum and on the heaviest of what may follow the configurations at position i."""
        nodes, sizes = self._outlook.nodes(configurations)
        total, best = self._total[i, nodes], self._best[i, nodes]
        if len(nodes) == len(configurations):
            return total, best
        first = sizes.cumsum() - sizes
        return np.logaddexp.reduceat(total, first), np.maximum.reduceat(best, first)


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
        """The last pass, and bounds on what it dropped."""
        pruning, kept = self._pruning, None
        behind = Bounds(self._lazy, self._weights, self._sums, self._remaining)
        for width in WIDTHS if pruning.epsilon else (ALL,):
            kept = self._pass(behind, self._floor(kept), min(width, pruning.width))
            if _share(kept.weight, kept.dropped.totals(self._sums, behind)) <= TOLERANCE:
                break
        assert kept is not None
        kept = self._trimmed(kept, behind)
        return kept, kept.dropped.totals(self._sums, behind)

    def _floor(self, kept: Kept | None) -> float:
        """The weight of prefix times bound (nats) below which a configuration is dropped."""
        return kept.weight + math.log(self._pruning.epsilon) if kept and self._pruning.epsilon else IMPOSSIBLE

    def _trimmed(self, kept: Kept, behind: Bounds) -> Kept:
        """Without what turned out to weigh too little beside all that was kept; the witness stays.

        If all that together weighs less than half, some block passes through nothing of it, so it can go.
        """
        floor, frontiers, light = self._floor(kept), kept.frontiers[:1], [IMPOSSIBLE]
        dropped = DroppedMass(kept.dropped)
        for i, here in enumerate(kept.frontiers[1:], 1):
            key = here.weight + behind.at(i, here.configurations)[0]
            heavy = (key > floor) | (here.configurations == self._path[i])
            frontiers.append(here.only(heavy))
            self._drop(dropped, i, here.only(~heavy))
            light.append(log_sum_of(key, ~heavy))
        if np.logaddexp.reduce(light) > kept.weight - math.log(2):
            return kept
        return Kept(frontiers, kept.weight, dropped)

    def _drop(self, dropped: DroppedMass, i: int, gone: Frontier) -> None:
        complete = self._least(gone.configurations) == 0
        dropped.drop(i, gone.configurations, gone.weight, gone.best, complete)

    def _pass(self, behind: Bounds, floor: float, width: int) -> Kept:
        """One pass forward; floor: nats, the weight of prefix times bound below which a configuration is dropped."""
        dropped, kept = DroppedMass(), np.array([self._entry])
        frontiers = [Frontier(kept, np.zeros(1), np.zeros(1))]
        for i in range(1, self._N + 1):
            reached = self._step(i - 1, frontiers[-1], len(kept))
            keep = self._keep(i, reached, behind, floor, width, kept)
            left = self._N - i + self._remaining
            self._drop(dropped, i, reached.only((self._least(reached.configurations) <= left) & ~keep))
            frontiers.append(reached.only(keep))
            kept = np.union1d(kept, frontiers[-1].configurations)
        weight = frontiers[-1].weight
        return Kept(frontiers, log_sum_of(weight, np.ones(len(weight), np.bool_)), dropped)

    def _least(self, numbers: Longs) -> Longs:
        return (
            self._finishing.bounds(numbers.tolist())[1]
            if self._finishing.learnt
            else self._known.least[numbers]
        )

    def _step(self, i: int, frontier: Frontier, met: int) -> Frontier:
        """Advance by one token: all configurations that the frontier's arcs lead to, and the weight that arrives."""
        known = self._known
        unknown = known.unknown(frontier.configurations)
        for number in unknown:
            if time.thread_time() > self._latest:
                raise Overlong(self._pruning.seconds, i, met)
            known.learn(number)
        if unknown:
            known.refresh()
        mass, top = self._weights.at(i)
        return Frontier(
            *advance(
                frontier.configurations, frontier.weight, frontier.best, known.arcs, mass, top, known.place
            )
        )

    def _keep(
        self, i: int, frontier: Frontier, behind: Bounds, floor: float, width: int, kept: Longs
    ) -> Marks:
        """[F] bool, the configurations to keep at position i; kept: those kept before it."""
        numbers, weight, last = frontier.configurations, frontier.weight, i == self._N
        left = self._N - i + self._remaining
        most, least = self._bounds(frontier, left, certain=last)
        sure, able = most <= left, least <= left
        may = sure if last else able
        key = weight + behind.at(i, numbers)[0]
        total = self._pruning.most_kept
        room = total // 2 + total * i // (2 * self._N) - len(kept)
        keep = heaviest(key, may & (key > floor), width)
        new = keep & ~_within(numbers, kept)
        if new.sum() > room:
            keep = (keep & ~new) | heaviest(key, new, room)
        if sure.any():
            keep[np.where(sure, key, IMPOSSIBLE).argmax()] = True
            keep[np.where(sure, weight, IMPOSSIBLE).argmax()] = True
        return keep | (may & (numbers == self._path[i]))

    def _bounds(self, frontier: Frontier, left: int, *, certain: bool) -> tuple[Longs, Longs]:
        """Upper and lower bounds [F] of the distances, tightened by searches if they must be certain or if nothing
        surely finishes.

        The heaviest are searched first; those too light to be kept are not searched.
        """
        numbers, weight = frontier.configurations, frontier.weight
        most, least = self._known.most[numbers], self._known.least[numbers]
        if not certain and (most <= left).any():
            return most, least
        order = (-weight).argsort(kind="stable")
        if self._pruning.epsilon and len(order):
            least_weight = log_sum_of(weight, np.ones(len(weight), np.bool_)) + math.log(
                self._pruning.epsilon
            )
            order = order[weight[order] > least_weight]
        searched = numbers[order[: min(2 * self._pruning.width, len(order))]]
        self._finishing.narrow(searched.tolist(), left, self._pruning.most_searched)
        self._known.refresh()
        return self._finishing.bounds(numbers.tolist())


def _share(weight: float, totals: Totals) -> float:
    """D / (D + Z)."""
    if totals.dropped == IMPOSSIBLE:
        return 0.0
    return 1 / (1 + math.exp(min(weight - totals.dropped, 700.0)))


def _within(numbers: Longs, kept: Longs) -> Marks:
    """[F] which of the sorted numbers are among the sorted ones kept."""
    at = np.searchsorted(kept, numbers)
    return kept[np.minimum(at, len(kept) - 1)] == numbers


def _path(lazy: LazyDfa, entry: int, ids: Sequence[int] | None, N: int) -> list[int]:
    """The N + 1 configurations that the ids lead through; 0, which is never kept, where the path has ended."""
    path = [entry]
    for token in (ids or [])[:N]:
        path.append(lazy.run([token], path[-1]))
    return path + [DEAD] * (N + 1 - len(path))
