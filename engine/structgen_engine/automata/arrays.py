"""Automata as arrays, for code that builds them without torch: the reserved numbers, and distances to acceptance.

Axes: K classes, S states, E edges.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DEAD = 0
REFUSED = 0
NEVER = int(np.iinfo(np.int32).max)  # distance of a state that cannot reach acceptance
IMPOSSIBLE = float("-inf")


def distances(
    source: NDArray[Any], target: NDArray[Any], passable: NDArray[np.bool_], accepting: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """For each state [S], the least number of passable edges [E] to an accepting state [S]; NEVER if none is reachable.

    The search is breadth-first from the accepting states; each level reads only the edges into the previous level.
    """
    states = len(accepting)
    source, target = source[passable], target[passable]
    into = source[np.argsort(target, kind="stable")]
    first = np.concatenate([[0], np.bincount(target, minlength=states).cumsum()])
    distance = np.full(states, NEVER, np.int32)
    level, frontier = 0, np.flatnonzero(accepting)
    while len(frontier):
        distance[frontier] = level
        low, count = first[frontier], first[frontier + 1] - first[frontier]
        skip = np.repeat(low - (count.cumsum() - count), count)  # from running index to edge number
        reached = into[np.arange(count.sum()) + skip]
        fresh = np.sort(reached[distance[reached] == NEVER])
        level, frontier = level + 1, fresh[np.diff(fresh, prepend=-1) > 0]  # np.unique would import numpy.ma
    return distance
