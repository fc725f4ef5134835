"""Bundles: parallel edges between two states merged into one edge that carries a set of classes.

An automaton has few distinct sets. In a string of at most forty characters, the tokens of three characters lead from
"r left" to "r − 3 left" for every r and in every such string. A scan that sums the weights of each set once per
position and then walks one edge per pair of states therefore needs a fraction of the edges: an invoice with bounded
strings has 356,712 edges by class, 39,844 by pair of states, and 562 sets with 2,192 members.

Axes: S states, E edges by class, P pairs of states, G bundles, M members of all bundles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.dfa import Dfa, Edges

Ints = NDArray[np.int64]

known: WeakKeyDictionary[Dfa, Bundles] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Bundles:
    """The edges of an automaton, one per connected pair of states, and the sets of classes that they carry.

    source, bundle, target: [P], sorted by source, then target; member: [M] classes, those of bundle g are
    member[offsets[g] : offsets[g + 1]]; offsets: [G + 1]
    """

    source: Ints
    bundle: Ints
    target: Ints
    member: Ints
    offsets: Ints


def bundles_of(dfa: Dfa) -> Bundles:
    """The bundles of an automaton, computed once unless who made it has put them among the `known`."""
    if dfa not in known:
        known[dfa] = bundle_edges(dfa.edges, dfa.states)
    return known[dfa]


def bundle_edges(edges: Edges, states: int) -> Bundles:
    """The bundles of an automaton: edges grouped by their two ends, with equal sets of classes stored once."""
    source, label, target = (
        part.numpy().astype(np.int64) for part in (edges.source, edges.label, edges.target)
    )
    return _bundled(source, label, target, states)


def bundle_arcs(source: Ints, sets: Ints, target: Ints, states: int, offsets: Ints, member: Ints) -> Bundles:
    """The bundles of arcs [A] that carry disjoint sets: those of set k are member[offsets[k] : offsets[k + 1]]."""
    order = np.argsort(sets, kind="stable")
    found = _bundled(source[order], sets[order], target[order], states)
    sizes = np.diff(offsets)[found.member]
    filled = np.append(0, sizes.cumsum())
    at = _runs(offsets[:-1][found.member], sizes)
    return Bundles(found.source, found.bundle, found.target, member[at], filled[found.offsets])


def _bundled(source: Ints, label: Ints, target: Ints, states: int) -> Bundles:
    """Bundles of edges that are sorted by label within each pair of states."""
    order = np.argsort(source * states + target, kind="stable")  # labels stay sorted within a pair
    label = label[order]
    ends = (source * states + target)[order]
    first = np.flatnonzero(np.diff(ends, prepend=-1))
    sizes = np.diff(first, append=len(ends))
    representative, bundle = _intern(label, first, sizes)
    kept = sizes[representative]
    offsets = np.zeros(len(representative) + 1, np.int64)
    offsets[1:] = kept.cumsum()
    member = label[_runs(first[representative], kept)]
    return Bundles(ends[first] // states, bundle, ends[first] % states, member, offsets)


def _intern(label: Ints, first: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """For each distinct set, the pair that represents it; for each pair, the number of its set."""
    if not len(first):
        return first, first
    salt = np.random.default_rng(0).integers(1, 2**63, size=int(label.max()) + 1, dtype=np.uint64)
    digest = np.add.reduceat(salt[label], first)
    _, representative, bundle = np.unique(digest, return_index=True, return_inverse=True)
    mirror = representative[bundle]  # digests can collide, so every set is compared with its representative
    if (sizes != sizes[mirror]).any() or (label != label[_runs(first[mirror], sizes)]).any():
        raise AssertionError("two sets of classes share a digest")
    return representative, bundle


def _runs(starts: Ints, sizes: Ints) -> NDArray[Any]:
    """The numbers start, start + 1, … of each run, concatenated."""
    return np.repeat(starts - (sizes.cumsum() - sizes), sizes) + np.arange(sizes.sum())
