"""Left recursion, direct or through others, turned into loops.

A rule such as  sum = sum "+" term | term  would call itself forever before it reads anything. Read from the left,
though, a sum is one `term`, then "+ term" any number of times. In general, a text of a rule on the cycle begins with
a part that begins with no rule of the cycle; and once a rule of the cycle is complete, it may be the first part of any
rule that begins with it (the left-corner transform of Rosenkrantz and Lewis, 1970). The only memory this needs is which
rule is being read, so the result is one more finite automaton: copies of the rules' own automata, with an empty move
from each accepting state of one to the state where another goes on after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.edges import reach
from structgen.automata.pushdown.cycles import cycles, recursive
from structgen.automata.pushdown.linked import Linked, redetermine


def without_left_recursion(linked: Linked) -> Linked:
    """The same languages; no component's start reaches itself by calls alone."""
    first = _first_calls(linked)
    group = cycles(first)
    loops = recursive(first, group)
    if not any(loops):
        return linked
    corners = _Corners(linked)
    for goal, loop in enumerate(loops):
        if loop:
            corners.add(goal, [other for other, number in enumerate(group) if number == group[goal]])
    return corners.joined()


def _first_calls(linked: Linked) -> list[list[int]]:
    """The components that each component may call before it reads anything."""
    callee = linked.callee()
    calls = np.flatnonzero(callee >= 0)
    calls = calls[np.argsort(linked.source[calls], kind="stable")]
    low = np.searchsorted(linked.source[calls], linked.start, side="left")
    high = np.searchsorted(linked.source[calls], linked.start, side="right")
    return [callee[calls[a:b]].tolist() for a, b in zip(low, high, strict=True)]


class _Corners:
    """An automaton that gains, for each component of a cycle, one that reads it from the left."""

    def __init__(self, linked: Linked):
        self._linked = linked
        self._states = linked.states
        self._edges: list[NDArray[Any]] = [np.stack([linked.source, linked.label, linked.target], axis=1)]
        self._empty: list[NDArray[Any]] = []
        self._accepting = [linked.accepting]
        self._start = linked.start.copy()

    def add(self, goal: int, members: Sequence[int]) -> None:
        """Add an automaton that reads `goal` without left recursion; `members` are the components of its cycle."""
        linked = self._linked
        corner = self._new(1)
        copies = {member: self._copy(member, accepting=member == goal) for member in members}
        callee = linked.callee()
        on_cycle = np.isin(callee, members)
        for member, (copy, _) in copies.items():
            begins = linked.source == linked.start[member]
            fresh = np.flatnonzero(begins & ~on_cycle)
            corners = np.full(len(fresh), corner)
            self._edges.append(np.stack([corners, linked.label[fresh], copy[linked.target[fresh]]], axis=1))
            for edge in np.flatnonzero(begins & on_cycle):
                ends = copies[int(callee[edge])][1]
                goes_on = np.full(len(ends), copy[linked.target[edge]])
                self._empty.append(np.stack([ends, goes_on], axis=1))
        self._start[goal] = corner

    def joined(self) -> Linked:
        """The whole automaton, deterministic."""
        source, label, target = np.concatenate(self._edges).astype(np.int32).T
        accepting = np.concatenate(self._accepting)
        loose = replace(
            self._linked, source=source, label=label, target=target, accepting=accepting, start=self._start
        )
        return redetermine(loose, np.concatenate(self._empty).astype(np.int32))

    def _new(self, count: int) -> int:
        first = self._states
        self._states += count
        self._accepting.append(np.zeros(count, bool))
        return first

    def _copy(self, component: int, *, accepting: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """A copy of a component: the new number of each of its states, and where it may return."""
        linked = self._linked
        inside = reach(linked.source, linked.target, np.arange(linked.states) == linked.start[component])
        states = np.flatnonzero(inside)
        copy = np.zeros(linked.states, np.int64)
        copy[states] = self._new(len(states)) + np.arange(len(states))
        if accepting:
            self._accepting[-1] = linked.accepting[states]
        edges = inside[linked.source]
        source, target = copy[linked.source[edges]], copy[linked.target[edges]]
        self._edges.append(np.stack([source, linked.label[edges], target], axis=1))
        return copy, copy[states[linked.accepting[states]]]
