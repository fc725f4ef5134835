"""Tokens of plain characters, which most states inside strings treat alike.

Plain are all characters that JSON strings hold as they are: no quote, no backslash, no control. Nine tokens in ten
consist of plain characters alone; what they do to a state that moves by one step on any plain character depends on
their number of characters only. That a state is such a one is checked on the automaton, never assumed; then a string
that may have forty more characters costs a walk over the few thousand other tokens, not over the whole vocabulary.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown import Pushdown
from structgen.automata.utf8 import byte_sequences
from structgen.lazy.classes import Classes
from structgen.lazy.configurations import NOWHERE, Configurations
from structgen.vocabulary import Vocabulary

PLAIN = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0xD7FF), (0xE000, 0x10FFFF))

Ints = NDArray[np.int32]


class Slices:
    """The plain tokens of a vocabulary by their number of characters, and how configurations move along them."""

    def __init__(self, pushdown: Pushdown, vocabulary: Vocabulary, configurations: Configurations) -> None:
        self.length = plain_lengths(vocabulary.buffer, vocabulary.offsets)
        order = np.argsort(self.length, kind="stable").astype(np.int32)
        ends = np.searchsorted(self.length[order], np.arange(self.length.max(initial=0) + 2))
        self._tokens = [order[low:high] for low, high in pairwise(ends)]
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
        """Where the plain tokens lead from a configuration; None where that is for a walk to find out.

        follow: [symbols] bool, what may follow a return: a plain character that may is such a case
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
            return None  # nothing to gain: a walk ends where it begins
        lengths = [(k + 1, to) for k, to in enumerate(reached) if to != NOWHERE and len(self._tokens[k + 1])]
        lengths.sort(key=lambda pair: (pair[1], pair[0]))
        groups = [(to, tuple(k for k, _ in part)) for to, part in groupby(lengths, key=lambda pair: pair[1])]
        return [(self._set(group, classes), to) for to, group in groups]

    def _step(self, configuration: int) -> int | None:
        """Where every plain character leads; None if not all to the same place."""
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


@nb.njit(cache=True)
def plain_lengths(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:  # pragma: no cover
    """[V] int32, the number of characters of every token that consists of whole plain ones; 0 for the others."""
    lengths = np.zeros(len(offsets) - 1, np.int32)
    for v in range(len(lengths)):
        at, end, count = offsets[v], offsets[v + 1], 0
        while at < end:
            byte = buffer[at]
            size = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            if (
                byte < 0x20
                or byte == 0x22
                or byte == 0x5C
                or 0x80 <= byte < 0xC2
                or byte > 0xF4
                or at + size > end
            ):
                count = 0
                break
            code = np.int64(byte) if size == 1 else np.int64(byte) & (0x7F >> size)
            whole = True
            for k in range(1, size):
                whole &= (buffer[at + k] & 0xC0) == 0x80
                code = (code << 6) | (np.int64(buffer[at + k]) & 0x3F)
            least = 0 if size == 1 else 0x80 if size == 2 else 0x800 if size == 3 else 0x10000
            if not whole or code < least or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                count = 0
                break
            count += 1
            at += size
        lengths[v] = count
    return lengths
