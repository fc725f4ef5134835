"""What is left of tokens at some point inside them, as a prefix tree.

The whole vocabulary is the first set of tails, with nothing read yet. Where a component returns in the middle of
tokens, what follows the return in each of them is another.

Axes: M nodes (0 is the root), T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba as nb
import numpy as np
from numpy.typing import NDArray

from structgen.automata.pushdown import Pushdown
from structgen.trie import Trie, build_trie
from structgen.vocabulary import Vocabulary

Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Tails:
    """A prefix tree in preorder, over the symbols of a pushdown.

    symbol, parent, end: [M] int32, the symbol on the edge into a node, the node before, and where its subtree ends
    token: [T] int32, sorted by node; token_at: [M + 1], the tokens that end at node m are token_at[m] … token_at[m + 1]
    skip: [T] int32, bytes of each token that were read before
    """

    symbol: Ints
    parent: Ints
    end: Ints
    token: Ints
    token_at: Ints
    skip: Ints


def whole_tokens(pushdown: Pushdown, vocabulary: Vocabulary) -> Tails:
    """Every token that spells bytes, and the special tokens that the pushdown names, which spell one symbol each."""
    trie = vocabulary.trie
    return _with_special(
        pushdown, vocabulary, trie, np.flatnonzero(trie.node_of).astype(np.int32), trie.node_of
    )


def some_tokens(pushdown: Pushdown, vocabulary: Vocabulary, token: Ints) -> Tails:
    """The same of these tokens only, and the special ones."""
    trie = _trie(vocabulary, token, np.zeros(len(token), np.int32))
    node_of = np.zeros(vocabulary.size, np.int32)
    node_of[token] = trie.node_of
    return _with_special(pushdown, vocabulary, trie, token, node_of)


def _with_special(
    pushdown: Pushdown, vocabulary: Vocabulary, trie: Trie, token: Ints, node_of: Ints
) -> Tails:
    names = [(k, name) for k, name in enumerate(pushdown.tokens) if name in vocabulary.special]
    special = np.array([vocabulary.special[name] for _, name in names], np.int32)
    symbols = np.array([pushdown.byte_classes + k for k, _ in names], np.int32)
    nodes = len(trie.symbol)
    total = nodes + len(names)
    extra = np.arange(nodes, total, dtype=np.int32)
    symbol = np.concatenate([pushdown.byte_class[trie.symbol].astype(np.int32), symbols])
    end = np.concatenate([trie.end, extra + 1]).astype(np.int32)
    end[0] = total
    parent = np.concatenate([_parents(trie.depth), np.zeros(len(names), np.int32)])
    node = np.concatenate([node_of[token], extra])
    token = np.concatenate([token, special])
    return _tails(symbol, parent, end, node, token, np.zeros(len(token), np.int32))


def remaining_tails(pushdown: Pushdown, vocabulary: Vocabulary, token: Ints, skip: Ints) -> Tails:
    """What is left of each token [T] after its first `skip` [T] bytes, at least one."""
    trie = _trie(vocabulary, token, skip)
    symbol = pushdown.byte_class[trie.symbol].astype(np.int32)
    return _tails(symbol, _parents(trie.depth), trie.end, trie.node_of, token, skip)


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


@nb.njit(cache=True)
def _parents(depth):  # pragma: no cover
    """The parent of every node of a tree in preorder, from the nodes' depths."""
    path, parent = np.zeros(depth.max() + 2, np.int32), np.zeros(len(depth), np.int32)
    for node in range(1, len(depth)):
        parent[node] = path[depth[node] - 1]
        path[depth[node]] = node
    return parent
