"""The remaining parts of partly read tokens, as a prefix tree.

The whole vocabulary is the first set of tails, with nothing read yet. If a component returns in the middle of tokens,
the parts of them after the return are another set.

Axes: M nodes (0 is the root), T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown.automaton import Pushdown
from structgen.tokens.trie import Trie, build_trie
from structgen.tokens.vocabulary import Vocabulary

Ints = NDArray[np.int32]

FIRST_SPECIAL = 256  # symbols below are bytes


@dataclass(frozen=True, eq=False)
class Tails:
    """A prefix tree in preorder; it holds no byte classes, so that every pushdown can use it.

    symbol: [M] uint16, the byte on the edge into a node, or 256 + k for the special token k of the pushdown
    parent, end: [M] int32, the parent of a node and the end of its subtree
    token: [T] int32, sorted by node; token_at: [M + 1], the tokens that end at node m are token_at[m] … token_at[m + 1]
    skip: [T] int32, bytes of each token that have already been read
    """

    symbol: NDArray[np.uint16]
    parent: Ints
    end: Ints
    token: Ints
    token_at: Ints
    skip: Ints

    @property
    def nbytes(self) -> int:
        """The memory of the arrays, in bytes."""
        return sum(part.nbytes for part in vars(self).values())


def whole_tokens(pushdown: Pushdown, vocabulary: Vocabulary) -> Tails:
    """The tree of all tokens that spell bytes and of the pushdown's special tokens, which spell one symbol each."""
    return _with_special(vocabulary.trie, _special(pushdown, vocabulary))


def other_tokens(pushdown: Pushdown, vocabulary: Vocabulary) -> Tails:
    """The tree of `whole_tokens` without the tokens of plain characters."""
    return _with_special(vocabulary.plain.other, _special(pushdown, vocabulary))


def _special(pushdown: Pushdown, vocabulary: Vocabulary) -> tuple[tuple[int, int], ...]:
    """The symbol and the id of each special token of the pushdown that the vocabulary has."""
    names = enumerate(pushdown.tokens)
    return tuple(
        (FIRST_SPECIAL + k, vocabulary.special[name]) for k, name in names if name in vocabulary.special
    )


@lru_cache(maxsize=4)
def _with_special(trie: Trie, special: tuple[tuple[int, int], ...]) -> Tails:
    """The tree of bytes, followed by a node for each of the special tokens, given as symbols and ids."""
    nodes, count = len(trie.symbol), len(special)
    symbols, ids = zip(*special, strict=True) if special else ((), ())
    token, token_at = trie.tokens
    end = np.append(trie.end, np.arange(nodes + 1, nodes + count + 1)).astype(np.int32)
    end[0] = nodes + count
    return Tails(
        np.append(trie.symbol, np.array(symbols, np.uint16)).astype(np.uint16),
        np.append(trie.parent, np.zeros(count, np.int32)),
        end,
        np.append(token, np.array(ids, np.int32)),
        np.append(token_at, len(token) + np.arange(1, count + 1, dtype=np.int32)),
        np.zeros(len(token) + count, np.int32),
    )


def remaining_tails(vocabulary: Vocabulary, token: Ints, skip: Ints) -> Tails:
    """The tails of tokens [T] after their first `skip` [T] bytes; each has at least one byte left."""
    trie = _trie(vocabulary, token, skip)
    return _tails(trie.symbol.astype(np.uint16), trie.parent, trie.end, trie.node_of, token, skip)


def _trie(vocabulary: Vocabulary, token: Ints, skip: Ints) -> Trie:
    """The tree of the bytes of each token after the first `skip`."""
    low, high = vocabulary.offsets[token] + skip, vocabulary.offsets[token + 1]
    offsets = np.zeros(len(token) + 1, np.int64)
    offsets[1:] = (high - low).cumsum()
    at = np.arange(offsets[-1]) + np.repeat(low - offsets[:-1], high - low)
    return build_trie(vocabulary.buffer[at], offsets)


def _tails(symbol: NDArray[np.uint16], parent: Ints, end: Ints, node: Ints, token: Ints, skip: Ints) -> Tails:
    order = np.argsort(node, kind="stable")
    token_at = np.zeros(len(symbol) + 1, np.int32)
    token_at[1:] = np.bincount(node, minlength=len(symbol)).cumsum()
    return Tails(symbol, parent, end, token[order], token_at, skip[order])
