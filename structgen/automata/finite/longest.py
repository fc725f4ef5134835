"""The longest string of an automaton, if its language is finite."""

from __future__ import annotations

import numpy as np

from structgen.automata.finite.nfa import Ints


def longest(source: Ints, target: Ints, states: int) -> int | None:
    """The most edges of a path; None if paths go round in a circle. source, target: [E]

    States are taken away level by level, each once all its predecessors are gone: a state of level n ends a path of n
    edges, and what is left goes round in a circle.
    """
    order = np.argsort(source, kind="stable")
    after, begins = target[order], np.searchsorted(source[order], np.arange(states + 1))
    waiting = np.bincount(target, minlength=states)
    level = np.flatnonzero(waiting == 0)
    depth, gone = -1, 0
    while len(level):
        depth, gone = depth + 1, gone + len(level)
        onward = np.concatenate([after[begins[state] : begins[state + 1]] for state in level.tolist()])
        waiting -= np.bincount(onward, minlength=states)
        level = np.unique(onward[waiting[onward] == 0])
    return depth if gone == states else None
