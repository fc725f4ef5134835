"""Automata as arrays, for code that builds them without torch: the reserved numbers, and distances to acceptance.

Axes: K classes, S states, E edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel

DEAD = 0
REFUSED = 0
NEVER = int(np.iinfo(np.int32).max)  # distance of a state that cannot reach acceptance
IMPOSSIBLE = float("-inf")


def distances(
    source: NDArray[Any], target: NDArray[Any], passable: NDArray[np.bool_], accepting: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """For each state [S], the least number of passable edges [E] to an accepting state [S]; NEVER if there is none."""
    kept = np.array(passable, np.bool_)
    return _distances(
        source[kept].astype(np.int32), target[kept].astype(np.int32), np.array(accepting, np.bool_)
    )


@kernel(nogil=True)
def _distances(source: Any, target: Any, accepting: Any) -> Any:  # pragma: no cover
    """A breadth-first search from the accepting states, over edges sorted by their target."""
    states = len(accepting)
    first = np.zeros(states + 1, np.int64)
    for state in target:
        first[state + 1] += 1
    for state in range(states):
        first[state + 1] += first[state]
    into, free = np.empty(len(source), np.int32), first.copy()
    for edge in range(len(source)):
        into[free[target[edge]]] = source[edge]
        free[target[edge]] += 1
    distance, queue, met = np.full(states, NEVER, np.int32), np.empty(states, np.int32), 0
    for state in range(states):
        if accepting[state]:
            distance[state], queue[met] = 0, state
            met += 1
    read = 0
    while read < met:
        state = queue[read]
        read += 1
        for edge in range(first[state], first[state + 1]):
            before = into[edge]
            if distance[before] == NEVER:
                distance[before], queue[met] = distance[state] + 1, before
                met += 1
    return distance
