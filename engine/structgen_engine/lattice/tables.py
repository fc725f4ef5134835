"""The kept part of a lazy automaton as the tables that the lattice runs on.

Axes: F configurations kept, A arcs, K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from structgen_engine.automata import bundles
from structgen_engine.automata.dfa import DEAD, IMPOSSIBLE, BlockAutomaton, Edges, SparseDfa
from structgen_engine.automata.lazy import LazyDfa
from structgen_engine.jit import kernel

Longs = NDArray[np.int64]
Arcs = tuple[Longs, Longs, Longs]


def tabulate(
    lazy: LazyDfa, configurations: Longs, arcs: Arcs, entry: int, may_end: NDArray[np.bool_]
) -> BlockAutomaton:
    """The automaton of these sorted configurations [F]; state k + 1 is the k-th of them. may_end: [F] bool

    arcs: [A] the place of the source among them, the number of a set, and the target
    """
    place, sets, target = arcs
    states = len(configurations) + 1
    state_of = np.zeros(max(int(configurations.max(initial=0)), int(target.max(initial=0))) + 1, np.int64)
    state_of[configurations] = np.arange(1, states)
    inside = state_of[target] != DEAD
    source, sets, target = place[inside] + 1, sets[inside], state_of[target[inside]]
    offsets = np.cumsum([0, *map(len, lazy.sets)], dtype=np.int64)
    member = np.concatenate([*lazy.sets, np.zeros(0, np.int32)]).astype(np.int64)
    alphabet = lazy.alphabet
    total = int(np.diff(offsets)[sets].sum())
    source_of, label, after = _edges(source, sets, target, offsets, member, alphabet.size, total)
    edges = Edges.of(source_of, label, after, states)
    accepting = torch.tensor([False, *(lazy.is_accepting(number) for number in configurations.tolist())])
    dfa = SparseDfa(alphabet, edges, accepting, int(state_of[entry]))
    bundles.known[dfa] = bundles.bundle_arcs(source, sets, target, states, offsets, member)
    start, end = torch.full((2, states), IMPOSSIBLE)
    start[dfa.start] = 0.0
    end[1:][torch.from_numpy(may_end)] = 0.0
    return BlockAutomaton(dfa, start, end)


@kernel
def _edges(
    source: Longs, sets: Longs, target: Longs, offsets: Longs, member: Longs, classes: int, total: int
) -> Any:
    """The edges by class, sorted by source, then class; the arcs are sorted by source, and one's sets are disjoint."""
    out = np.empty((3, total), np.int32)
    leads, filled, e = np.zeros(classes, np.int32), 0, 0
    while e < source.size:
        s = source[e]
        low, high = classes, 0
        while e < source.size and source[e] == s:
            for k in range(offsets[sets[e]], offsets[sets[e] + 1]):
                c = member[k]
                leads[c] = target[e]
                low, high = min(low, c), max(high, c)
            e += 1
        for c in range(low, high + 1):
            if leads[c]:
                out[0, filled], out[1, filled], out[2, filled] = s, c, leads[c]
                leads[c] = 0
                filled += 1
    return out
