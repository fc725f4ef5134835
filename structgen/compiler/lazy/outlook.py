"""The relaxed automaton of a pushdown, whose nodes are the component states with the stack forgotten.

An effect says what tokens do from a state on an unknown rest. A token that leaves the component goes on in one of the
states that may lie below it; so does the rest of a token that leaves in its middle. The relaxed automaton is made of
these parts:

    state q          arcs of the effect from q, and for each set of tails that leaves q, the choice below
    choice (T, c)    the maximum over all states r to which c may return, of what r does with the tails T
    tail (T, r)      the arcs of the effect of the tails T from r

A state that reads parts in any order has a set that the node does not have, so it stays free. So do the states that are
beyond the limits.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.interning import grown_to
from structgen.automata.pushdown.automaton import Pushdown
from structgen.cache import Arrays, cached_arrays
from structgen.compiler.lazy.configurations import Configurations
from structgen.compiler.lazy.effects import Effects
from structgen.compiler.lazy.stored import arrays_of, complete, key_of, taken_over
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import NEVER
from structgen_engine.automata.outlook import END, FREE, Relaxed
from structgen_engine.jit import kernel

EXPLORED = 4096  # effects computed for one relaxed automaton; about 0.4 ms each
RETURNS = 1024  # states to which one component returns; beyond, anything may follow
TOKENS = 1 << 26  # tokens in the sets of their arcs, of which 20 take about 1 µs
ARCS = 65_536  # a pass over that many takes about 50 ms
LIMITS = EXPLORED, RETURNS, TOKENS, ARCS

# The states below that a component may return to, and whether it ends the text.
Returns = tuple[tuple[int, ...], bool]


class Outlooks:
    """The nodes met so far. They grow with the configurations and effects of one lazy automaton."""

    def __init__(
        self,
        pushdown: Pushdown,
        vocabulary: Vocabulary,
        configurations: Configurations,
        effects: Effects,
    ) -> None:
        self._pushdown, self._vocabulary = pushdown, vocabulary
        self._configurations, self._effects = configurations, effects
        longest = int(np.diff(vocabulary.offsets).max(initial=1))
        self._least = (-(-pushdown.bytes_left // longest)).tolist()
        self._most, self._free, self._needs = [False, False], [True, False], [0, 0]
        self._arcs: list[list[tuple[int, int]]] = [[], []]
        self._refs: list[list[int]] = [[], []]
        self._states: dict[int, int] = {}  # the node of each state that has one
        self._node_of: dict[tuple[object, ...], int] = {}
        self._waiting: deque[tuple[int, int, int]] = deque()  # a free node, its tails and its state
        self._at, self._of_configuration = np.zeros(1024, np.int64), np.zeros(1024, np.int64)
        self._at[1:3], self._of_configuration[:2] = (1, 2), (FREE, END)
        self._met = 2  # configurations whose nodes are known

    @cached_property
    def _returns(self) -> list[Returns]:
        """[S] see `returns`; only searches ask for them, and compiling does not search."""
        return returns(self._pushdown)

    @property
    def relaxed(self) -> Relaxed:
        """The nodes as arrays: those nearest to the start, within the limits, so that it never depends on the past."""
        return self._explored[0]

    @cached_property
    def _explored(self) -> tuple[Relaxed, dict[int, int]]:
        """Explored here, or in an earlier process, and the node of each state that has one."""
        found: list[Relaxed] = []

        def explored() -> Arrays:
            found.append(self._explore())
            return arrays_of(found[0], self._states, self._effects.classes)

        arrays = cached_arrays(
            "outlook", key_of(self._pushdown, self._vocabulary, LIMITS), explored, complete
        )
        if found:
            return found[0], self._states
        return taken_over(arrays, self._effects.classes)

    def _explore(self) -> Relaxed:
        self._state(int(self._pushdown.start[0]))
        explored = walked = tokens = 0
        while self._waiting and explored < EXPLORED and walked < ARCS and tokens < TOKENS:
            node, tails, state = self._waiting.popleft()
            effect, below = self._effects.effect(tails, state), self._returns[state]
            self._arcs[node] = [(tokens, self._landing(target, below)) for tokens, target in effect.arcs]
            self._refs[node] = [self._choice(left, below) for left in effect.exits]
            self._free[node] = False
            explored, walked = explored + 1, walked + len(self._arcs[node]) + len(self._refs[node])
            tokens += sum(self._effects.classes.size_of(number) for number, _ in effect.arcs)
        return self._arrays()

    def nodes(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of the first `count` configurations, where their nodes begin and these nodes: those of the states on top."""
        _, node_of = self._explored
        states, found, sizes = self._pushdown.states, list[int](), list[int]()
        for pairs in self._configurations.pairs[self._met : count]:
            tops = [pairs[0][0] % states]
            if len(pairs) > 1:
                tops = sorted({state % states for state, _ in pairs})
            found += [node_of.get(state, FREE) if state else END for state in tops]
            sizes.append(len(tops))
        filled = int(self._at[self._met])
        self._of_configuration = _with(self._of_configuration, filled, found)
        self._at = _with(self._at, self._met + 1, filled + np.cumsum(sizes, dtype=np.int64))
        self._met += len(sizes)
        return self._at, self._of_configuration

    def _node(
        self, key: tuple[object, ...], *, most: bool = False, free: bool = False, needs: int = NEVER
    ) -> int:
        node = self._node_of[key] = len(self._most)
        self._most.append(most)
        self._free.append(free)
        self._needs.append(needs)
        self._arcs.append([])
        self._refs.append([])
        return node

    def _state(self, state: int) -> int:
        """The node of a state; its set, if it has one, is forgotten."""
        base = state % self._pushdown.states
        return self._tail(0, base, min(NEVER, self._least[base]))

    def _tail(self, tails: int, state: int, needs: int = NEVER) -> int:
        """The node of a set of tails in a state; the tails 0 are all tokens."""
        key = tails, state
        if key in self._node_of:
            return self._node_of[key]
        if self._pushdown.frames.hub(state):
            return FREE
        node = self._node(key, free=True, needs=needs)
        if not tails:
            self._states[state] = node
        self._waiting.append((node, tails, state))
        return node

    def _choice(self, tails: int, below: Returns) -> int:
        """The node of the best state below for a set of tails; the end of the text reads no tails."""
        key = "most", tails, below
        if key not in self._node_of:
            states, ends = below
            node = self._node(key, most=True)
            if len(states) > RETURNS:
                self._refs[node] = [FREE]
                return node
            self._refs[node] = [self._tail(tails, state) if tails else self._state(state) for state in states]
            self._refs[node] += [END] if ends and not tails else []
        return self._node_of[key]

    def _landing(self, configuration: int, below: Returns) -> int:
        """The node of a configuration on an unknown rest, which is one of the states `below`."""
        parts = {
            self._state(state) if state else self._choice(0, below)
            for state, _ in self._configurations.pairs[configuration]
        }
        if len(parts) == 1:
            return parts.pop()
        key = "sum", tuple(sorted(parts))
        if key not in self._node_of:
            self._refs[self._node(key)] = sorted(parts)
        return self._node_of[key]

    def _arrays(self) -> Relaxed:
        order, refs = _ordered(self._refs)
        arcs = [pair for pairs in self._arcs for pair in pairs]
        sets, targets = np.array(arcs, np.int64).reshape(-1, 2).T.copy()
        return Relaxed(
            most=np.array(self._most),
            free=np.array(self._free),
            least=np.array(self._needs, np.int64),
            arc_at=_offsets(self._arcs),
            arc_set=sets,
            arc_target=targets,
            ref_at=_offsets(refs),
            ref=np.array([node for nodes in refs for node in nodes], np.int64),
            order=np.array(order, np.int64),
        )


def _with(array: NDArray[np.int64], at: int, more: Any) -> NDArray[np.int64]:
    """The array with more numbers from a place on; it grows to twice its size where that is needed."""
    end = at + len(more)
    if end > len(array):
        array = np.append(array, np.zeros(max(end, 2 * len(array)) - len(array), np.int64))
    array[at:end] = more
    return array


def _offsets(lists: list[list[int]] | list[list[tuple[int, int]]]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, lists)], dtype=np.int64)


def _ordered(refs: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Every node after those it refers to; a reference that would close a circle becomes one to FREE."""
    new, open_, done = range(3)
    state, order, cut = [new] * len(refs), list[int](), [list(nodes) for nodes in refs]
    for root in range(len(refs)):
        waiting = [root]
        while waiting:
            node = waiting[-1]
            if state[node] == new:
                state[node] = open_
                cut[node] = [FREE if state[other] == open_ else other for other in cut[node]]
                waiting += [other for other in cut[node] if state[other] == new]
            else:
                if state[node] == open_:
                    state[node] = done
                    order.append(node)
                waiting.pop()
    return order, cut


def returns(pushdown: Pushdown) -> list[Returns]:
    """[S] where the components that a state belongs to may return to.

    A return to a final state returns at once, so it counts as a return of the caller.
    """
    owners = _owners(pushdown)
    count = pushdown.components
    direct: list[set[int]] = [set() for _ in range(count)]
    through: list[set[int]] = [set() for _ in range(count)]
    calls = zip(_callers(pushdown).tolist(), pushdown.callee.tolist(), pushdown.back.tolist(), strict=True)
    for state, callee, back in calls:
        if pushdown.final[back]:
            through[callee] |= owners[state]
        else:
            direct[callee].add(back)
    ends = [component == 0 for component in range(count)]
    changed = True
    while changed:
        before = [(len(states), end) for states, end in zip(direct, ends, strict=True)]
        for component, callers in enumerate(through):
            direct[component].update(*(direct[caller] for caller in callers))
            ends[component] |= any(ends[caller] for caller in callers)
        changed = before != [(len(states), end) for states, end in zip(direct, ends, strict=True)]
    known: dict[frozenset[int], Returns] = {}
    for owned in set(owners):
        below = set[int]().union(*(direct[component] for component in owned))
        known[owned] = tuple(sorted(below)), any(ends[component] for component in owned)
    return [known[owned] for owned in owners]


def _callers(pushdown: Pushdown) -> NDArray[np.int64]:
    """[calls] the state of each call."""
    return np.repeat(np.arange(pushdown.states), np.diff(pushdown.call_at))


def _owners(pushdown: Pushdown) -> list[frozenset[int]]:
    """[S] the components that each state belongs to: several where they end alike."""
    source, symbol = pushdown.delta.nonzero()
    sources = np.concatenate([source, _callers(pushdown)])
    targets = np.concatenate([pushdown.delta[source, symbol], pushdown.back]).astype(np.int64)
    order = np.argsort(sources, kind="stable")
    at = np.append(0, np.bincount(sources, minlength=pushdown.states).cumsum())
    component, state = _reached(at, targets[order], pushdown.start)
    owners: list[frozenset[int]] = [frozenset()] * pushdown.states
    alone = [frozenset([one]) for one in range(pushdown.components)]
    shared: dict[frozenset[int], frozenset[int]] = {}
    for owner, owned in zip(component.tolist(), state.tolist(), strict=True):
        both = owners[owned] | alone[owner] if owners[owned] else alone[owner]
        owners[owned] = shared.setdefault(both, both)
    return owners


@kernel
def _reached(at, targets, start):  # pragma: no cover
    """The pairs of a component and a state that it reaches from its start without leaving it."""
    states = len(at) - 1
    seen, waiting = np.full(states, -1, np.int64), np.empty(states, np.int64)
    component, state, filled = np.empty(states, np.int64), np.empty(states, np.int64), 0
    for one in range(len(start)):
        waiting[0], left = start[one], 1
        seen[start[one]] = one
        while left:
            left -= 1
            here = waiting[left]
            component, state = grown_to(component, filled + 1), grown_to(state, filled + 1)
            component[filled], state[filled] = one, here
            filled += 1
            for k in range(at[here], at[here + 1]):
                onward = targets[k]
                if onward and seen[onward] != one:
                    seen[onward] = one
                    waiting[left] = onward
                    left += 1
    return component[:filled].copy(), state[:filled].copy()
