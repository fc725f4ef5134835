"""Bounds from behind: the weights of a lazy automaton's token sets, and a backward pass over its relaxed automaton.

A bound is a sum over arcs of the weight of a set times the bound of a target. Logarithms would cost an exponential for
each arc, so each position holds plain numbers relative to a common `shift`. A sum that leaves the room for these is
formed again from logarithms, which are kept beside the numbers where these are 0 or infinite: so a bound is right
however far it lies from the others, and nearly all of them cost one multiplication an arc.

All weights are nats, relative to the sum of all tokens at a position.

Axes: N block, K classes, G sets, M nodes of the relaxed automaton.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.blocks import Blocks

Array = NDArray[Any]

ROUNDED = 1 + 1e-12  # an upper bound stays one after rounding
TINY = 1e-280  # a sum above this has lost no term that matters to underflow
LEAST, MOST = 1e-27, 1e250  # plain numbers held beside a shift; weights are at most 1 and at least TINY, or 0
LOW, HIGH = (
    1e-10,
    1e240,
)  # a sum between them lost no term that matters: LEAST · 1 and MOST · TINY are nothing to it
USUAL = 200.0 * np.log(10.0)  # the largest number of a position lies near exp of this
LANES = 16  # positions that are weighed together


class FromBehind(NamedTuple):
    """Bounds [N + 1, M] on what may follow each node: exp(shift) times `plain`, or where that is 0 exp of `log`.

    best: nats, bounds on the heaviest; shift: [N + 1] nats
    """

    plain: Array
    log: Array
    shift: Array
    best: Array


@kernel(nogil=True)
def weigh_sets(
    blocks: Blocks,
    sets: Array,
    member: Array,
    log_sum: Array,
    peak: Array,
    first: int,
    mass: Array,
    top: Array,
) -> tuple[Array, Array]:
    """mass, top [P, ≥ G]: log-sum and peak of each set from number `first` on, at P positions; log_sum, peak: [P, K].

    Relative to the log-sum of all classes. Returned are these log-sums [P], and the highest of all relative to it.
    blocks: the sets; sets, member: the same without a tree
    """
    positions, K = log_sum.shape
    norm, highest = np.full(positions, -np.inf), np.full(positions, -np.inf)
    leaf, offsets, nodes, rows = blocks.leaf, blocks.offsets, blocks.node, max(K, 2 * blocks.inner)
    linear, peaks = np.zeros((rows, LANES)), np.full((rows, LANES), -np.inf)
    scale, total, high = np.zeros(LANES), np.empty(LANES), np.empty(LANES)
    for low in range(0, positions, LANES):
        lanes = min(LANES, positions - low)
        for p in range(lanes):
            scale[p] = log_sum[low + p].max()
            whole = 0.0
            for c in range(K):
                x, h = log_sum[low + p, c], leaf[c]
                linear[h, p] = np.exp(x - scale[p]) if x > -np.inf else 0.0
                peaks[h, p] = peak[low + p, c]
                whole += linear[h, p]
            if scale[p] > -np.inf:
                norm[low + p] = np.log(whole) + scale[p]
                highest[low + p] = peak[low + p].max() - norm[low + p]
        for h in range(blocks.inner - 1, 0, -1):
            for p in range(LANES):
                one, other = peaks[2 * h, p], peaks[2 * h + 1, p]
                linear[h, p] = linear[2 * h, p] + linear[2 * h + 1, p]
                peaks[h, p] = one if one > other else other
        for g in range(first, offsets.size - 1):
            for p in range(LANES):
                total[p], high[p] = 0.0, -np.inf
            for k in range(offsets[g], offsets[g + 1]):
                h = nodes[k]
                for p in range(LANES):
                    total[p] += linear[h, p]
                    high[p] = peaks[h, p] if peaks[h, p] > high[p] else high[p]
            for p in range(lanes):
                i = low + p
                if high[p] == -np.inf or norm[i] == -np.inf:
                    mass[i, g] = top[i, g] = -np.inf
                    continue
                top[i, g] = high[p] - norm[i]
                if total[p] > TINY:
                    mass[i, g] = np.log(total[p]) + scale[p] - norm[i]
                else:
                    mass[i, g] = _log_sum(log_sum[i], member[sets[g] : sets[g + 1]]) - norm[i]
    return norm, highest


@kernel(nogil=True)
def _log_sum(values: Array, member: Array) -> Any:
    high, total = -np.inf, 0.0
    for c in member:
        high = max(high, values[c])
    if high == -np.inf:
        return high
    for c in member:
        total += np.exp(values[c] - high)
    return np.log(total) + high


@kernel(nogil=True)
def bound_nodes(graph: Any, masses: Array, tops: Array, caps: Array, remaining: int, out: FromBehind) -> None:
    """Fill `out` with bounds on the sum and on the heaviest of what may follow each node.

    graph: the fields of a `Relaxed`; masses, tops: [N, ≥ G]; caps: [2, N + 1] bounds for every node
    """
    most, free, least, arc_at, arc_set, arc_target, ref_at, ref, order = graph
    plain, log, shift, best = out
    N, G = masses.shape[0], masses.shape[1]
    weight = np.zeros(G)
    shift[N] = -USUAL
    for i in range(N, -1, -1):
        if i < N:
            shift[i] = shift[i + 1]
            for g in range(G):
                x = np.exp(masses[i, g])
                weight[g] = x if x > TINY else 0.0
        then = min(i + 1, N)
        cap = _beside(caps[0, i], shift[i])
        largest = 0.0
        for n in order:
            if free[n]:
                plain[i, n], log[i, n], best[i, n] = cap, caps[0, i], caps[1, i]
                continue
            total, high = 0.0, -np.inf
            if i == N:
                if least[n] <= remaining:
                    total, high = np.exp(-shift[i]), 0.0
            else:
                for e in range(arc_at[n], arc_at[n + 1]):
                    g, t = arc_set[e], arc_target[e]
                    total += weight[g] * plain[then, t]
                    way = tops[i, g] + best[then, t]
                    high = way if way > high else high
            for r in range(ref_at[n], ref_at[n + 1]):
                t = ref[r]
                total = max(total, plain[i, t]) if most[n] else total + plain[i, t]
                high = best[i, t] if best[i, t] > high else high
            best[i, n] = min(high, caps[1, i])
            total *= ROUNDED
            if total > LOW and total < HIGH:
                if total >= cap:
                    total, log[i, n] = cap, caps[0, i]
                plain[i, n] = total
                largest = max(largest, total)
            elif high == -np.inf:
                plain[i, n], log[i, n] = 0.0, -np.inf
            else:
                log[i, n] = min(_far(graph, n, i, masses, out, remaining), caps[0, i])
                plain[i, n] = _beside(log[i, n], shift[i])
                largest = max(largest, plain[i, n])
        _level(i, order, out, free, largest)


@kernel(nogil=True)
def log_of(out: FromBehind, i: int, n: int) -> Any:
    """The logarithm of a bound, in nats."""
    plain = out.plain[i, n]
    return np.log(plain) + out.shift[i] if plain > 0.0 and plain < np.inf else out.log[i, n]


@kernel(nogil=True)
def _beside(log: float, shift: float) -> float:
    """A logarithm as a plain number beside the shift: 0 if it is too small, infinite if it is too large."""
    value = np.exp(log - shift)
    return value if value > LEAST and value < MOST else (0.0 if value < 1.0 else np.inf)


@kernel(nogil=True)
def _far(graph: Any, n: int, i: int, masses: Array, out: FromBehind, remaining: int) -> float:
    """The log-sum, or maximum, of a node's terms, whose plain numbers are out of range."""
    most, _, least, arc_at, arc_set, arc_target, ref_at, ref, _ = graph
    terms = np.empty(1 + arc_at[n + 1] - arc_at[n] + ref_at[n + 1] - ref_at[n])
    count, high = 0, -np.inf
    if i == masses.shape[0]:
        if least[n] <= remaining:
            count, high, terms[0] = 1, 0.0, 0.0
    else:
        for e in range(arc_at[n], arc_at[n + 1]):
            terms[count] = masses[i, arc_set[e]] + log_of(out, i + 1, arc_target[e])
            high = max(high, terms[count])
            count += 1
    for r in range(ref_at[n], ref_at[n + 1]):
        terms[count] = log_of(out, i, ref[r])
        high = max(high, terms[count])
        count += 1
    if most[n] or high == -np.inf:
        return high
    total = 0.0
    for k in range(count):
        total += np.exp(terms[k] - high)
    return high + np.log(total * ROUNDED)


@kernel(nogil=True)
def _level(i: int, order: Array, out: FromBehind, free: Array, largest: float) -> None:
    """Move the shift of a position so that its largest number is a usual one."""
    if largest > 1e150 and largest < HIGH:
        return
    high = np.log(largest) + out.shift[i] if largest > 0.0 and largest < np.inf else -np.inf
    for n in order:
        if not free[n] and (out.plain[i, n] == 0.0 or out.plain[i, n] == np.inf):
            high = max(high, out.log[i, n])
    if high == -np.inf:
        return
    before = out.shift[i]
    for n in order:
        if not free[n] and out.plain[i, n] > 0.0 and out.plain[i, n] < np.inf:
            out.log[i, n] = np.log(out.plain[i, n]) + before
    out.shift[i] = high - USUAL
    for n in order:
        out.plain[i, n] = _beside(out.log[i, n], out.shift[i])
