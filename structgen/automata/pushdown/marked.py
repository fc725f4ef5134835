"""Reading a text through an automaton with marks: symbols that no text contains and that say what its parts are.

A grammar with marks is the grammar of a text in which some places have names. Between any two bytes the automaton may
read a mark, so the marks of a text are found by running the automaton that describes it; no second parser can disagree
with it. (The method is that of tagged automata: Laurikari, "NFAs with tagged transitions", 2000.)

    ⟨n⟩[0-9]+⟨/n⟩,⟨n⟩[0-9]+⟨/n⟩     reads 7,42 with the marks n at 0, /n at 1, n at 2, /n at 4
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from structgen.automata.finite.nfa import FIRST_TOKEN
from structgen.automata.pushdown.automaton import DEAD, Configuration, Pushdown, advance, begin, ends

Found = tuple[int, str]  # a number of bytes before a mark, and its name
_Way = tuple["_Way | None", Found | None]  # what was read before, and the mark that was read last


def marked(automaton: Pushdown, text: bytes) -> list[Found] | None:
    """The marks of a text, whose tokens are the automaton's special tokens; None if the text is not accepted.

    Of several ways to read the text, the first is taken.
    """
    reader = _Reader(automaton)
    ways: dict[Configuration, _Way] = reader.closed(dict.fromkeys(begin(automaton), (None, None)), 0)
    for at, byte in enumerate(text):
        onward: dict[Configuration, _Way] = {}
        for configuration, way in ways.items():
            for target in reader.after(configuration, byte):
                onward.setdefault(target, way)
        if not onward:
            return None
        ways = reader.closed(onward, at + 1)
    last = next((way for one, way in ways.items() if ends(automaton, [one])), None)
    return None if last is None else _listed(last)


class _Reader:
    """A walk through an automaton that remembers its steps."""

    def __init__(self, automaton: Pushdown) -> None:
        self._automaton = automaton
        self._known: dict[tuple[Configuration, int], tuple[Configuration, ...]] = {}
        leaves = (automaton.delta[:, automaton.byte_classes :] != DEAD).any(axis=1)
        self._plain = (~leaves & (np.diff(automaton.call_at) == 0)).tolist()  # [S] neither marks nor calls

    def after(self, configuration: Configuration, symbol: int) -> tuple[Configuration, ...]:
        """The configurations after one more symbol."""
        key = configuration, symbol
        if key not in self._known:
            self._known[key] = tuple(advance(self._automaton, [configuration], symbol))
        return self._known[key]

    def closed(self, ways: dict[Configuration, _Way], at: int) -> dict[Configuration, _Way]:
        """The configurations and those that marks lead to."""
        waiting = list(ways)
        for configuration in waiting:  # the list grows
            for name, target in self._behind_marks(configuration):
                if target not in ways:
                    ways[target] = (ways[configuration], (at, name))
                    waiting.append(target)
        return ways

    def _behind_marks(self, configuration: Configuration) -> Iterator[tuple[str, Configuration]]:
        """The marks that may be read here, each with a configuration after it."""
        if self._plain[configuration[0] % self._automaton.states]:  # as most states are
            return
        for index, name in enumerate(self._automaton.tokens):
            for target in self.after(configuration, FIRST_TOKEN + index):
                yield name, target


def _listed(way: _Way | None) -> list[Found]:
    found = []
    while way is not None:
        way, mark = way
        if mark is not None:
            found.append(mark)
    return found[::-1]
