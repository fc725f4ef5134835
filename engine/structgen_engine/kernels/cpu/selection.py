"""Which configurations a pass of the search keeps: the heaviest, the surest, and the witness.

Everything is written as loops: numba takes seconds to compile np.partition and operations on whole arrays.

Axes: F configurations at one position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel

Array = NDArray[Any]

NEGLIGIBLE = -40.0  # nats: e^-40 of a term is below the last bit of a float64
BEST = 8  # configurations kept at a position because the best block may pass through them


@kernel(nogil=True)
def heaviest(key: Array, marks: Array, count: int) -> Array:
    """The `count` marked entries [F] with the largest keys; among equals, the first."""
    kept, keys, size = np.zeros(marks.size, np.bool_), np.empty(marks.size), 0
    for k in range(marks.size):
        if marks[k]:
            kept[k], keys[size] = True, key[k]
            size += 1
    if size <= count:
        return kept
    least = ranked(keys, size, size - count) if count > 0 else np.inf
    equal = max(count, 0)
    for k in range(size):
        equal -= keys[k] > least
    for k in range(marks.size):
        if marks[k] and not key[k] > least:
            kept[k] = key[k] == least and equal > 0
            equal -= kept[k]
    return kept


@kernel(nogil=True)
def ranked(values: Array, size: int, rank: int) -> float:
    """The value at place `rank` of the first `size` in ascending order: Hoare's quickselect, which moves them."""
    low, high = 0, size - 1
    while low < high:
        pivot, i, j = values[(low + high) >> 1], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]


@kernel(nogil=True)
def select(
    weight: Array,
    key: Array,
    top: Array,
    may: Array,
    sure: Array,
    known: Array,
    numbers: Array,
    witness: int,
    floor: float,
    width: int,
    room: int,
) -> Array:
    """[F] bool, the configurations to keep: of those that `may`, at most `width` with the largest keys above `floor`.

    And a few with the largest `top`, through which the best block may pass though all blocks there are few.
    At most `room` of them are not `known`. The `witness`, by its number, and the two heaviest that are `sure`, by
    weight and by key, are kept in any case.
    """
    above, new, count = np.empty(key.size, np.bool_), np.empty(key.size, np.bool_), 0
    for k in range(key.size):
        above[k] = may[k] and key[k] > floor
    keep, best = heaviest(key, above, width), heaviest(top, may, min(width, BEST))
    for k in range(key.size):
        keep[k] |= best[k]
        new[k] = keep[k] and not known[k]
        count += new[k]
    if count > room:
        some = heaviest(key, new, room)
        for k in range(key.size):
            keep[k] = some[k] if new[k] else keep[k]
    by_key = by_weight = -1
    for k in range(key.size):
        if sure[k]:
            by_key = k if by_key < 0 or key[k] > key[by_key] else by_key
            by_weight = k if by_weight < 0 or weight[k] > weight[by_weight] else by_weight
    if by_key >= 0:
        keep[by_key] = keep[by_weight] = True
    for k in range(key.size):
        keep[k] |= may[k] and numbers[k] == witness
    return keep


@kernel(nogil=True)
def log_sum_of(values: Array, marks: Array) -> float:
    """log Σ exp of the marked values [F]; −inf if none is marked."""
    high = -np.inf
    for k in range(values.size):
        if marks[k]:
            high = max(high, values[k])
    if high == -np.inf:
        return high
    total = 0.0
    for k in range(values.size):
        if marks[k] and values[k] - high > NEGLIGIBLE:
            total += np.exp(values[k] - high)
    return high + np.log(total)
