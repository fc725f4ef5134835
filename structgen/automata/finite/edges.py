"""Sorting and following the edges of an automaton. E edges."""

from __future__ import annotations

import numpy as np

from structgen_engine.jit import kernel


@kernel
def by(keys, states):  # pragma: no cover
    """A counting sort: the order of the edges by key, and where each key starts."""
    offsets = np.zeros(states + 1, np.int64)
    for key in keys:
        offsets[key + 1] += 1
    for state in range(states):
        offsets[state + 1] += offsets[state]
    order, fill = np.empty(len(keys), np.int32), offsets[:-1].copy()
    for e in range(len(keys)):
        order[fill[keys[e]]] = e
        fill[keys[e]] += 1
    return order, offsets


@kernel
def in_order(major, minor, majors):  # pragma: no cover
    """The order of the edges by two keys, of which the first has `majors` values, and where each of these starts."""
    minors = 0
    for key in minor:
        minors = max(minors, key + 1)
    inner, _ = by(minor, minors)
    order, offsets = by(major[inner], majors)
    return inner[order], offsets


@kernel
def reach(source, target, seeds):  # pragma: no cover
    """The states that edges lead to from the seeds, seeds included."""
    order, offsets = by(source, len(seeds))
    reached, stack = seeds.copy(), np.empty(len(seeds), np.int32)
    top = 0
    for state in range(len(seeds)):
        if seeds[state]:
            stack[top] = state
            top += 1
    while top:
        top -= 1
        state = stack[top]
        for e in range(offsets[state], offsets[state + 1]):
            to = target[order[e]]
            if not reached[to]:
                reached[to] = True
                stack[top] = to
                top += 1
    return reached
