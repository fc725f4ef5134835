"""Tokens of plain characters, which most states inside JSON strings treat alike.

Plain characters are those that JSON strings hold unescaped: all but quotes, backslashes and controls. Nine tokens in
ten consist of plain characters alone. If a state makes the same step on every plain character, the effect of such a
token depends only on its number of characters. So each vocabulary separates these tokens from the others once.

Axes: V token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.tokens.trie import Trie
from structgen_engine.jit import kernel

PLAIN = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0xD7FF), (0xE000, 0x10FFFF))  # code points

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Plain:
    """A division of a vocabulary's tokens into plain ones and others.

    length: [V] int32, the number of characters of every plain token; 0 for the others
    trie: the prefix tree of all tokens
    """

    length: Ints
    trie: Trie

    @cached_property
    def by_length(self) -> Sequence[Ints]:
        """The ids of the plain tokens of k characters, indexed by k; index 0 has all other ids."""
        order = np.argsort(self.length, kind="stable").astype(np.int32)
        ends = np.searchsorted(self.length[order], np.arange(self.length.max(initial=0) + 2))
        return [order[low:high] for low, high in pairwise(ends)]

    @cached_property
    def plain(self) -> Trie:
        """The prefix tree of the plain tokens."""
        return self.trie.of(self.length > 0)

    @cached_property
    def plain_lengths(self) -> Ints:
        """[T] the number of characters of each token in the tree `plain`."""
        return self.length[self.plain.spelled[0]]

    @cached_property
    def other(self) -> Trie:
        """The prefix tree of the tokens that are not plain."""
        return self.trie.of(self.length == 0)


def plain_tokens(buffer: NDArray[np.uint8], offsets: NDArray[np.int64], trie: Trie) -> Plain:
    """Divide the vocabulary whose token v spells buffer[offsets[v] : offsets[v + 1]]."""
    return Plain(plain_lengths(buffer, offsets), trie)


@kernel
def plain_lengths(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:  # pragma: no cover
    """[V] int32, the number of characters of every token of complete plain characters; 0 for the others."""
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
