"""The distances of states to acceptance, in a kernel: a module apart, since importing the engine loads no numba.

Axes: S states, E edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen_engine.automata.arrays import NEVER
from structgen_engine.jit import kernel


def distances(
    source: NDArray[Any], target: NDArray[Any], passable: NDArray[np.bool_], accepting: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """For each state [S], the least number of passable edges [E] to an accepting state [S]; NEVER if there is none."""
    kept = np.array(passable, np.bool_)
    return _breadth_first(
        source[kept].astype(np.int32), target[kept].astype(np.int32), np.array(accepting, np.bool_)
    )


@kernel(nogil=True)
def _breadth_first(source: Any, target: Any, accepting: Any) -> Any:  # pragma: no cover
    """The fewest edges from each state to an accepting one [S]: a search from these, over edges sorted by target."""
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
