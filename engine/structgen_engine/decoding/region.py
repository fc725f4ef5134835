"""The strings that a few neighbouring positions of a block may hold while every other position keeps its token.

This is the lattice of one value: how probable the value is given the rest of the answer, which values come next, and
how much of the model's probability the constraint takes away from the positions.

    log Z        of the strings that keep the block accepted
    log Z_open   of all strings of that length, the product of the positions' sums over the whole vocabulary
    pressure     1 − Z / Z_open, the share of probability that the constraint takes away

The states on both sides are known, so a scan over the region's own positions suffices. The heaviest strings come out in
order by a best-first search whose estimate is the exact weight of the best completion (Huang and Chiang 2005 have the
same algorithm for hypergraphs). The automaton is deterministic, so two paths never spell the same string.

Axes: N block, L region, V vocabulary, K classes, S states, E edges.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, BlockAutomaton
from structgen_engine.decoding.blocks import Block
from structgen_engine.kernels import backend_for
from structgen_engine.kernels.scores import bounded, finite

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RegionLattice:
    """Positions first … first + L − 1 of a block.

    automaton: of the whole block; state: before the region; alive: [S] bool, the states behind the region from which
    the rest of the block is accepted
    logits: [L, V] of the region's positions, divided by the temperature
    dropped: a bound on the share of the accepted strings' probability that a lazy automaton has left out
    """

    first: int
    automaton: BlockAutomaton
    state: int
    alive: Marks
    logits: Tensor
    dropped: float = 0.0

    def __len__(self) -> int:
        return len(self.logits)

    @cached_property
    def log_partition(self) -> float:
        """log Z: nats of all accepted strings."""
        return float(self._suffixes(self._scores[0], np.logaddexp)[0, self.state])

    @cached_property
    def log_open(self) -> float:
        """log Z_open: nats of all strings of tokens, accepted or not."""
        return float(self.logits.double().logsumexp(-1).sum())

    @property
    def pressure(self) -> float:
        """The share of probability that the constraint takes away, 0 … 1."""
        return -math.expm1(min(0.0, self.log_partition - self.log_open))

    def log_prob(self, ways: Sequence[Mapping[int, int]]) -> float:
        """Log-probability of the accepted strings that a small automaton reads.

        ways: for each of its states, where each token leads; it starts in the first state and accepts in the last
        """
        tokens = sorted({token for way in ways for token in way})
        dfa, class_of = self.automaton.dfa, self.automaton.dfa.alphabet.class_of.numpy()
        labels = np.array([class_of[token] if token < len(class_of) else 0 for token in tokens], np.int64)
        weights, moves = {(self.state, 0): 0.0}, dict[int, dict[int, int]]()
        for row in self.logits[:, tokens].tolist():
            scores, reached = dict(zip(tokens, row, strict=True)), dict[tuple[int, int], float]()
            for (state, place), weight in weights.items():
                if state not in moves:
                    moves[state] = dict(zip(tokens, dfa.row(state).numpy()[labels].tolist(), strict=True))
                for token, onward in ways[place].items():
                    key, more = (moves[state][token], onward), weight + scores[token]
                    if key[0] and more > IMPOSSIBLE:
                        reached[key] = _together(reached[key], more) if key in reached else more
            weights = reached
        ends = [w for (state, place), w in weights.items() if self.alive[state] and place == len(ways) - 1]
        if not ends or self.log_partition == IMPOSSIBLE:
            return IMPOSSIBLE
        return float(np.logaddexp.reduce(ends)) - self.log_partition

    def heaviest(self, most: int) -> Iterator[tuple[list[int], float]]:
        """Up to `most` accepted strings, the most probable first, each with its log-probability."""
        best = self._suffixes(self._scores[1], np.maximum)
        queue: list[tuple[float, int, int, tuple[int, ...], float]]
        queue = [(-best[0, self.state], 0, self.state, (), 0.0)]
        while queue and most:
            estimate, place, state, ids, weight = heapq.heappop(queue)
            if estimate == math.inf:
                return
            if place == len(self):
                yield list(ids), weight - self.log_partition
                most -= 1
                continue
            for label, target in self._likeliest(place, state, best, most):
                for token, score in self._tokens(place, label, most):
                    known = weight + score
                    entry = -(known + best[place + 1, target]), place + 1, target, (*ids, token), known
                    heapq.heappush(queue, entry)

    def open_best(self) -> list[int]:
        """The likeliest token of each position, whether the constraint allows it or not."""
        return self.logits.argmax(-1).tolist()

    @cached_property
    def _scores(self) -> tuple[Floats, Floats]:
        """log_sum and peak [L, K] of the classes."""
        dfa, device = self.automaton.dfa, self.logits.device
        scored = backend_for(device).class_scores(
            self.logits[None], dfa.alphabet, settled=None, temperature=1.0
        )
        scores = finite(scored)
        return scores.log_sum[0].cpu().numpy(), scores.peak[0].cpu().numpy()

    def _suffixes(self, scores: Floats, plus: np.ufunc) -> Floats:
        """[L + 1, S] nats: for each state the ⊕ of the ways through the rest of the region, by class scores [L, K]."""
        edges, states = self.automaton.dfa.edges, self.automaton.dfa.states
        source, label, target = (one.numpy() for one in (edges.source, edges.label, edges.target))
        found = np.full((len(self) + 1, states), IMPOSSIBLE)
        found[-1, self.alive] = 0.0
        if not len(source):
            return found
        starts = np.flatnonzero(np.diff(source, prepend=-1))
        with np.errstate(invalid="ignore"):
            for place in reversed(range(len(self))):
                through = scores[place, label] + found[place + 1, target]
                found[place, source[starts]] = plus.reduceat(through, starts)
        return found

    def _likeliest(self, place: int, state: int, best: Floats, most: int) -> list[tuple[int, int]]:
        """Class and target of the `most` edges out of a state that lead to the heaviest strings."""
        edges = self.automaton.dfa.edges
        low, high = edges.offsets[state : state + 2].tolist()
        label, target = edges.label[low:high].numpy(), edges.target[low:high].numpy()
        worth = self._scores[1][place, label] + best[place + 1, target]
        order = (-worth).argsort(kind="stable")[:most]
        return [(int(label[k]), int(target[k])) for k in order if worth[k] > IMPOSSIBLE]

    def _tokens(self, place: int, label: int, most: int) -> list[tuple[int, float]]:
        """The `most` likeliest tokens of a class with their scores."""
        key = place, label
        if key not in self._sorted:
            order, offsets = self.automaton.dfa.alphabet.members
            members = order[offsets[label] : offsets[label + 1]].long().to(self.logits.device)
            top = self.logits[place, members].topk(min(most, len(members)))
            scores = top.values.double().tolist()
            self._sorted[key] = [
                (token, score)
                for token, score in zip(members[top.indices].tolist(), scores, strict=True)
                if score > IMPOSSIBLE
            ]
        return self._sorted[key]

    @cached_property
    def _sorted(self) -> dict[tuple[int, int], list[tuple[int, float]]]:
        return {}


def region(
    part: Block, ids: Tensor, first: int, last: int, logits: Tensor, *, temperature: float = 1.0
) -> RegionLattice:
    """Positions first … last − 1 of an accepted block.

    part: the possible blocks; ids: [N] the accepted one; logits: [N, ≥ V] of a look at it
    """
    dropped = 0.0
    if isinstance(part, BlockAutomaton):
        automaton = part
    else:
        settled = ids.clone()
        settled[first:last] = -1
        part.witness = ids.tolist()
        explored = part.explore(logits, settled=settled.to(logits.device), temperature=temperature)
        automaton = explored.automaton
    dfa = automaton.dfa
    state = dfa.run(ids[:first], int(automaton.entry.argmax()))
    alive = (automaton.exit > IMPOSSIBLE).numpy()
    class_of = dfa.alphabet.class_of
    for token in reversed(ids[last:].tolist()):
        alive = alive[dfa.column(int(class_of[token])).numpy()]
    scores = bounded(logits[first:last].float(), temperature) / temperature
    found = RegionLattice(first, automaton, state, alive, scores, dropped)
    if isinstance(part, BlockAutomaton):
        return found
    pinned = found.log_partition
    return RegionLattice(first, automaton, state, alive, scores, explored.share(pinned))


def _together(one: float, other: float) -> float:
    """The log of the sum of two weights."""
    return max(one, other) + math.log1p(math.exp(-abs(one - other)))
