"""One block of a lazy automaton: a beam search with a bound on the mass that it drops.

A forward pass computes α_i(c), the weight of all prefixes of i tokens that lead to configuration c, position by
position. The configurations kept at all positions form an ordinary automaton, on which the lattice runs unchanged. The
search keeps

* only configurations that can finish: `distance_lower` fits the tokens left in the block and after it;
* of these, at most `width` that weigh more than ε times the sum of all that surely finish (`distance_upper` fits);
* the heaviest that surely finishes, and the path of the last accepted block, so that some block can always be finished.

The certificate. Divide the weights of each position by their sum over all tokens, so that they add up to 1.

    1  Then β_i(c) ≤ b_i for all c, where b_i sums over all strings, whether accepted or not, that end as outputs do:
       with the end token and padding, or, if budget remains, without an end. Over all strings the sum would be 1.
    2  An accepted block that the lattice misses leaves the kept part at a first position i, in a configuration c.
    3  Its prefix of i tokens is part of the α_i(c) dropped there, because its path was kept up to that position.
    4  So all missed blocks together weigh at most D, the sum of α_i(c)·b_i over everything dropped.
    5  If the lattice holds weight Z, the share missed is at most D / (D + Z), because m / (m + Z) grows with m.
    6  With ε = 0 and no limit on the width nothing is dropped: D = 0, and all results are exact.
    7  The same with max for Σ bounds the heaviest missed block.
    8  If the best block found is at least as heavy as that bound, no block is better: it is certified.

Configurations that cannot finish by `distance_lower` are no loss, because no accepted block passes through them. A
block is accepted if its last configuration can be finished within the remaining budget. If the two bounds do not decide
that, a search does; configurations that it does not reach count as dropped.

Axes: N block, V vocabulary, K classes, F configurations at one position, A arcs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, Alphabet, BlockAutomaton, Dfa, Edges
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa, OutArcs
from structgen_engine.kernels import Backend, backend_for
from structgen_engine.kernels.scores import ClassScores, check_scores, check_settled, check_width
from structgen_engine.lattice.class_scores import Indifferent, Rows, Scored
from structgen_engine.lattice.dropped import DroppedMass

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]
ALL = 1 << 62
TOTAL = 2048  # configurations of a block; the largest real schemas keep 738, and one that is new takes up to 0.5 ms
EFFORT = 1024  # configurations looked at where a block ends


@dataclass(frozen=True)
class Pruning:
    """The limits of a beam search: what it leaves out of a block. With ε = 0 nothing is left out unless a limit is set.

    epsilon: share of the forward weight below which a configuration is dropped
    width: the most configurations kept at one position
    total: the most different ones in the whole block, half of them at any positions and the rest spread evenly; None
    for TOTAL, or all if ε is 0
    effort: the most looked at to decide what can be finished within the budget; None for EFFORT, or all if ε is 0
    seconds: CPU time that one block may take before it is refused
    """

    epsilon: float = 1e-7
    width: int = 1024
    total: int | None = None
    effort: int | None = None
    seconds: float = 20.0

    @property
    def most_kept(self) -> int:
        """`total` as a number."""
        return self.total if self.total is not None else TOTAL if self.epsilon else ALL

    @property
    def most_searched(self) -> int:
        """`effort` as a number."""
        return self.effort if self.effort is not None else EFFORT if self.epsilon else ALL

    def wider(self) -> Pruning:
        """The same limits with ε = 0 and eight times as many configurations."""
        kept = min(ALL, 8 * self.most_kept)
        return replace(self, epsilon=0.0, width=ALL, total=kept, effort=self.most_searched)


class Overlong(RuntimeError):
    """A block takes longer to explore than `Pruning.seconds`."""

    def __init__(self, seconds: float, position: int, met: int) -> None:
        super().__init__(
            f"one refinement step takes more than {seconds:g} seconds of CPU: position {position} of the block is "
            f"reached, and {met:,} configurations of the constraint are met"
        )


@dataclass(frozen=True, eq=False)
class PrunedBlock:
    """The part of one block that a beam search kept, with bounds on the part that it dropped.

    automaton: the kept part as tables; state k stands for configurations[k]; scores: ClassScores [1, N, K] under it
    dropped: nats, log D; dropped_best: nats, bound on the heaviest block not kept; shift: nats, log of the factor
    that normalising divides every block's weight by
    """

    automaton: BlockAutomaton
    configurations: Longs
    scores: ClassScores
    dropped: float
    dropped_best: float
    shift: float

    def share(self, log_partition: float) -> float:
        """A bound on the missing share of the accepted blocks' probability; log_partition in nats, unnormalised."""
        if self.dropped == IMPOSSIBLE:
            return 0.0
        gap = log_partition - self.shift - self.dropped
        return 1 / (1 + math.exp(min(gap, 700.0)))

    def certifies(self, weight: float) -> bool:
        """Whether no dropped block can weigh more than `weight` (nats, unnormalised)."""
        return self.dropped_best == IMPOSSIBLE or weight - self.shift >= self.dropped_best


@dataclass(frozen=True, eq=False)
class Frontier:
    """The configurations at one position; the weights of all and of their heaviest prefixes. [F], normalised nats"""

    configurations: Longs
    weight: Floats
    best: Floats


class Beam:
    """The block that starts in one configuration, explored anew for every step's logits.

    Configurations kept by earlier steps stay in the automaton while they are few compared with those of this step. The
    automaton is then larger than necessary, but its tables can be reused when nothing new is kept.
    """

    def __init__(
        self,
        lazy: LazyDfa,
        entry: int,
        remaining: int,
        pruning: Pruning | None = None,
        finishing: Finishing | None = None,
    ) -> None:
        """remaining: tokens of budget after the block.

        `witness` may be set to the ids [N] of an accepted block; its path is never pruned, so any subset of it can be
        settled safely.
        """
        self.lazy, self.entry, self.remaining = lazy, entry, remaining
        self.pruning, self._finishing = pruning or Pruning(), finishing or Finishing(lazy)
        self.witness: Sequence[int] | None = None
        self._kept = np.zeros(0, np.int64)
        self._tables: tuple[Alphabet, Longs, BlockAutomaton] | None = None

    def explore(
        self,
        logits: Tensor,
        *,
        settled: Tensor | None = None,
        temperature: float = 1.0,
        backend: Backend | None = None,
        pruning: Pruning | None = None,
    ) -> PrunedBlock:
        """The part to keep for logits [N, ≥ V] of any float type and settled [N] int64; pruning: its own if None."""
        pins = None if settled is None else settled[None]
        check_scores(logits[None], pins, temperature)
        with self.lazy.lock:
            check_width(self.lazy.alphabet, logits)
            rows = Scored(self.lazy, logits[None], pins, temperature, backend or backend_for(logits.device))
            kept, ends, account = self._search(rows, pruning or self.pruning)
            configurations, automaton = self._automaton(kept, ends)
            return PrunedBlock(automaton, configurations, rows.all(), *account.totals())

    def ahead(self, settled: Tensor) -> BlockAutomaton:
        """The part to keep if all tokens weigh the same; settled [N] int64."""
        check_settled(settled)
        with self.lazy.lock:
            kept, ends, _ = self._search(Indifferent(self.lazy, settled), self.pruning)
            return self._automaton(kept, ends)[1]

    def _search(self, rows: Rows, pruning: Pruning) -> tuple[Longs, Longs, DroppedMass]:
        """The configurations kept at any position and those kept at the last, both sorted, and the dropped mass."""
        path = _path(self.lazy, self.entry, self.witness, len(rows))
        account = DroppedMass(len(rows), self.lazy.closing, self.remaining)
        frontier = Frontier(np.array([self.entry]), np.zeros(1), np.zeros(1))
        kept, latest = frontier.configurations, time.thread_time() + pruning.seconds
        for i in range(len(rows)):
            arcs = []
            for number in frontier.configurations.tolist():
                if time.thread_time() > latest:
                    raise Overlong(pruning.seconds, i, len(kept) + len(arcs))
                arcs.append(self.lazy.arcs(number))
            frontier = self._step(rows, i, frontier, arcs, account)
            frontier = self._prune(frontier, i + 1, len(rows), path[i + 1], account, kept, pruning)
            kept = np.union1d(kept, frontier.configurations)
        return kept, frontier.configurations, account

    def _step(
        self, rows: Rows, i: int, frontier: Frontier, arcs: list[OutArcs], account: DroppedMass
    ) -> Frontier:
        """Advance by one token: all configurations that the frontier's arcs lead to, and the weight that arrives."""
        lazy = self.lazy
        log_sum, peak = rows.at(i)
        norm = account.position(i, lazy.sets, log_sum, peak)
        if norm == IMPOSSIBLE or not any(len(a.sets) for a in arcs):
            return Frontier(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        sets, targets = (np.concatenate(column) for column in zip(*arcs, strict=True))
        source = np.repeat(np.arange(len(arcs)), [len(a.sets) for a in arcs])
        used, inverse = np.unique(sets, return_inverse=True)
        mass, peaks = _of_sets([lazy.sets[number] for number in used.tolist()], log_sum, peak)
        weight = frontier.weight[source] + (mass - norm)[inverse]
        best = frontier.best[source] + (peaks - norm)[inverse]
        live = weight > IMPOSSIBLE
        configurations, group = np.unique(targets[live], return_inverse=True)
        return Frontier(configurations, *_grouped(weight[live], best[live], group, len(configurations)))

    def _prune(
        self,
        frontier: Frontier,
        i: int,
        N: int,
        witness: int,
        account: DroppedMass,
        kept: Longs,
        pruning: Pruning,
    ) -> Frontier:
        """The configurations to keep at position i of N; kept: those kept before it."""
        configurations, weight = frontier.configurations, frontier.weight
        left = N - i + self.remaining
        most, least = self._bounds(frontier, left, pruning, certain=i == N)
        sure, able = most <= left, least <= left
        may = sure if i == N else able
        total = pruning.most_kept
        room = total // 2 + total * i // (2 * N) - len(kept)
        known = np.isin(configurations, kept, assume_unique=True)
        keep = may & _above(weight, sure if sure.any() else may, pruning.epsilon)
        keep = _heaviest(weight, keep, pruning.width)
        keep = (keep & known) | _heaviest(weight, keep & ~known, room)
        if sure.any():
            keep[np.where(sure, weight, IMPOSSIBLE).argmax()] = True
        keep |= may & (configurations == witness)
        gone = able & ~keep
        account.drop(i, weight[gone], frontier.best[gone], least[gone] == 0)
        return Frontier(configurations[keep], weight[keep], frontier.best[keep])

    def _bounds(
        self, frontier: Frontier, left: int, pruning: Pruning, *, certain: bool
    ) -> tuple[Longs, Longs]:
        """Upper and lower bounds [F], tightened by searches if they must be certain or if nothing surely finishes.

        The heaviest are searched first; those too light to be kept are not searched.
        """
        numbers, weight = frontier.configurations, frontier.weight
        most, least = self.lazy.distance_upper[numbers], self.lazy.distance_lower[numbers]
        if not certain and (most <= left).any():
            return most, least
        order = (-weight).argsort(kind="stable")
        order = order[_above(weight, np.ones_like(weight, np.bool_), pruning.epsilon)[order]]
        heaviest = numbers[order[: min(2 * pruning.width, len(order))]]
        self._finishing.narrow(heaviest.tolist(), left, pruning.most_searched)
        return self._finishing.bounds(numbers.tolist())

    def _automaton(self, kept: Longs, ends: Longs) -> tuple[Longs, BlockAutomaton]:
        """The tables of what is kept, together with what earlier steps kept if that adds little."""
        wider = np.union1d(kept, self._kept)
        self._kept = wider if len(wider) <= 2 * len(kept) + 64 else kept
        for number in kept.tolist():
            self.lazy.arcs(number)  # before the alphabet is read, because new arcs may split classes
        alphabet = self.lazy.alphabet
        may_end = (self.lazy.distance_upper[self._kept] <= self.remaining) | np.isin(self._kept, ends)
        if (
            self._tables is None
            or self._tables[0] is not alphabet
            or not np.array_equal(self._tables[1], self._kept)
            or not np.array_equal(self._tables[2].exit[1:] == 0.0, may_end)
        ):
            made = tabulate(self.lazy, self._kept, self.entry, may_end)
            self._tables = alphabet, self._kept, made
        return self._tables[1], self._tables[2]


def _above(weight: Floats, whole: Marks, epsilon: float) -> Marks:
    """Which configurations weigh more than ε times the sum of those marked in `whole`."""
    if not epsilon or not whole.any():
        return weight > IMPOSSIBLE
    return weight > np.logaddexp.reduce(weight[whole]) + math.log(epsilon)


def _heaviest(weight: Floats, marks: Marks, count: int) -> Marks:
    """The `count` heaviest of those marked; among equals, the first."""
    if marks.sum() <= count:
        return marks
    among, best = np.flatnonzero(marks), np.zeros_like(marks)
    best[among[(-weight[among]).argsort(kind="stable")[: max(0, count)]]] = True
    return best


def _path(lazy: LazyDfa, entry: int, ids: Sequence[int] | None, N: int) -> list[int]:
    """The N + 1 configurations that the ids lead through; 0, which is never kept, where the path has ended."""
    path = [entry]
    for token in (ids or [])[:N]:
        path.append(lazy.run([token], path[-1]))
    return path + [DEAD] * (N + 1 - len(path))


def _of_sets(sets: list[NDArray[np.int32]], log_sum: Floats, peak: Floats) -> tuple[Floats, Floats]:
    """The log-sum and the peak of each set of classes; log_sum, peak [K]."""
    labels, sizes = np.concatenate(sets), np.array([len(part) for part in sets])
    first, index = sizes.cumsum() - sizes, np.arange(len(sets)).repeat(sizes)
    return _segmented(log_sum[labels], first, index), np.maximum.reduceat(peak[labels], first)


def _grouped(weight: Floats, best: Floats, group: Longs, groups: int) -> tuple[Floats, Floats]:
    """Log-sums of `weight` and maxima of `best` by group."""
    if not groups:
        return np.zeros(0), np.zeros(0)
    order, sizes = group.argsort(kind="stable"), np.bincount(group, minlength=groups)
    first = sizes.cumsum() - sizes
    return _segmented(weight[order], first, group[order]), np.maximum.reduceat(best[order], first)


def _segmented(values: Floats, first: Longs, index: Longs) -> Floats:
    """Log-sums of consecutive non-empty segments that begin at `first`; index: the segment of each value."""
    peak = np.maximum.reduceat(values, first)
    shift = np.where(peak == IMPOSSIBLE, 0.0, peak)
    with np.errstate(divide="ignore"):
        return np.log(np.add.reduceat(np.exp(values - shift[index]), first)) + shift


def tabulate(lazy: LazyDfa, configurations: Longs, entry: int, may_end: Marks) -> BlockAutomaton:
    """The automaton of these sorted configurations [F]; state k + 1 is the k-th of them. may_end: [F] bool"""
    state_of = np.zeros(int(configurations.max(initial=0)) + 1, np.int64)
    state_of[configurations] = np.arange(1, len(configurations) + 1)
    sources, labels, targets = [], [], []
    for state, number in enumerate(configurations.tolist(), 1):
        arcs = lazy.arcs(number)
        inside = arcs.targets < len(state_of)
        inside[inside] = state_of[arcs.targets[inside]] != DEAD
        parts = [lazy.sets[k] for k in arcs.sets[inside].tolist()]
        if parts:
            sizes = [len(part) for part in parts]
            labels += parts
            targets.append(np.repeat(state_of[arcs.targets[inside]], sizes))
            sources.append(np.full(sum(sizes), state))
    alphabet, states = lazy.alphabet, len(configurations) + 1
    source, label, target = (
        np.concatenate(c) if c else np.zeros(0, np.int64) for c in (sources, labels, targets)
    )
    order = np.lexsort((label, source))
    edges = Edges.of(source[order], label[order], target[order], states)
    accepting = torch.tensor([False, *(lazy.is_accepting(number) for number in configurations.tolist())])
    dfa = Dfa.from_edges(alphabet, edges, accepting, int(state_of[entry]))
    start, end = torch.full((2, states), IMPOSSIBLE)
    start[dfa.start] = 0.0
    end[1:][torch.from_numpy(may_end)] = 0.0
    return BlockAutomaton(dfa, start, end)
