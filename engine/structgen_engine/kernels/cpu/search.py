"""Searching the blocks of a lazy automaton: the weights of its sets, bounds from behind, one position forward.

All weights are nats, relative to the sum of all tokens at a position. A logarithm of a sum leaves out terms that are
below a float64's precision.

Axes: N block, K classes, G sets, M nodes of the relaxed automaton, F configurations at one position.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.logits import exp

Array = NDArray[Any]

ROUNDED = 1 + 1e-6  # an upper bound stays one after sums in single precision
NEGLIGIBLE = -40.0  # nats: e^-40 of a term is below the last bit of a float64
BEST = 8  # configurations kept at a position because the best block may pass through them
TINY = 1e-280  # a sum above this has lost no term that matters to underflow


class Leaving(NamedTuple):
    """Arcs by source: those of source s are at[s] … at[s] + size[s]; sets and targets [A]; size −1: not known."""

    at: Array
    size: Array
    sets: Array
    targets: Array


@kernel(nogil=True)
def weigh_sets(
    offsets: Array, member: Array, log_sum: Array, peak: Array, first: int, mass: Array, top: Array
) -> tuple[float, float]:
    """mass, top [G]: log-sum and peak of each set from number `first` on; log_sum, peak: [K].

    Relative to the log-sum of all classes, which is returned with the highest of all.
    """
    scale = log_sum.max()
    if scale == -np.inf:
        mass[first : offsets.size - 1] = top[first : offsets.size - 1] = -np.inf
        return scale, scale
    linear = np.exp(log_sum - scale)
    norm = np.log(linear.sum()) + scale
    for g in range(first, offsets.size - 1):
        total, high, highest = 0.0, -np.inf, -np.inf
        for k in range(offsets[g], offsets[g + 1]):
            c = member[k]
            total += linear[c]
            high = max(high, log_sum[c])
            highest = max(highest, peak[c])
        top[g] = highest - norm
        if high == -np.inf:
            mass[g] = top[g] = -np.inf
        elif total > TINY:
            mass[g] = np.log(total) + scale - norm
        else:
            total = 0.0
            for k in range(offsets[g], offsets[g + 1]):
                total += np.exp(log_sum[member[k]] - high)
            mass[g] = np.log(total) + high - norm
    return norm, peak.max() - norm


@kernel(nogil=True)
def bound_nodes(
    graph: Any, masses: Array, tops: Array, caps: Array, remaining: int, total: Array, best: Array
) -> None:
    """Fill total, best [N + 1, M]: bounds on the sum and on the heaviest of what may follow each node.

    graph: the fields of a `Relaxed`; masses, tops: [N, G]; caps: [2, N + 1] bounds for every node
    """
    most, free, least, arc_at, arc_set, arc_target, ref_at, ref, order = graph
    N, terms = masses.shape[0], np.empty(arc_set.size + ref.size)
    for i in range(N, -1, -1):
        for n in order:
            if free[n]:
                total[i, n], best[i, n] = caps[0, i], caps[1, i]
                continue
            high, highest, count = -np.inf, -np.inf, 0
            if i == N:
                if least[n] <= remaining:
                    high = highest = terms[0] = 0.0
                    count = 1
            else:
                for e in range(arc_at[n], arc_at[n + 1]):
                    term = masses[i, arc_set[e]] + total[i + 1, arc_target[e]]
                    terms[count] = term
                    count += 1
                    high = max(high, term)
                    highest = max(highest, tops[i, arc_set[e]] + best[i + 1, arc_target[e]])
            for r in range(ref_at[n], ref_at[n + 1]):
                terms[count] = total[i, ref[r]]
                count += 1
                high = max(high, total[i, ref[r]])
                highest = max(highest, best[i, ref[r]])
            if count > 1 and not most[n] and high > -np.inf:
                mass = np.float32(0.0)
                for k in range(count):
                    if terms[k] - high > NEGLIGIBLE:
                        mass += exp(np.float32(terms[k] - high))
                high += np.log(mass * ROUNDED)
            total[i, n], best[i, n] = min(high, caps[0, i]), min(highest, caps[1, i])


@kernel(nogil=True)
def advance(
    sources: Array, weight: Array, best: Array, arcs: Leaving, mass: Array, top: Array, place: Array
) -> tuple[Array, Array, Array]:
    """All configurations one token after the sources [F], sorted, with the weights of all and of the heaviest prefixes.

    mass, top: [G] of this position; place: [configurations] −1, scratch that is left as it was
    """
    at, size, sets, targets = arcs
    room = 0
    for s in sources:
        room += size[s]
    found, count = np.empty(room, np.int64), 0
    high, highest, total = np.empty(room), np.empty(room), np.zeros(room)
    for f in range(sources.size):
        s = sources[f]
        for e in range(at[s], at[s] + size[s]):
            w = weight[f] + mass[sets[e]]
            if w == -np.inf:
                continue
            t = targets[e]
            if place[t] < 0:
                place[t] = count
                found[count], high[count], highest[count] = t, -np.inf, -np.inf
                count += 1
            k = place[t]
            high[k] = max(high[k], w)
            highest[k] = max(highest[k], best[f] + top[sets[e]])
    for f in range(sources.size):
        s = sources[f]
        for e in range(at[s], at[s] + size[s]):
            k = place[targets[e]]
            if k >= 0:
                gap = weight[f] + mass[sets[e]] - high[k]
                if gap > NEGLIGIBLE:
                    total[k] += np.exp(gap)
    for k in range(count):
        place[found[k]] = -1
    order = np.argsort(found[:count])
    return found[order], (high[:count] + np.log(total[:count]))[order], highest[:count][order]


@kernel(nogil=True)
def heaviest(key: Array, marks: Array, count: int) -> Array:
    """The `count` marked entries [F] with the largest keys; among equals, the first."""
    among = np.flatnonzero(marks)
    if among.size <= count:
        return marks.copy()
    kept = np.zeros(marks.size, np.bool_)
    order = np.argsort(-key[among], kind="mergesort")
    for k in range(max(0, count)):
        kept[among[order[k]]] = True
    return kept


@kernel(nogil=True)
def select(
    weight: Array,
    key: Array,
    top: Array,
    may: Array,
    sure: Array,
    known: Array,
    witness: Array,
    floor: float,
    width: int,
    room: int,
) -> Array:
    """[F] bool, the configurations to keep: of those that `may`, at most `width` with the largest keys above `floor`.

    And a few with the largest `top`, through which the best block may pass though all blocks there are few.
    At most `room` of them are not `known`. The witness and the two heaviest that are `sure`, by weight and by key, are
    kept in any case.
    """
    keep = heaviest(key, may & (key > floor), width) | heaviest(top, may, min(width, BEST))
    new = keep & ~known
    if new.sum() > room:
        keep = (keep & ~new) | heaviest(key, new, room)
    by_key = by_weight = -1
    for k in range(key.size):
        if sure[k]:
            by_key = k if by_key < 0 or key[k] > key[by_key] else by_key
            by_weight = k if by_weight < 0 or weight[k] > weight[by_weight] else by_weight
    if by_key >= 0:
        keep[by_key] = keep[by_weight] = True
    return keep | (may & witness)


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
        if marks[k]:
            total += np.exp(values[k] - high)
    return high + np.log(total)
