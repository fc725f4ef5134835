"""Arcs of tokens of plain characters, which most states inside strings treat alike.

Plain characters are those that JSON strings hold unescaped: all but quotes, backslashes and controls. Nine tokens in
ten consist of plain characters alone. If a state makes the same step on every plain character, the effect of such a
token depends only on its number of characters. This property is checked on the automaton, never assumed; with it, a
string that may have forty more characters costs a walk over a few thousand other tokens, not the whole vocabulary.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.lazy.classes import Classes
from structgen.compiler.lazy.configurations import NOWHERE, Configurations
from structgen.grammar.utf8 import byte_sequences
from structgen.tokens.plain import PLAIN
from structgen.tokens.vocabulary import Vocabulary

Ints = NDArray[np.int32]


class Slices:
    """The plain tokens of a vocabulary by their number of characters, and how configurations move along them."""

    def __init__(self, pushdown: Pushdown, vocabulary: Vocabulary, configurations: Configurations) -> None:
        self._tokens = vocabulary.plain.by_length
        self._configurations = configurations
        self._patterns = [
            [np.unique(pushdown.byte_class[low : high + 1]).tolist() for low, high in sequence]
            for span in PLAIN
            for sequence in byte_sequences(*span)
        ]
        self._first = np.unique([symbol for pattern in self._patterns for symbol in pattern[0]])
        self._onward: dict[int, int | None] = {}
        self._sets: dict[tuple[int, ...], int] = {}

    def arcs(self, start: int, follow: NDArray[np.bool_], classes: Classes) -> list[tuple[int, int]] | None:
        """The arcs of the plain tokens from a configuration; None if only a walk can find them.

        follow: [symbols] bool, what may follow a return: if a plain character may, a walk is needed
        """
        if follow[self._first].any():
            return None
        reached, at = [], start
        for _ in self._tokens[1:]:
            onward = self._step(at)
            if onward is None:
                return None
            reached.append(onward)
            at = onward
        if not reached or reached[0] == NOWHERE:
            return None  # a walk ends at once, so there is nothing to gain
        lengths = [(k + 1, to) for k, to in enumerate(reached) if to != NOWHERE and len(self._tokens[k + 1])]
        lengths.sort(key=lambda pair: (pair[1], pair[0]))
        groups = [(to, tuple(k for k, _ in part)) for to, part in groupby(lengths, key=lambda pair: pair[1])]
        return [(self._set(group, classes), to) for to, group in groups]

    def _step(self, configuration: int) -> int | None:
        """The configuration that every plain character leads to; None if they differ."""
        if configuration not in self._onward:
            self._onward[configuration] = self._find(configuration)
        return self._onward[configuration]

    def _find(self, configuration: int) -> int | None:
        read, target = self._configurations.read, None
        for pattern in self._patterns:
            level = {configuration}
            for symbols in pattern:
                level = {read(at, symbol) for at in level for symbol in symbols}
            target = min(level) if target is None else target
            if level != {target}:
                return None
        return target

    def _set(self, lengths: tuple[int, ...], classes: Classes) -> int:
        if lengths not in self._sets:
            tokens = np.concatenate([self._tokens[k] for k in lengths])
            self._sets[lengths] = classes.sets(tokens, np.array([0, len(tokens)]))[0]
        return self._sets[lengths]
