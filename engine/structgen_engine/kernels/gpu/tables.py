"""The tables of alphabets and automata in the form that kernels read, made once and kept as long as their source.

Axes: V vocabulary, K classes, S states, C chunks, G bundles, M members, P pairs of states, E edges.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.bundles import bundles_of
from structgen_engine.automata.dfa import REFUSED, Alphabet, Dfa
from structgen_engine.kernels.gpu.trees import Tree, tree

Ints = NDArray[Any]

WIDE, NARROW = 2048, 16  # tokens in a chunk of a large class, and of a small one
LARGE = 512  # a class with more tokens is cut into wide chunks
# slots in a row of a tree; a width for each automaton would save 4 to 16 % of the slots but take a kernel for each
WIDTH = 8

TREES: tuple[str, ...] = ("sets", "leaving", "entering", "joint", "shares")

_chunked: WeakKeyDictionary[Alphabet, dict[str, Ints]] = WeakKeyDictionary()
_segments: WeakKeyDictionary[Dfa, dict[str, tuple[Ints, Ints, Ints | None]]] = WeakKeyDictionary()
_trees: WeakKeyDictionary[Dfa, dict[tuple[str, int], Tree]] = WeakKeyDictionary()


def chunked(alphabet: Alphabet) -> dict[str, Ints]:
    """The tokens class by class in chunks, ascending within a class; refused tokens are left out.

    class_of [V], chunk_first [K + 1], chunk_at [C] (into `tokens`), chunk_size [C]; tokens: rows of WIDE, then rows of
    NARROW, −1 where empty; wide, narrow: the chunk of each row
    """
    if alphabet not in _chunked:
        _chunked[alphabet] = _chunk(alphabet)
    return _chunked[alphabet]


def _chunk(alphabet: Alphabet) -> dict[str, Ints]:
    order, offsets = (part.numpy().astype(np.int64) for part in alphabet.members)
    sizes = np.diff(offsets)
    base, sizes[REFUSED] = offsets[REFUSED + 1], 0
    width = np.where(sizes > LARGE, WIDE, NARROW)
    pieces = -(-sizes // width)
    owner = np.repeat(np.arange(alphabet.size), pieces)
    chunk_first = np.concatenate([[0], pieces.cumsum()])
    rank = np.arange(len(owner)) - chunk_first[owner]  # the index of the chunk within its class
    chunk_size = np.minimum(width[owner], sizes[owner] - rank * width[owner])
    is_wide = width[owner] == WIDE
    chunk_at = np.empty(len(owner), np.int64)
    chunk_at[is_wide] = np.arange(is_wide.sum()) * WIDE
    chunk_at[~is_wide] = is_wide.sum() * WIDE + np.arange((~is_wide).sum()) * NARROW
    tokens = np.full(is_wide.sum() * WIDE + (~is_wide).sum() * NARROW, -1, np.int64)
    within = np.arange(chunk_size.sum()) - np.repeat(chunk_size.cumsum() - chunk_size, chunk_size)
    tokens[np.repeat(chunk_at, chunk_size) + within] = order[base:]
    return {
        "class_of": alphabet.class_of.numpy(),
        "chunk_first": chunk_first,
        "chunk_at": chunk_at,
        "chunk_size": chunk_size,
        "tokens": tokens,
        "wide": np.flatnonzero(is_wide),
        "narrow": np.flatnonzero(~is_wide),
    }


def segments(dfa: Dfa) -> dict[str, tuple[Ints, Ints, Ints | None]]:
    """By name of a tree: the number of items in each segment, then what the items refer to."""
    if dfa not in _segments:
        bundles = bundles_of(dfa)
        G = len(bundles.offsets) - 1
        members = np.diff(bundles.offsets)
        owner = np.repeat(np.arange(G), members)
        _segments[dfa] = {
            "sets": (members, bundles.member, None),
            "leaving": _grouped(bundles.source, dfa.states, bundles.bundle, bundles.target),
            "entering": _grouped(bundles.target, dfa.states, bundles.bundle, bundles.source),
            "joint": _grouped(bundles.bundle, G, bundles.source, bundles.target),
            "shares": _grouped(bundles.member, dfa.alphabet.size, owner, None),
        }
    return _segments[dfa]


def _grouped(by: Ints, size: int, first: Ints, second: Ints | None) -> tuple[Ints, Ints, Ints | None]:
    order = np.argsort(by, kind="stable")
    return np.bincount(by, minlength=size), first[order], None if second is None else second[order]


def tree_of(dfa: Dfa, name: str) -> Tree:
    """One of the automaton's trees, with rows of WIDTH slots."""
    trees = _trees.setdefault(dfa, {})
    if (name, WIDTH) not in trees:
        trees[name, WIDTH] = tree(*segments(dfa)[name], WIDTH)
    return trees[name, WIDTH]


def edges_of(dfa: Dfa) -> Ints:
    """Offsets [S + 1], classes [E] and targets [E], concatenated; classes ascend within a state."""
    edges = dfa.edges
    return np.concatenate([edges.offsets.numpy(), edges.label.numpy(), edges.target.numpy()])
