"""Narrowed automata: the outputs of an automaton, without those that continue what is written in a forbidden way.

A `Filter` (`filters`) is a small token automaton that only refuses: it runs beside the constraint's automaton and stops
outputs that begin with a forbidden string. The product is an automaton like any other, and a table if the constraint
has one:

    automaton:  kept tokens ──→ q ──…                 product:  kept tokens ──→ (q, 1) ──…──→ (q', free) ──…
    filter:                     1 ──…──→ free                    without the moves that the filter refuses

In the state `free` nothing is refused any more, so from there on the product is the constraint's automaton itself.

Axes: V vocabulary, F states of a filter, K classes of an automaton, L of a filter.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from structgen.compiler.filters import Filter
from structgen_engine.automata.arrays import DEAD, NEVER, REFUSED
from structgen_engine.automata.dfa import Alphabet, Dfa, Edges
from structgen_engine.automata.finishing import nearer
from structgen_engine.automata.lazy import Closing, LazyDfa, OutArcs
from structgen_engine.automata.outlook import Outlook, Relaxed
from structgen_engine.decoding.automaton import BySearch

SEARCHED = 400  # configurations searched for a path that a filter does not refuse

Ints = NDArray[np.int32]


def narrowed_table(dfa: Dfa, state: int, kept: Sequence[int], filter_: Filter, begun: int) -> Dfa:
    """The outputs of an automaton from a state that begin with the tokens `kept` and that the filter lets pass.

    begun: the filter's state after the kept tokens. The first states of the result only count the kept tokens, which
    are expected to be settled.
    """
    pair_of, left, right = _pairs(dfa.alphabet.class_of.numpy(), filter_.class_of, kept)
    by_class = np.argsort(left, kind="stable").astype(np.int32)
    first = np.searchsorted(left[by_class], np.arange(dfa.alphabet.size + 1))
    F = len(filter_.delta)
    begin = dfa.run(list(kept), state) * F + begun
    met, frontier = np.array([begin], np.int64), np.array([begin], np.int64)
    edges: list[NDArray[np.int64]] = []
    while len(frontier):
        moved = _moves(dfa, filter_, frontier, by_class, first, right)
        edges.append(moved)
        frontier = np.setdiff1d(moved[2], met)
        met = np.union1d(met, frontier)
    source, label, target = np.concatenate(edges, 1)
    chain = len(kept)
    number = lambda pairs: np.searchsorted(met, pairs) + 1 + chain  # noqa: E731
    along = np.arange(chain)
    onward = np.where(along + 1 < chain, along + 2, number(np.array([begin])))
    source = np.concatenate([along + 1, number(source)])
    label = np.concatenate([pair_of[list(kept)], label])
    target = np.concatenate([onward, number(target)])
    states, order = 1 + chain + len(met), np.lexsort((label, source))
    accepting = np.zeros(states, np.bool_)
    accepting[1 + chain :] = dfa.accepting.numpy()[met // F]
    alphabet = Alphabet(torch.from_numpy(pair_of), len(left))
    made = Edges.of(source[order], label[order], target[order], states)
    start = 1 if chain else int(number(np.array([begin]))[0])
    return Dfa.from_edges(alphabet, made, torch.from_numpy(accepting), start)


def _moves(
    dfa: Dfa, filter_: Filter, frontier: NDArray[np.int64], by_class: Ints, first: NDArray[Any], right: Ints
) -> NDArray[np.int64]:
    """The edges [3, E] out of pairs of states: source, label, target."""
    F, edges = len(filter_.delta), dfa.edges
    state, inside = frontier // F, frontier % F
    low, high = edges.offsets.numpy()[state], edges.offsets.numpy()[state + 1]
    edge, owner = _ranges(low, high)
    label = edges.label.numpy()[edge]
    at, of_edge = _ranges(first[label], first[label + 1])
    pair, owner = by_class[at], owner[of_edge]
    after = filter_.delta[inside[owner], right[pair]]
    passed = after != DEAD
    target = edges.target.numpy()[edge[of_edge]].astype(np.int64) * F + after
    return np.stack([frontier[owner], pair.astype(np.int64), target])[:, passed]


def _pairs(left: Ints, right: Ints, kept: Sequence[int]) -> tuple[Ints, Ints, Ints]:
    """The common refinement of two partitions: the class of each token [V], and for each class the two it lies in.

    Class 0 holds the tokens that either partition refuses, except that a kept token among them gets a class of its own.
    """
    both = left.astype(np.int64) * (int(right.max()) + 1) + right
    both[(left == REFUSED) | (right == REFUSED)] = 0
    one = np.array(list(kept), np.int64)
    both[one[both[one] == 0]] = -1
    values, pair_of = np.unique(np.append(both, 0), return_inverse=True)
    shift = int(np.searchsorted(values, 0))  # 1 where there is a class −1, which becomes the last
    order = np.roll(np.arange(len(values)), -shift)
    number = np.empty(len(values), np.int32)
    number[order] = np.arange(len(values))
    values = np.maximum(values[order], 0)
    width = int(right.max()) + 1
    return number[pair_of[:-1]], (values // width).astype(np.int32), (values % width).astype(np.int32)


def _ranges(low: NDArray[Any], high: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """low[0] … high[0] − 1, then low[1] … high[1] − 1, and so on; and for each number the index of its range."""
    counts = (high - low).astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(owner)) + (low.astype(np.int64) - counts.cumsum() + counts)[owner], owner


class InnerOutlook:
    """The outlook of a narrowed automaton: that of the automaton inside, which accepts more."""

    def __init__(self, narrowed: Narrowed) -> None:
        self._narrowed, self._inner = narrowed, narrowed.inner.outlook

    @property
    def relaxed(self) -> Relaxed:
        return self._inner.relaxed

    def nodes(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        inside = self._narrowed.inner_of(np.arange(count))
        at, node = self._inner.nodes(int(inside.max(initial=0)) + 1)
        found, owner = _ranges(at[inside], at[inside + 1])
        return np.append(0, np.bincount(owner, minlength=count).cumsum()), node[found]


class Narrowed(BySearch):
    """A narrowed lazy automaton: a configuration is a pair of the automaton's configuration and the filter's state.

    The first configurations count the kept tokens. Token sets, classes and the lock belong to the automaton itself.
    """

    def __init__(
        self, automaton: LazyDfa, state: int, kept: Sequence[int], filter_: Filter, begun: int
    ) -> None:
        self.inner, self.filter, self.kept = automaton, filter_, list(kept)
        self._chain = [state]
        for token in self.kept:
            self._chain.append(automaton.run([token], self._chain[-1]))
        self._pairs: list[tuple[int, int]] = [
            (DEAD, DEAD)
        ]  # a negative filter state counts the tokens still to be kept
        self._numbers = {(DEAD, DEAD): DEAD}
        self._arcs: dict[int, OutArcs] = {}
        self._parts: dict[int, list[tuple[int, int]]] = {}
        self._needs: dict[tuple[int, int], int] = {}
        self._most: list[int] = []
        self._begun = (self._chain[-1], begun)
        self.start = (
            self._number(self._chain[0], -len(self.kept)) if self.kept else self._number(*self._begun)
        )

    @property
    def lock(self) -> AbstractContextManager[Any]:
        return self.inner.lock

    @property
    def alphabet(self) -> Alphabet:
        return self.inner.alphabet

    @property
    def sets(self) -> list[NDArray[Any]]:
        return self.inner.sets

    @property
    def outlook(self) -> Outlook:
        """That of the automaton itself, which accepts more."""
        return InnerOutlook(self)

    @property
    def closing(self) -> Closing | None:
        return self.inner.closing

    @property
    def padded(self) -> bool:
        return self.inner.padded

    @property
    def distance_upper(self) -> NDArray[np.int64]:
        """[configurations] an upper bound on the tokens needed to finish, NEVER if no path was found."""
        with self.lock:
            for pair in self._pairs[len(self._most) :]:
                self._most.append(self._need(*pair))
            return np.array(self._most, np.int64)

    @property
    def distance_lower(self) -> NDArray[np.int64]:
        """[configurations] a lower bound on the tokens needed to finish."""
        with self.lock:
            least = self.inner.distance_lower
            return np.array([least[c] + max(-f, 0) for c, f in self._pairs], np.int64)

    def token_set(self, tokens: NDArray[Any]) -> int | None:
        """The number of the set of those of the tokens that may occur; None if none of them may."""
        return self.inner.token_set(tokens)

    def token_of(self, label: int) -> int:
        """The first token of a class."""
        return self.inner.token_of(label)

    def union(self, labels: NDArray[Any]) -> int:
        """The number of the set of tokens of these classes."""
        return self.inner.union(labels)

    def is_accepting(self, configuration: int) -> bool:
        """Whether the output may end here."""
        c, f = self._pairs[configuration]
        return f > DEAD and self.inner.is_accepting(c)

    def run(self, tokens: Iterable[int], configuration: int | None = None) -> int:
        """The configuration after the tokens."""
        at = self._pairs[self.start if configuration is None else configuration]
        with self.lock:
            for token in tokens:
                at = self._after(*at, int(token))
            return self._number(*at)

    def arcs(self, configuration: int) -> OutArcs:
        """The edges out of a configuration."""
        with self.lock:
            if configuration not in self._arcs:
                sets, targets = self._moves(*self._pairs[configuration])
                numbers = [self._number(*pair) for pair in targets]
                self._arcs[configuration] = OutArcs(np.array(sets, np.int64), np.array(numbers, np.int64))
            return self._arcs[configuration]

    def inner_of(self, configurations: NDArray[np.int64]) -> NDArray[np.int64]:
        """[F] the automaton's own configurations of these."""
        return np.array([self._pairs[number][0] for number in configurations.tolist()], np.int64)

    def _number(self, c: int, f: int) -> int:
        if c == DEAD or f == DEAD:
            return DEAD
        if (c, f) not in self._numbers:
            self._numbers[c, f] = len(self._pairs)
            self._pairs.append((c, f))
        return self._numbers[c, f]

    def _after(self, c: int, f: int, token: int) -> tuple[int, int]:
        if f < 0:
            right = token == self.kept[f]
            return self._onward(f) if right else (DEAD, DEAD)
        if f == DEAD or not 0 <= token < len(self.filter.class_of):
            return DEAD, DEAD
        return self.inner.run([token], c), self.filter.step(f, token)

    def _onward(self, f: int) -> tuple[int, int]:
        """The pair after one more kept token."""
        return (self._chain[f], f + 1) if f < -1 else self._begun

    def _moves(self, c: int, f: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Disjoint token sets, by number, and the pair that each leads to."""
        if f < 0:
            number = self.token_set(np.array([self.kept[f]]))
            return [] if number is None else [number], [] if number is None else [self._onward(f)]
        arcs = self.inner.arcs(c)
        if f == self.filter.free:
            return arcs.sets.tolist(), [(int(target), f) for target in arcs.targets]
        sets: list[int] = []
        targets: list[tuple[int, int]] = []
        for number, target in zip(arcs.sets.tolist(), arcs.targets.tolist(), strict=True):
            for after, allowed in self._allowed(f):
                common = np.intersect1d(self.sets[number], self.sets[allowed])
                if len(common):
                    sets.append(self.union(common.astype(np.int32)))
                    targets.append((target, after))
        return sets, targets

    def _allowed(self, f: int) -> list[tuple[int, int]]:
        """The filter's states that one token leads to, each with the number of the set of tokens leading there."""
        if f not in self._parts:
            after = self.filter.delta[f, self.filter.class_of]
            states = [int(state) for state in np.unique(after) if state != DEAD]
            groups = [np.flatnonzero(after == state) for state in states]
            sets = [self.token_set(group) for group in groups]
            self._parts[f] = [
                (state, number) for state, number in zip(states, sets, strict=True) if number is not None
            ]
        return self._parts[f]

    def _need(self, c: int, f: int) -> int:
        """An upper bound on the tokens that a pair needs to finish.

        It follows the automaton's own shortest path if the filter lets that pass, and searches briefly for another
        path otherwise.
        """
        if c == DEAD:
            return NEVER
        if f < 0:
            return min(NEVER, -f + self._need(*self._begun))
        path: list[tuple[int, int]] = []
        while f != DEAD and self._known(c, f) == NEVER and (onward := nearer(self.inner, c)):
            path.append((c, f))
            c, f = onward[1], self.filter.step(f, onward[0])
        needed = NEVER if f == DEAD else self._known(c, f)
        for pair in reversed(path):
            needed = self._round(pair) if needed == NEVER else needed + 1
            self._needs[pair] = needed
        return needed

    def _round(self, pair: tuple[int, int]) -> int:
        """The length in tokens of a path that the filter lets pass, NEVER if a short search finds none."""
        queue, before = [(0, 0, pair)], {pair: pair}
        for _ in range(SEARCHED):
            if not queue:
                break
            _, taken, at = heapq.heappop(queue)
            known = self._known(*at)
            if known < NEVER:
                needed = taken + known
                while at != pair:
                    self._needs[at] = known
                    at, known = before[at], known + 1
                return needed
            for after in self._moves(*at)[1]:
                if after not in before and DEAD not in after:
                    before[after] = at
                    heapq.heappush(
                        queue, (taken + 1 + int(self.inner.distance_upper[after[0]]), taken + 1, after)
                    )
        return NEVER

    def _known(self, c: int, f: int) -> int:
        free = f == self.filter.free or self.inner.is_accepting(c)
        return int(self.inner.distance_upper[c]) if free else self._needs.get((c, f), NEVER)
