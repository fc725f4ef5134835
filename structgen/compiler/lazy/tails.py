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


@dataclass(frozen=True, eq=False)
class Tails:
    """A prefix tree in preorder, over the symbols of a pushdown.

    symbol, parent, end: [M] int32, the symbol on the edge into a node, its parent, and the end of its subtree
    token: [T] int32, sorted by node; token_at: [M + 1], the tokens that end at node m are token_at[m] … token_at[m + 1]
    skip: [T] int32, bytes of each token that have already been read
    """

    symbol: Ints
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
    return _with_special(pushdown, vocabulary, vocabulary.trie)


def other_tokens(pushdown: Pushdown, vocabulary: Vocabulary) -> Tails:
    """The tree of `whole_tokens` without the tokens of plain characters."""
    return _with_special(pushdown, vocabulary, vocabulary.plain.other)


def _with_special(pushdown: Pushdown, vocabulary: Vocabulary, trie: Trie) -> Tails:
    names = [(k, name) for k, name in enumerate(pushdown.tokens) if name in vocabulary.special]
    symbols = np.array([pushdown.byte_classes + k for k, _ in names], np.int32)
    symbol = np.empty(len(trie.symbol) + len(names), np.int32)
    symbol[: len(trie.symbol)] = np.frombuffer(
        trie.spelling.translate(pushdown.byte_class.tobytes()), np.uint8
    )
    symbol[len(trie.symbol) :] = symbols
    return Tails(symbol, *_shape(trie, tuple(vocabulary.special[name] for _, name in names)))


@lru_cache(maxsize=4)
def _shape(trie: Trie, special: tuple[int, ...]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The arrays of a Tails except its symbols; special tokens follow the byte tree, each with a node of its own."""
    nodes, count = len(trie.symbol), len(special)
    token, token_at = trie.tokens
    end = np.append(trie.end, np.arange(nodes + 1, nodes + count + 1)).astype(np.int32)
    end[0] = nodes + count
    return (
        np.append(trie.parent, np.zeros(count, np.int32)),
        end,
        np.append(token, np.array(special, np.int32)),
        np.append(token_at, len(token) + np.arange(1, count + 1, dtype=np.int32)),
        np.zeros(len(token) + count, np.int32),
    )


def remaining_tails(pushdown: Pushdown, vocabulary: Vocabulary, token: Ints, skip: Ints) -> Tails:
    """The tails of tokens [T] after their first `skip` [T] bytes; each has at least one byte left."""
    trie = _trie(vocabulary, token, skip)
    symbol = pushdown.byte_class[trie.symbol].astype(np.int32)
    return _tails(symbol, trie.parent, trie.end, trie.node_of, token, skip)


def _trie(vocabulary: Vocabulary, token: Ints, skip: Ints) -> Trie:
    """The tree of the bytes of each token after the first `skip`."""
    low, high = vocabulary.offsets[token] + skip, vocabulary.offsets[token + 1]
    offsets = np.zeros(len(token) + 1, np.int64)
    offsets[1:] = (high - low).cumsum()
    at = np.arange(offsets[-1]) + np.repeat(low - offsets[:-1], high - low)
    return build_trie(vocabulary.buffer[at], offsets)


def _tails(symbol: Ints, parent: Ints, end: Ints, node: Ints, token: Ints, skip: Ints) -> Tails:
    order = np.argsort(node, kind="stable")
    token_at = np.zeros(len(symbol) + 1, np.int32)
    token_at[1:] = np.bincount(node, minlength=len(symbol)).cumsum()
    return Tails(symbol, parent, end, token[order], token_at, skip[order])
