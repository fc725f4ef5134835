"""The components of a pushdown automaton one by one, and how many copies of them a depth of recursion requires."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.interning import grown_to
from structgen.automata.finite.nfa import Ints
from structgen.automata.pushdown.automaton import Pushdown
from structgen.automata.pushdown.cycles import cycles
from structgen.limits.budget import check
from structgen.limits.interrupt import SLICE, used_up
from structgen_engine.jit import kernel

ENOUGH = 1 << 40  # states; larger sizes are not distinguished


@dataclass(frozen=True)
class CallSite:
    """A call in a component.

    tail: after the call the caller can only return; inside: the callee may call the caller again
    """

    source: int
    callee: int
    back: int
    tail: bool
    inside: bool

    @property
    def deepens(self) -> bool:
        """Whether the call is open while the same one may be made again."""
        return self.inside and not self.tail


@dataclass(frozen=True, eq=False)
class Component:
    """A component of the automaton, with its own states 0 … s − 1, the start first.

    states: [s] their numbers in the whole automaton; moves: [m, 4] int32 rows (source, column, column, target)
    accepting: [a] states where it may return; calls: its calls, whose `source` and `back` are own states
    """

    states: Ints
    moves: Ints
    accepting: Ints
    calls: tuple[CallSite, ...]


@dataclass(frozen=True, eq=False)
class CallGraph:
    """The call graph of an automaton: its components, each with its own states, and which of them call each other."""

    automaton: Pushdown

    @cached_property
    def group(self) -> list[int]:
        """The group of each component; components that can call each other share one, numbered after those it calls."""
        return cycles(self._callees)

    @cached_property
    def deepens(self) -> bool:
        """Whether recursive calls can be open at the same time without end."""
        return any(self._deepens(component) for component in range(self.automaton.components))

    def _deepens(self, component: int) -> bool:
        """Whether a call of this component deepens, in the sense of `CallSite.deepens`."""
        calls, group = self._calls_of(component), np.array(self.group)
        inside = group[self.automaton.callee[calls]] == group[component]
        return bool((inside & ~self.automaton.final[self.automaton.back[calls]]).any())

    @cached_property
    def least(self) -> int:
        """A lower bound on the states of all copies of components: one copy for each place that is returned to."""
        back, callee = self.automaton.back.astype(np.int64), self.automaton.callee
        placed = np.flatnonzero(~self.automaton.final[back])
        copies = (
            np.unique(back[placed] * self.automaton.components + callee[placed]) % self.automaton.components
        )
        sizes = np.diff(self._members[1])
        return int(sizes[0] + sizes[copies].sum())

    @cached_property
    def parts(self) -> list[Component]:
        """The components, in order."""
        return [self._part(component) for component in range(self.automaton.components)]

    @cached_property
    def _callees(self) -> list[list[int]]:
        called = self.automaton.callee
        return [np.unique(called[self._calls_of(c)]).tolist() for c in range(self.automaton.components)]

    def _calls_of(self, component: int) -> Ints:
        states = self._states(component)
        at = self.automaton.call_at
        return _ranges(at[states], at[states + 1])

    def _states(self, component: int) -> Ints:
        members, offsets = self._members
        return members[offsets[component] : offsets[component + 1]]

    @cached_property
    def _members(self) -> tuple[Ints, NDArray[np.int64]]:
        automaton = self.automaton
        found = _members(automaton.delta, automaton.call_at, automaton.back, automaton.start)
        check()
        return found

    def _part(self, component: int) -> Component:
        check()
        automaton, states = self.automaton, self._states(component)
        order = np.argsort(states)
        own = lambda numbers: order[np.searchsorted(states, numbers, sorter=order)].astype(np.int32)  # noqa: E731
        source, column = automaton.delta[states].nonzero()
        target = own(automaton.delta[states[source], column])
        calls = self._calls_of(component)
        caller = np.repeat(np.arange(len(states)), np.diff(automaton.call_at)[states])
        callee, back = automaton.callee[calls], automaton.back[calls]
        rows = zip(
            caller.tolist(), callee.tolist(), own(back).tolist(), automaton.final[back].tolist(), strict=True
        )
        return Component(
            states,
            np.stack([source, column, column, target], axis=1).astype(np.int32),
            np.flatnonzero(automaton.accepting[states]).astype(np.int32),
            tuple(
                CallSite(state, other, back, tail, self.group[other] == self.group[component])
                for state, other, back, tail in rows
            ),
        )


@dataclass(eq=False)
class Estimate:
    """An upper bound, by depth, on the number of states when components are copied for each stack.

    The sizes of one level are sums of those of the level before. So once two levels in a row add the same numbers,
    every further one does; otherwise sizes grow so fast that few levels fit.
    """

    graph: CallGraph
    _sizes: list[list[int]] = field(default_factory=list)  # by depth from 1 on, then component
    _growth: int | None = None  # states that each further level adds, once that is known

    def size(self, depth: int) -> int:
        """The number of states of all copies if no recursive rule is open more than `depth` times (1 or more)."""
        while len(self._sizes) < depth and self._growth is None:
            self._deepen()
        if depth <= len(self._sizes):
            return self._sizes[depth - 1][0]
        return min(self._sizes[-1][0] + (depth - len(self._sizes)) * (self._growth or 0), ENOUGH)

    def deepest(self, limit: int) -> int:
        """The greatest depth that takes at most `limit` states, 0 if there is none. Recursion must deepen."""
        while self._growth is None and (not self._sizes or self._sizes[-1][0] <= limit):
            self._deepen()
        depth = bisect_right(self._sizes, limit, key=itemgetter(0))
        if depth == len(self._sizes) and self._growth:
            depth += (limit - self._sizes[-1][0]) // self._growth
        return depth

    def _deepen(self) -> None:
        """Add the sizes of all components for one more level of depth."""
        sizes = [0] * len(self.graph.parts)
        shallower = self._sizes[-1] if self._sizes else sizes.copy()
        for component, own, whole, less in self._terms:
            copies = sum([sizes[callee] for callee in whole]) + sum([shallower[callee] for callee in less])
            sizes[component] = min(own + copies, ENOUGH)
        self._sizes.append(sizes)
        if len(self._sizes) > 2 and max(sizes) < ENOUGH and _even(*self._sizes[-3:]):
            self._growth = sizes[0] - shallower[0]

    @cached_property
    def _terms(self) -> list[tuple[int, int, list[int], list[int]]]:
        """What makes up the size of each component, callees first: the component, the states of its frame, and the
        callees of which the frame has a copy of the same depth, and of one level less."""
        order = sorted(range(len(self.graph.parts)), key=self.graph.group.__getitem__)
        return [(component, *self._copied(self._same_frame(component))) for component in order]

    def _copied(self, frame: Iterable[int]) -> tuple[int, list[int], list[int]]:
        """The states of a frame and the callees that it has copies of; a call that deepens has one level less."""
        own, whole, less = 0, list[int](), list[int]()
        for part in (self.graph.parts[member] for member in frame):
            own += len(part.states)
            whole += [call.callee for call in part.calls if call.tail and not call.inside]
            for callee, _, deepens in {
                (call.callee, call.back, call.deepens) for call in part.calls if not call.tail
            }:
                (less if deepens else whole).append(callee)
        return own, whole, less

    def _same_frame(self, component: int) -> Iterable[int]:
        """The components of the same group that share a frame with this one by tail calls."""
        found, waiting = {component}, [component]
        while waiting:
            for call in self.graph.parts[waiting.pop()].calls:
                if call.tail and call.inside and call.callee not in found:
                    found.add(call.callee)
                    waiting.append(call.callee)
        return found


def _even(first: list[int], second: list[int], third: list[int]) -> bool:
    """Whether each number grows by the same twice."""
    return all(b - a == c - b for a, b, c in zip(first, second, third, strict=True))


def _ranges(low: Ints, high: Ints) -> Ints:
    """low[0] … high[0] − 1, then low[1] … high[1] − 1, and so on."""
    counts = high - low
    return np.arange(counts.sum()) + np.repeat(low - np.cumsum(counts) + counts, counts)


@kernel
def _members(delta, call_at, back, start):  # pragma: no cover
    """The states of each component, its start first: members[offsets[c] : offsets[c + 1]].

    The result is invalid if time or memory is used up on the way.
    """
    members, offsets = np.empty(1024, np.int32), np.zeros(len(start) + 1, np.int64)
    seen = np.full(len(delta), -1, np.int64)
    filled, work, look = 0, 0, SLICE
    for component in range(len(start)):
        if work > look:
            look = work + SLICE
            if used_up():
                break
        at = filled
        if start[component] > 0:
            members = grown_to(members, filled + 1)
            members[filled], seen[start[component]] = start[component], component
            filled += 1
        while at < filled:
            state = members[at]
            at += 1
            near = delta.shape[1] + call_at[state + 1] - call_at[state]
            members, work = grown_to(members, filled + near), work + near
            for column in range(delta.shape[1]):
                filled = _meet(delta[state, column], component, members, filled, seen)
            for call in range(call_at[state], call_at[state + 1]):
                filled = _meet(back[call], component, members, filled, seen)
        offsets[component + 1] = filled
    return members[:filled], offsets


@kernel
def _meet(state, component, members, filled, seen):  # pragma: no cover
    """Append a state to the members if it is new to the component; returns the number of members."""
    if state > 0 and seen[state] != component:
        seen[state] = component
        members[filled] = state
        return filled + 1
    return filled
