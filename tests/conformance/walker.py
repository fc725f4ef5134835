"""Random texts of a compiled schema: walks through its component automata, brought to an end the shortest way."""

from __future__ import annotations

import random
from functools import cached_property

import numpy as np

from structgen.automata.pushdown.automaton import STOP, Pushdown, pushdown
from structgen.grammar import Grammar

STEPS = (10, 300)  # at random between these many before a text heads for its end
GOING_ON = 0.7  # that a component which may return does not


class Walker:
    """Draws texts of one grammar from its automata."""

    def __init__(self, grammar: Grammar, rng: random.Random):
        self.automaton: Pushdown = pushdown(grammar)
        self.rng = rng
        self._ways: dict[int, list[tuple[int, list[int]]]] = {}

    @cached_property
    def _bytes(self) -> list[list[int]]:
        """The bytes of each class."""
        classes = self.automaton.byte_class
        return [np.flatnonzero(classes == c).tolist() for c in range(self.automaton.byte_classes)]

    def text(self) -> str:
        """One text."""
        automaton, rng = self.automaton, self.rng
        state, stack, found = int(automaton.start[0]), [], bytearray()
        left = rng.randint(*STEPS)
        while True:
            left -= 1
            move = self._any(state) if left > 0 else int(automaton.shortest[state])
            if move == STOP:
                if not stack:
                    return found.decode()
                state = stack.pop()
            elif move < STOP:
                call = -2 - move
                stack.append(int(automaton.back[call]))
                state = int(automaton.start[automaton.callee[call]])
            else:
                found.append(rng.choice(self._bytes[move]))
                state = int(automaton.delta[state, move])

    def _any(self, state: int) -> int:
        """A move as `shortest` writes them: each state that an edge leads to is as likely as each call."""
        automaton, rng = self.automaton, self.rng
        if state not in self._ways:
            by_target: dict[int, list[int]] = {}
            for symbol in np.flatnonzero(automaton.delta[state]).tolist():
                by_target.setdefault(int(automaton.delta[state, symbol]), []).append(symbol)
            calls = range(int(automaton.call_at[state]), int(automaton.call_at[state + 1]))
            self._ways[state] = [*by_target.items(), *((0, [-2 - call]) for call in calls)]
        ways = self._ways[state]
        if automaton.accepting[state] and (not ways or rng.random() > GOING_ON):
            return STOP
        return rng.choice(rng.choice(ways)[1])
