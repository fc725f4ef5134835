"""Stacks, configurations, and the step from one to the next.

A *stack* is a list of states of a `Pushdown`, the running one on top, below it those to return to. Lists that end
alike share their ends: a stack is a number for the pair (top, number of the rest), and equal stacks have equal numbers.
BOTTOM (0) has no states. What it stands for is the reader's choice: the end of the text, or "whoever called us".

A *configuration* is a set of stacks, because a grammar may be ambiguous for a while; mostly the set has one member.
Sets are numbered too. NOWHERE (0) is the empty set.

Reading a symbol b in the configuration X:

    1  For each stack in X: the state on top may call; the callee's start is pushed, on the state to go on with.
       It may return, if it accepts; then it is taken off. Both until nothing new comes up.
    2  Where the state on top has an edge for b, it is replaced by where the edge leads.
    3  What can only return does so at once. Then equal situations are equal stacks.

Calls end since no component begins by calling itself, returns since stacks are finite.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown import Pushdown

BOTTOM = 0
NOWHERE = 0
UNKNOWN = -1


class Configurations:
    """The stacks and configurations of a pushdown met so far, and a table of the steps between them.

    step: [≥ configurations, B + T] int32, the configuration after a symbol, UNKNOWN where nobody has asked
    leaves: the same shape, bool, whether the symbol may be for what lies below BOTTOM
    """

    def __init__(self, pushdown: Pushdown) -> None:
        self.pushdown = pushdown
        self.top, self.below = [0], [BOTTOM]
        self._stacks: dict[tuple[int, int], int] = {}
        self.members: list[tuple[int, ...]] = [()]
        self._numbers: dict[frozenset[int], int] = {frozenset(): NOWHERE}
        symbols = pushdown.delta.shape[1]
        self.step = np.full((1024, symbols), UNKNOWN, np.int32)
        self.leaves = np.zeros((1024, symbols), np.bool_)
        self.step[NOWHERE] = NOWHERE
        self._accepts = [True]
        self._calls = [pushdown.calls(state) for state in range(pushdown.states)]
        self._final = pushdown.final.tolist()
        self._accepting = pushdown.accepting.tolist()

    def __len__(self) -> int:
        return len(self.members)

    def push(self, state: int, below: int) -> int:
        """The stack with `state` on `below`; a state that could only return is not pushed."""
        if self._final[state]:
            return below
        stack = self._stacks.get((state, below))
        if stack is None:
            stack = self._stacks[state, below] = len(self.top)
            self.top.append(state)
            self.below.append(below)
            self._accepts.append(self._accepting[state] and self._accepts[below])
        return stack

    def graft(self, stack: int, below: int) -> int:
        """`stack` with `below` in the place of its BOTTOM."""
        states = []
        while stack != BOTTOM:
            states.append(self.top[stack])
            stack = self.below[stack]
        for state in reversed(states):
            below = self.push(state, below)
        return below

    def configuration(self, stacks: Iterable[int]) -> int:
        """The number of a set of stacks."""
        members = frozenset(stacks)
        number = self._numbers.get(members)
        if number is None:
            number = self._numbers[members] = len(self.members)
            self.members.append(tuple(sorted(members)))
            if number == len(self.step):
                self.step = np.concatenate([self.step, np.full_like(self.step, UNKNOWN)])
                self.leaves = np.concatenate([self.leaves, np.zeros_like(self.leaves)])
        return number

    def read(self, configuration: int, symbol: int) -> int:
        """The configuration after a symbol; NOWHERE if none is left."""
        after = int(self.step[configuration, symbol])
        return self._read(configuration, symbol) if after == UNKNOWN else after

    def _read(self, configuration: int, symbol: int) -> int:
        delta, start = self.pushdown.delta, self.pushdown.start
        waiting, after = list(self.members[configuration]), set[int]()
        met = set(waiting)
        while waiting:
            stack = waiting.pop()
            if stack == BOTTOM:
                self.leaves[configuration, symbol] = True
                continue
            state, below = self.top[stack], self.below[stack]
            if target := int(delta[state, symbol]):
                after.add(self.push(target, below))
            onward = [
                self.push(int(start[callee]), self.push(back, below)) for callee, back in self._calls[state]
            ]
            if self._accepting[state]:
                onward.append(below)
            waiting += [stack for stack in onward if stack not in met]
            met.update(onward)
        number = self.configuration(after)
        self.step[configuration, symbol] = number
        return number

    def accepting(self, configuration: int) -> bool:
        """Whether the text may end here: every state of some stack, from the top on, may return."""
        return any(self._accepts[stack] for stack in self.members[configuration])

    def states(self, stack: int) -> list[int]:
        """The states of a stack, from the top."""
        states = []
        while stack != BOTTOM:
            states.append(self.top[stack])
            stack = self.below[stack]
        return states

    def begin(self) -> int:
        """The configuration before any text."""
        return self.configuration([self.push(int(self.pushdown.start[0]), BOTTOM)])


def symbols_of(pushdown: Pushdown, text: bytes) -> NDArray[np.uint8]:
    """The byte classes of a text."""
    return pushdown.byte_class[np.frombuffer(text, np.uint8)]
