"""Searching the blocks of a lazy automaton: a pass forward, position by position, and one back over what it kept.

All weights are nats, relative to the sum of all tokens at a position. A logarithm of a sum leaves out terms that are
below a float64's precision.

Axes: N block, G sets, F configurations at one position, T configurations kept at all positions together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.bounds import FromBehind, log_of
from structgen_engine.kernels.cpu.selection import NEGLIGIBLE, log_sum_of, select

Array = NDArray[Any]

# why a sweep stopped: it is through, arcs or weights are not known, nothing surely finishes, or there is no room
THROUGH, UNKNOWN, UNSURE, FULL = range(4)


class Leaving(NamedTuple):
    """Arcs by source: those of source s are at[s] … at[s] + size[s]; sets and targets [A]; size −1: not known."""

    at: Array
    size: Array
    sets: Array
    targets: Array


class Met(NamedTuple):
    """What is known of all configurations met so far.

    most, least: tokens that suffice to finish, and that are necessary; node_at [+ 1], node: the nodes of each in the
    relaxed automaton; kept: bool, those that the present pass has kept; count: [1] how many
    """

    most: Array
    least: Array
    node_at: Array
    node: Array
    kept: Array
    count: Array


class Scratch(NamedTuple):
    """Work space for every configuration met so far. place: −1 between calls; found, high, highest, total: anything."""

    place: Array
    found: Array
    high: Array
    highest: Array
    total: Array


class Weighed(NamedTuple):
    """The weights of token sets. mass, top: [N, ≥ G] nats; done: [N] how many are weighed; count: G."""

    mass: Array
    top: Array
    done: Array
    count: int


class Ahead(NamedTuple):
    """Bounds on what may follow. nodes: of the relaxed automaton; caps: [2, 2, N + 1] nats, of the sum and of the
    heaviest, for open outputs and for complete ones."""

    nodes: FromBehind
    caps: Array


class Keeping(NamedTuple):
    """What a pass keeps. path: [N + 1] the witness; room: [N + 1] different configurations up to each position.

    floor: nats, the weight of prefix times bound below which a configuration is dropped; width: the most at a position;
    remaining: tokens of budget after the block
    """

    path: Array
    room: Array
    floor: float
    width: int
    remaining: int


class Frontiers(NamedTuple):
    """The configurations kept at each position: those at position i are begin[i] … begin[i + 1].

    number, weight, best, key, top: [T], weights in nats of all prefixes and of the heaviest, then times bounds on what
    may follow; dropped, dropped_best: [N + 1] nats, bounds on the sum and on the heaviest of what was dropped there
    """

    begin: Array
    number: Array
    weight: Array
    best: Array
    key: Array
    top: Array
    dropped: Array
    dropped_best: Array


@kernel(nogil=True)
def sweep(
    i: int,
    kept: Frontiers,
    arcs: Leaving,
    met: Met,
    sets: Weighed,
    ahead: Ahead,
    limits: Keeping,
    scratch: Scratch,
) -> tuple[int, int]:
    """Go on from position i as far as possible; returns the position reached, and why the sweep stopped.

    The last position is left to `settle`: what may end there has to be certain.
    """
    last = kept.dropped.size - 2
    while i < last:
        if sets.done[i] != sets.count:
            return i, UNKNOWN
        for s in kept.number[kept.begin[i] : kept.begin[i + 1]]:
            if s >= arcs.size.size or arcs.size[s] < 0:
                return i, UNKNOWN
        count = advance(i, kept, arcs, sets, scratch)
        left, some = last - i + limits.remaining, False
        for k in range(count):
            some |= met.most[scratch.found[k]] <= left
        if not some:
            return i, UNSURE
        if not settle(i, count, kept, met, ahead, limits, scratch, False):
            return i, FULL
        i += 1
    return i, THROUGH


@kernel(nogil=True)
def advance(i: int, kept: Frontiers, arcs: Leaving, sets: Weighed, scratch: Scratch) -> int:
    """All configurations one token after those kept at position i, and the weights of all and of the heaviest prefixes.

    They are put into the scratch: `found`, the weights into `high` and `highest`. Returns how many they are.
    """
    place, found, high, highest, total = scratch
    at, size, label, targets = arcs
    mass, top, count = sets.mass[i], sets.top[i], 0
    for k in range(kept.begin[i], kept.begin[i + 1]):
        s = kept.number[k]
        for e in range(at[s], at[s] + size[s]):
            w = kept.weight[k] + mass[label[e]]
            if w == -np.inf:
                continue
            heaviest, t = kept.best[k] + top[label[e]], targets[e]
            f = place[t]
            if f < 0:
                place[t], found[count], high[count], highest[count] = count, t, w, heaviest
                total[count] = 1.0
                count += 1
                continue
            highest[f] = max(highest[f], heaviest)
            gap = w - high[f]
            if gap > 0.0:
                total[f] = 1.0 + (total[f] * np.exp(-gap) if gap < -NEGLIGIBLE else 0.0)
                high[f] = w
            elif gap > NEGLIGIBLE:
                total[f] += np.exp(gap)
    for f in range(count):
        place[found[f]] = -1
        if total[f] != 1.0:
            high[f] += np.log(total[f])
    return count


@kernel(nogil=True)
def settle(
    i: int,
    count: int,
    kept: Frontiers,
    met: Met,
    ahead: Ahead,
    limits: Keeping,
    scratch: Scratch,
    ending: bool,
) -> bool:
    """Keep the best of what `advance` found after position i, and record what is dropped; False if there is no room.

    ending: whether only what surely finishes may be kept
    """
    i += 1
    numbers, weight, highest = scratch.found[:count], scratch.high[:count], scratch.highest[:count]
    left = kept.dropped.size - 1 - i + limits.remaining
    key, top = np.empty(count), np.empty(count)
    sure, able, known = np.empty(count, np.bool_), np.empty(count, np.bool_), np.empty(count, np.bool_)
    for k in range(count):
        c = numbers[k]
        after, after_best = _after(ahead, i, met.node[met.node_at[c] : met.node_at[c + 1]], met.least[c] == 0)
        key[k], top[k] = weight[k] + after, highest[k] + after_best
        sure[k], able[k], known[k] = met.most[c] <= left, met.least[c] <= left, met.kept[c]
    room = limits.room[i] - met.count[0]
    keep = select(
        weight,
        key,
        top,
        sure if ending else able,
        sure,
        known,
        numbers,
        limits.path[i],
        limits.floor,
        limits.width,
        room,
    )
    filled, gone = kept.begin[i], np.empty(count, np.bool_)
    size = filled
    for k in range(count):
        size += keep[k]
        gone[k] = able[k] and not keep[k]
    if size > kept.number.size:
        return False
    kept.dropped[i], kept.dropped_best[i] = log_sum_of(key, gone), -np.inf
    for k in range(count):
        if gone[k]:
            kept.dropped_best[i] = max(kept.dropped_best[i], top[k])
        if keep[k]:
            kept.number[filled], kept.weight[filled], kept.best[filled] = numbers[k], weight[k], highest[k]
            kept.key[filled], kept.top[filled] = key[k], top[k]
            filled += 1
            if not known[k]:
                met.kept[numbers[k]] = True
                met.count[0] += 1
    kept.begin[i + 1] = filled
    return True


@kernel(nogil=True)
def _after(ahead: Ahead, i: int, nodes: Array, complete: bool) -> tuple[float, float]:
    """Bounds on the sum and on the heaviest of what may follow a configuration: a set of stacks is bounded by the sum
    over their nodes."""
    total, best = -np.inf, -np.inf
    for node in nodes:
        more = log_of(ahead.nodes, i, node)
        best = max(best, ahead.nodes.best[i, node])
        if more > -np.inf:
            high, low = max(total, more), min(total, more)
            total = high + np.log1p(np.exp(low - high)) if low > -np.inf else high
    kind = np.int64(complete)
    return min(total, ahead.caps[0, kind, i]), min(best, ahead.caps[1, kind, i])


@kernel(nogil=True)
def without(kept: Frontiers, heavy: Array) -> tuple[Array, Array]:
    """[N + 1] nats: the sum and the heaviest of the keys at each position that are not marked as heavy [T]."""
    light, lightest = np.full((2, kept.dropped.size), -np.inf)
    for i in range(kept.dropped.size):
        low, high = kept.begin[i], kept.begin[i + 1]
        rest = np.empty(high - low, np.bool_)
        for k in range(low, high):
            rest[k - low] = not heavy[k]
            if not heavy[k]:
                lightest[i] = max(lightest[i], kept.top[k])
        light[i] = log_sum_of(kept.key[low:high], rest)
    return light, lightest


@kernel(nogil=True)
def follow_back(kept: Frontiers, arcs: Leaving, sets: Weighed, place: Array) -> tuple[Array, Array]:
    """[T] nats: the sum and the heaviest of what follows each configuration within what is kept."""
    after, after_best = np.full((2, kept.number.size), -np.inf)
    last = kept.dropped.size - 1
    for k in range(kept.begin[last], kept.begin[last + 1]):
        after[k] = after_best[k] = 0.0
    for i in range(last - 1, -1, -1):
        for k in range(kept.begin[i + 1], kept.begin[i + 2]):
            place[kept.number[k]] = k
        for k in range(kept.begin[i], kept.begin[i + 1]):
            s = kept.number[k]
            high, total, best = -np.inf, 0.0, -np.inf
            for e in range(arcs.at[s], arcs.at[s] + arcs.size[s]):
                t = place[arcs.targets[e]]
                if t < 0:
                    continue
                w = sets.mass[i, arcs.sets[e]] + after[t]
                if w == -np.inf:
                    continue
                best = max(best, sets.top[i, arcs.sets[e]] + after_best[t])
                gap = w - high
                if gap > 0.0:
                    total = 1.0 + (total * np.exp(-gap) if gap < -NEGLIGIBLE else 0.0)
                    high = w
                elif gap > NEGLIGIBLE:
                    total += np.exp(gap)
            after[k] = high + np.log(total) if total > 0.0 else -np.inf
            after_best[k] = best
        for k in range(kept.begin[i + 1], kept.begin[i + 2]):
            place[kept.number[k]] = -1
    return after, after_best
