"""One block of a lazy automaton: a beam search with a bound on the mass that it drops.

A forward pass computes α_i(c), the weight of all prefixes of i tokens that lead to configuration c, position by
position (see `search`). The configurations kept at all positions form an ordinary automaton, on which the lattice runs
unchanged. The search keeps

* only configurations that can finish: `distance_lower` fits the tokens left in the block and after it;
* of these, a limited number with the largest α_i(c)·β̂_i(c), where β̂_i(c) bounds from above what may follow c;
* of the rest, what surely finishes (`distance_upper` fits) and weighs most, and the path of the last accepted block, so
  that some block can always be finished.

The certificate. Divide the weights of each position by their sum over all tokens, so that they add up to 1.

    1  Let β_i(c) be the weight of everything accepted after c. The strings that end as outputs do, accepted or not,
       weigh b_i, so β_i(c) ≤ b_i. (They end with the end token and padding or, if budget remains, without an end.)
    2  The relaxed automaton has a node for the state q on top of c, and β̂_i(q) sums over its arcs, from behind:
       β̂_N(q) is 1 if q can end within the budget, else 0, and β̂_i(q) = min(b_i, Σ over the arcs of q). An arc with the
       tokens v to a state q' adds s_i(v)·β̂_{i+1}(q'). A return adds the largest value of all
       states r that may lie below.
    3  β_i(c) ≤ β̂_i(q), by induction from N down: a token that stays in the component leads to a stack with q' on top; a
       token that leaves it is read on by the state below, which is one of the r, and a stack has one state below, so
       that the largest will do. A set of stacks is bounded by the sum over their top states. A circle of returns within
       one token, and a state that is not explored, have b_i.
    4  An accepted block that the lattice misses leaves the kept part at a first position i, in a configuration c.
    5  Its prefix of i tokens is part of the α_i(c) dropped there, because its path was kept up to that position.
    6  So all missed blocks together weigh at most D, the sum of α_i(c)·β̂_i(c) over everything dropped.
    7  If the lattice holds weight Z, the share missed is at most D / (D + Z), because m / (m + Z) grows with m.
    8  With ε = 0 and no limit on the width nothing is dropped: D = 0, and all results are exact.
    9  The same with max for Σ bounds the heaviest missed block.
    10 If the best block found is at least as heavy as that bound, no block is better: it is certified.

Configurations that cannot finish by `distance_lower` are no loss, because no accepted block passes through them. A
block is accepted if its last configuration can be finished within the remaining budget. If the two bounds do not decide
that, a search does; configurations that it does not reach count as dropped.

Axes: N block, V vocabulary, K classes, F configurations at one position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Alphabet, BlockAutomaton
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.kernels import Backend, backend_for
from structgen_engine.kernels.scores import ClassScores, check_scores, check_settled, check_width
from structgen_engine.lattice.class_scores import Indifferent, Rows, Scored
from structgen_engine.lattice.dropped import Totals
from structgen_engine.lattice.pruning import Pruning

if TYPE_CHECKING:
    from structgen_engine.lattice.kept import Kept
    from structgen_engine.lattice.known import Known

Longs = NDArray[np.int64]
Marks = NDArray[np.bool_]


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
        self._known: Known | None = None
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
            kept, totals = self._search(rows, pruning or self.pruning)
            configurations, automaton = self._automaton(kept.configurations, kept.ends)
            return PrunedBlock(automaton, configurations, rows.all(), *totals)

    def ahead(self, settled: Tensor) -> BlockAutomaton:
        """The part to keep if all tokens weigh the same; settled [N] int64."""
        check_settled(settled)
        with self.lazy.lock:
            kept, _ = self._search(Indifferent(self.lazy, settled), self.pruning)
            return self._automaton(kept.configurations, kept.ends)[1]

    def _search(self, rows: Rows, pruning: Pruning) -> tuple[Kept, Totals]:
        """What a search keeps, and bounds on what it drops."""
        from structgen_engine.lattice.known import Known
        from structgen_engine.lattice.search import Search

        if self._known is None:
            self._known = Known(self.lazy)
        limits = self.remaining, pruning, self._finishing
        return Search(self.lazy, self.entry, rows, *limits, self._known, self.witness).run()

    def _automaton(self, kept: Longs, ends: Longs) -> tuple[Longs, BlockAutomaton]:
        """The tables of what is kept, together with what earlier steps kept if that adds little."""
        wider = np.union1d(kept, self._kept)
        self._kept = wider if len(wider) <= 2 * len(kept) + 64 else kept
        assert self._known is not None
        arcs = self._known.all_arcs(
            self._kept
        )  # before the alphabet is read, because new arcs may split classes
        alphabet = self.lazy.alphabet
        may_end = (self.lazy.distance_upper[self._kept] <= self.remaining) | np.isin(self._kept, ends)
        if (
            self._tables is None
            or self._tables[0] is not alphabet
            or not np.array_equal(self._tables[1], self._kept)
            or not np.array_equal(self._tables[2].exit[1:] == 0.0, may_end)
        ):
            from structgen_engine.lattice.tables import tabulate

            made = tabulate(self.lazy, self._kept, arcs, self.entry, may_end)
            self._tables = alphabet, self._kept, made
        return self._tables[1], self._tables[2]
