"""Configurations, and the step from one to the next.

A *stack* is a list of states of a `Pushdown`: the running state on top, the states to return to below it. A grammar
may be ambiguous for a while, so a *configuration* is a set of stacks. It is stored as a list of pairs

    (q, X)      all the stacks with q on top of a stack of the configuration X

with each q once, so that equal sets are equal lists and get equal numbers. Hundreds of stacks that differ in a few
places share all the rest, as in Tomita's graph-structured stack. NOWHERE (0) is the empty set. BOTTOM (1) holds only
the empty stack; its pair is (0, 0), because 0 is not a state. The caller chooses its meaning: the end of the text, or
an unknown caller.

Reading a symbol b in the configuration X:

    1  For each pair (q, Y) of X: q may call; then the callee's start is on top of the return state, on top of Y. If q
       accepts, it may return; then the pairs of Y are on top. Both are repeated until nothing new appears.
    2  If q has an edge for b, the target of the edge replaces q.
    3  A state that can only return does so at once and is never on a stack. Thus equal situations are equal stacks.

Calls terminate because no component begins by calling itself, returns because stacks are finite. A state may carry a
set of bits (`automata/orders`); then its number encodes both, and modulo the number of states it is the state.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from structgen.automata.pushdown.automaton import Pushdown

NOWHERE, BOTTOM = 0, 1
UNREAD = -1

PAIRS = 800  # approximate bytes of the pairs of one configuration and the memo entries about them

Pair = tuple[int, int]  # a state and the configuration below it


class Configurations:
    """The configurations of a pushdown met so far, and a table of the steps between them.

    pairs: the sorted pairs of each configuration; lower configurations have smaller numbers
    step: [≥ configurations, B + T] int32, the configuration after a symbol, UNREAD if not yet computed
    leaves: same shape, bool, whether the symbol may be read by what BOTTOM stands for
    """

    def __init__(self, pushdown: Pushdown) -> None:
        self.pushdown = pushdown
        self.pairs: list[tuple[Pair, ...]] = [(), ((0, 0),)]
        self._numbers = {pairs: number for number, pairs in enumerate(self.pairs)}
        self._accepts = [False, True]
        self._unions: dict[Pair, int] = {}
        self._grafts: dict[Pair, int] = {}
        self._parts: dict[int, list[int]] = {}  # the parts of each grafted configuration
        self._targets: dict[int, list[int]] = {}  # of states, by symbol
        self._readers: dict[int, tuple[list[tuple[list[int], int]], bool]] = {}  # of each configuration
        symbols = pushdown.delta.shape[1]
        self.step = np.full((1024, symbols), UNREAD, np.int32)
        self.leaves = np.zeros((1024, symbols), np.bool_)
        self.step[NOWHERE] = NOWHERE
        self._frames, self._states = pushdown.frames, pushdown.states
        self._final = pushdown.final.tolist()
        self._accepting = pushdown.accepting.tolist()

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def nbytes(self) -> int:
        """The approximate memory of the configurations."""
        return self.step.nbytes + self.leaves.nbytes + PAIRS * len(self.pairs)

    def begin(self) -> int:
        """The configuration before any text."""
        return self.push(int(self.pushdown.start[0]), BOTTOM)

    def push(self, state: int, below: int) -> int:
        """The configuration with the state on top of all stacks of `below`; `below` if the state can only return."""
        return below if self._final[state % self._states] else self._number(((state, below),))

    def configuration(self, pairs: Collection[Pair]) -> int:
        """The number of the configuration with these pairs; a state may occur in several of them."""
        if len(pairs) < 2:
            return self._number(tuple(pairs))
        belows: dict[int, int] = {}
        for state, below in pairs:
            belows[state] = self.union(belows[state], below) if state in belows else below
        return self._number(tuple(sorted(belows.items())))

    def _number(self, pairs: tuple[Pair, ...]) -> int:
        number = self._numbers.get(pairs)
        if number is None:
            number = self._numbers[pairs] = len(self.pairs)
            self.pairs.append(pairs)
            self._accepts.append(
                any(self._accepting[q % self._states] and self._accepts[X] if q else True for q, X in pairs)
            )
            if number == len(self.step):
                self.step = np.concatenate([self.step, np.full_like(self.step, UNREAD)])
                self.leaves = np.concatenate([self.leaves, np.zeros_like(self.leaves)])
        return number

    def union(self, one: int, other: int) -> int:
        """The configuration that holds the stacks of both."""
        waiting = [(one, other)]  # no recursion: a stack may be deeper than Python's recursion limit
        while waiting:
            if self._united(*waiting[-1]) is not None:
                waiting.pop()
                continue
            low, high = sorted(waiting[-1])
            above = dict(self.pairs[low])
            both = [(above[q], X) for q, X in self.pairs[high] if q in above]
            unknown = [pair for pair in both if self._united(*pair) is None]
            if not unknown:
                self._unions[low, high] = self.configuration([*self.pairs[low], *self.pairs[high]])
            waiting += unknown
        return self._united(one, other) or NOWHERE

    def _united(self, one: int, other: int) -> int | None:
        if one == other or NOWHERE in (one, other):
            return max(one, other)
        return self._unions.get((one, other) if one < other else (other, one))

    def graft(self, configuration: int, below: int) -> int:
        """The configuration with BOTTOM replaced by `below`."""
        if below == BOTTOM or configuration == NOWHERE:
            return configuration
        if configuration == BOTTOM:
            return below
        if len(self.pairs[configuration]) == 1 and self.pairs[configuration][0][1] == BOTTOM:
            return self._number(((self.pairs[configuration][0][0], below),))
        grafts = self._grafts
        if (configuration, below) not in grafts:
            if configuration not in self._parts:
                self._parts[configuration] = self.parts(configuration)
            for part in self._parts[configuration]:
                if part != BOTTOM and (part, below) not in grafts:
                    pairs = [
                        (q, below if X == BOTTOM else grafts[X, below]) for q, X in self.pairs[part] if q
                    ]
                    if len(pairs) < len(self.pairs[part]):
                        pairs += self.pairs[below]
                    grafts[part, below] = self.configuration(pairs)
        return grafts[configuration, below]

    def parts(self, configuration: int) -> list[int]:
        """The configuration and all configurations below its states, each after those below it."""
        found, waiting = {configuration}, [configuration]
        while waiting:
            onward = {below for state, below in self.pairs[waiting.pop()] if state} - found
            found |= onward
            waiting += onward
        return sorted(found)

    def read(self, configuration: int, symbol: int) -> int:
        """The configuration after a symbol; NOWHERE if none is left."""
        after = int(self.step[configuration, symbol])
        return self._read(configuration, symbol) if after == UNREAD else after

    def _read(self, configuration: int, symbol: int) -> int:
        if len(self.pairs[configuration]) == 1 and self._alone(*self.pairs[configuration][0]):
            self._read_alone(configuration, *self.pairs[configuration][0])
            return int(self.step[configuration, symbol])
        if configuration not in self._readers:
            self._readers[configuration] = self._called(configuration)
        readers, returns = self._readers[configuration]
        after = list[Pair]()
        for targets, below in readers:
            if target := targets[symbol]:
                after += self.pairs[below] if self._final[target] else [(target, below)]
        if returns:
            self.leaves[configuration, symbol] = True
        self.step[configuration, symbol] = number = self.configuration(after)
        return number

    def _called(self, configuration: int) -> tuple[list[tuple[list[int], int]], bool]:
        """What may read the next symbol, as targets by symbol and what lies below; whether BOTTOM may."""
        start, readers, returns = self.pushdown.start, list[tuple[list[int], int]](), False
        waiting = list(self.pairs[configuration])
        met = set(waiting)
        while waiting:
            state, below = waiting.pop()
            if not state:
                returns = True
                continue
            base = state % self._states
            if base not in self._targets:
                self._targets[base] = self.pushdown.delta[base].tolist()
            readers.append((self._targets[base], below))
            onward = [
                (int(start[callee]), self.push(back, below)) for callee, back in self._frames.calls(state)
            ]
            if self._accepting[base]:
                onward += self.pairs[below]
            waiting += [pair for pair in onward if pair not in met]
            met.update(onward)
        return readers, returns

    def _alone(self, state: int, below: int) -> bool:
        """Whether no other state reads the next symbol: this one calls nothing, and returns to BOTTOM if at all."""
        base = state % self._states
        returns = self._accepting[base] and below != BOTTOM
        return bool(state) and not returns and not self._frames.calls(state)

    def _read_alone(self, configuration: int, state: int, below: int) -> None:
        """Every symbol at once: most lead nowhere."""
        base, numbers = state % self._states, dict[int, int]()
        targets = self.pushdown.delta[base]
        symbols = np.flatnonzero(targets)
        for target in targets[symbols].tolist():
            if target not in numbers:
                pairs = self.pairs[below] if self._final[target] else [(target, below)]
                numbers[target] = self.configuration(pairs)
        after = np.zeros_like(targets)
        after[symbols] = [numbers[target] for target in targets[symbols].tolist()]
        self.step[configuration] = after
        self.leaves[configuration] = self._accepting[base]

    def accepting(self, configuration: int) -> bool:
        """Whether the text may end here: every state of some stack, from the top on, may return."""
        return self._accepts[configuration]
