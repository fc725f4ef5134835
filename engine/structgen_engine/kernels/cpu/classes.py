"""Class scores: one pass over the logits, sixteen positions at a time.

The vocabulary is cut into blocks of BLOCK tokens. The tokens of one class in one block are a *chunk*; a block lists its
chunks one after the other, so the classes may lie in the vocabulary in any way. For a group of sixteen positions, each
block of logits is transposed into scratch (`lanes.tile`), where a token is a vector of sixteen scores. Each chunk is
then reduced to its maximum, Σ 2^d and Σ 2^d·d with d = (x − maximum) in bits, and merged into its class.

The exponentials of a chunk are taken relative to the maximum of its whole block, which is known beforehand. Where a
chunk's own maximum lies far below (FAR), or scores are −inf or beyond the bound, it is summed again relative to its own
(`_careful`), so that classes 200 nats apart do not underflow. The sums of large classes' chunks are kept: drawing
a token inside a class then scans one chunk instead of a hundred thousand tokens.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, REFUSED, Alphabet
from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.lanes import (
    LANES,
    LEAST,
    LINE,
    above,
    add,
    below,
    clamped,
    counted,
    every,
    exp2,
    fma,
    load,
    mul,
    prefetch,
    splat,
    store,
    sub,
    tile,
    where,
)
from structgen_engine.kernels.cpu.logits import SUM, exp, held, narrowed, single, stored
from structgen_engine.kernels.cpu.memory import borrowed
from structgen_engine.kernels.cpu.threads import run
from structgen_engine.kernels.scores import LARGEST, ClassScores, largest, pin_

Array = NDArray[Any]

BLOCK = 2048  # tokens; a block of sixteen positions takes 128 KiB, a part of the second-level cache
ALONE = 4  # positions: a group this small is reduced row by row, which costs a sixth of a group each
READ_WHOLE = (
    512  # tokens: the sums of a class no larger than this are not kept, since a draw can read all of it
)
FAR = 40.0  # bits, 28 nats: a chunk this far below the maximum of its block is summed relative to its own
BITS = 1 / np.log(2.0)  # of one nat


class Members(NamedTuple):
    """The tokens of an alphabet, block by block and there class by class, without the refused.

    token: [V'] uint16, counted from the start of its block; chunk: [C + 1], where each chunk starts in `token`;
    label: [C], the class of each chunk; begin: [C], the first token of its block; first: [blocks + 1], the first chunk
    of each block; of_class: [C], chunks by class, those of class c are of_class[offsets[c] : offsets[c + 1]]
    """

    token: Array
    chunk: Array
    label: Array
    begin: Array
    first: Array
    of_class: Array
    offsets: Array
    column: Array


_members: WeakKeyDictionary[Alphabet, Members] = WeakKeyDictionary()


def members_of(alphabet: Alphabet) -> Members:
    """The members of an alphabet's classes, computed once per alphabet."""
    if alphabet not in _members:
        labels = alphabet.class_of.numpy()
        token, chunk, label, first = _by_block(labels, alphabet.size)
        begin = np.repeat(np.arange(len(first) - 1) * BLOCK, np.diff(first))
        offsets = np.zeros(alphabet.size + 1, np.int64)
        offsets[1:] = np.bincount(label, minlength=alphabet.size).cumsum()
        of_class = np.argsort(label, kind="stable")
        large = np.bincount(labels, minlength=alphabet.size)[label] > READ_WHOLE
        column = np.where(large, large.cumsum() - 1, -1)
        _members[alphabet] = Members(token, chunk, label, begin, first, of_class, offsets, column)
    return _members[alphabet]


def class_scores(
    logits: Tensor, alphabet: Alphabet, *, settled: Tensor | None = None, temperature: float = 1.0
) -> ClassScores:
    """Log-sum, entropy, peak and count of the tokens of each class; logits [B, N, ≥ V], settled [B, N]."""
    B, N, _ = logits.shape
    members, K = members_of(alphabet), alphabet.size
    log_sum, peak = torch.from_numpy(borrowed((2, B, N, K), np.float64)).fill_(IMPOSSIBLE)
    entropy = torch.from_numpy(borrowed((B, N, K), np.float64)).zero_()
    count = torch.from_numpy(borrowed((B, N, K), np.int32)).zero_()
    columns = int(members.column.max(initial=-1)) + 1
    tops, sums = torch.from_numpy(borrowed((2, B, N, columns), np.float32))
    pinned = torch.full((B, N), -1, dtype=torch.int64) if settled is None else settled
    given = members, len(alphabet.class_of), 1 / temperature, largest(temperature)
    tasks = []
    for b in range(B):
        tables = _Tables(*(t[b].numpy() for t in (log_sum, entropy, peak, count, tops, sums)))
        row = stored(narrowed(logits[b]))
        for positions in groups_of((pinned[b] < 0).nonzero().flatten().numpy(), row):
            kernel = _rowwise if len(positions) <= ALONE else _grouped
            tasks.append(partial(kernel, row, positions, *given, tables))
    run(tasks)
    return pin_(ClassScores(log_sum, entropy, peak, count, pinned, (tops, sums)), alphabet)


def groups_of(positions: Array, logits: Array) -> list[Array]:
    """The positions in groups of sixteen, as far as possible of rows that start at the same place of a cache line."""
    phase = positions * logits.strides[0] % LINE
    positions = positions[np.argsort(phase, kind="stable")]
    return [positions[low : low + LANES] for low in range(0, len(positions), LANES)]


class _Tables(NamedTuple):
    """The tables that the kernels fill for one row of the batch: [N, K] for classes, [N, columns] for chunks.

    tops: unclamped logits, even beyond the bound; sums: of exponentials relative to the top, 0 where it is −inf
    """

    log_sum: Array
    entropy: Array
    peak: Array
    count: Array
    tops: Array
    sums: Array


@kernel(nogil=True)
def _by_block(class_of: Array, size: int) -> Any:
    """`token`, `chunk`, `label` and `first` of `Members`: a counting sort of each block."""
    total = 0
    for c in class_of:
        total += c != REFUSED
    token, chunk, label = np.empty(total, np.uint16), np.empty(total + 1, np.int64), np.empty(total, np.int64)
    blocks = (class_of.size + BLOCK - 1) // BLOCK
    first, found, filled = np.zeros(blocks + 1, np.int64), 0, 0
    count, slot = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for n in range(blocks):
        low, high = n * BLOCK, min((n + 1) * BLOCK, class_of.size)
        for v in range(low, high):
            c = class_of[v]
            if c != REFUSED:
                if count[c] == 0:
                    label[found] = c
                    found += 1
                count[c] += 1
        for k in range(first[n], found):
            chunk[k], slot[label[k]] = filled, filled
            filled += count[label[k]]
            count[label[k]] = 0
        for v in range(low, high):
            c = class_of[v]
            if c != REFUSED:
                token[slot[c]] = v - low
                slot[c] += 1
        first[n + 1] = found
    chunk[found] = filled
    return token, chunk[: found + 1].copy(), label[:found].copy(), first


@kernel(nogil=True)
def transposed(
    logits: Array, rows: Array, width: int, low: int, high: int, start: int, out: Array, at: Any
) -> Any:
    """Transpose the tokens [low, high) to `out`, token v to place at + 16·(v − start); returns the rows' maxima.

    Tiles begin at `start`, where the first row is at the start of a cache line, and may reach beyond the tokens but not
    beyond the rows: what is left at both ends is copied.
    """
    step = LINE // logits.itemsize
    column = start if start >= 0 else start + step
    highest = splat(np.float32(-np.inf))
    for v in range(low, min(column, high)):
        for p in range(LANES):
            out[at + LANES * (v - start) + p] = single(logits[rows[p] + v])
        highest = above(load(out, at + LANES * (v - start)), highest)
    while column < high and column + step <= width:
        highest = above(tile(logits, rows, column, out, at + LANES * (column - start)), highest)
        column += step
    for v in range(column, high):
        for p in range(LANES):
            out[at + LANES * (v - start) + p] = single(logits[rows[p] + v])
        highest = above(load(out, at + LANES * (v - start)), highest)
    return highest


@kernel(nogil=True)
def _careful(
    scores: Array, at: int, token: Array, low: int, high: int, top: Any, scale: Any, bound: Any
) -> Any:
    """Sum, moment and count of a chunk relative to its own maximum `top`, with scores clamped to ±bound."""
    least, zero = splat(np.float32(LEAST)), splat(np.float32(0))
    mass, moment, count = zero, zero, zero
    shift = where(top, clamped(top, bound), zero)
    for j in range(low, high):
        x = load(scores, at + LANES * np.int64(token[j]))
        d = mul(sub(clamped(x, bound), shift), scale)
        d = above(least, d)
        e = exp2(d)
        mass, moment, count = add(mass, e), fma(e, d, moment), add(count, counted(x))
    return where(top, mass, mul(mass, zero)), where(top, moment, mul(moment, zero)), count


@kernel(nogil=True)
def _merge(
    totals: Array, at: int, plane: int, top: Any, mass: Any, moment: Any, count: Any, scale: Any
) -> None:
    """Add a chunk to its class in totals [4, K, 16]: maximum, sum and moment relative to it, and count."""
    least, old = splat(np.float32(LEAST)), load(totals, at)
    new = above(old, top)
    shift = where(new, new, splat(np.float32(0)))
    before, now = above(least, mul(sub(old, shift), scale)), above(least, mul(sub(top, shift), scale))
    share, own, had = exp2(before), exp2(now), load(totals, at + plane)
    moments = mul(share, fma(before, had, load(totals, at + 2 * plane)))
    store(totals, at, new)
    store(totals, at + plane, fma(share, had, mul(own, mass)))
    store(totals, at + 2 * plane, fma(own, fma(now, mass, moment), moments))
    store(totals, at + 3 * plane, add(load(totals, at + 3 * plane), count))


@kernel(nogil=True)
def _grouped(
    logits: Array, positions: Array, members: Members, known: int, scale: float, bound: float, out: _Tables
) -> None:
    """Class scores of up to sixteen positions of logits [N, V]; lanes without a position repeat the last one."""
    width = logits.shape[1]
    flat, step, K = logits.reshape(logits.size), LINE // logits.itemsize, out.count.shape[1]
    row, rows = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    for p in range(LANES):
        row[p] = positions[min(p, positions.size - 1)]
        rows[p] = row[p] * width
    phase = (flat.ctypes.data + rows[0] * logits.itemsize) % LINE // logits.itemsize
    scores = np.empty((BLOCK + 3 * step) * LANES, np.float32)
    begin = np.int64((LINE - scores.ctypes.data % LINE) % LINE // 4)
    plane, line, small = K * LANES, np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    totals = np.zeros(4 * plane, np.float32)
    for at in range(plane):
        totals[at] = -np.inf

    bits, minus = splat(np.float32(scale * BITS)), splat(np.float32(-scale * BITS))
    least, zero, most = splat(np.float32(LEAST)), splat(np.float32(0)), splat(np.float32(bound))
    far, finite = splat(np.float32(FAR)), splat(np.float32(-LARGEST))
    lowest = splat(
        np.float32(88 / scale - bound)
    )  # the bound raises tokens of a chunk whose maximum is lower
    for n in range(members.first.size - 1):
        low, high = n * BLOCK, min((n + 1) * BLOCK, known)
        start = low - (phase + low) % step
        highest = transposed(flat, rows, width, low, high, start, scores, begin)
        against = mul(highest, minus)
        base = begin + LANES * (low - start)
        ahead, after = (
            0,
            start + (high - start + step - 1) // step * step,
        )  # the next block is asked for meanwhile
        for k in range(members.first[n], members.first[n + 1]):
            first, last = members.chunk[k], members.chunk[k + 1]
            top, bottom = splat(np.float32(-np.inf)), splat(np.float32(np.inf))
            mass, moment, count = zero, zero, splat(np.float32(last - first))
            for j in range(first, last):
                x = load(scores, base + LANES * np.int64(members.token[j]))
                top, bottom = above(x, top), below(x, bottom)
                d = above(least, fma(x, bits, against))
                e = exp2(d)
                mass, moment = add(mass, e), fma(e, d, moment)
                prefetch(flat, min(rows[ahead % LANES] + after + ahead // LANES * step, flat.size - 1))
                ahead += 1
            gap = sub(
                mul(sub(highest, top), bits), fma(highest, bits, against)
            )  # and the rounding of `against`
            if every(gap, far) and every(highest, most) and every(lowest, top) and every(finite, bottom):
                share = exp2(gap)
                mass, moment = mul(share, mass), mul(share, fma(gap, mass, moment))
            else:
                mass, moment, count = _careful(scores, base, members.token, first, last, top, bits, most)
            column = members.column[k]
            if column >= 0:
                store(line, 0, top)
                store(small, 0, mass)
                for p in range(LANES):
                    out.tops[row[p], column], out.sums[row[p], column] = line[p], small[p]
            at = members.label[k] * LANES
            _merge(totals, at, plane, clamped(top, most), mass, moment, count, bits)
    for c in range(1, K):
        for p in range(positions.size):
            at = c * LANES + p
            if totals[3 * plane + at] > 0:
                _put(
                    out,
                    row[p],
                    c,
                    np.float64(totals[at]) * scale,
                    np.float64(totals[plane + at]),
                    totals[2 * plane + at] / BITS,
                    totals[3 * plane + at],
                )


@kernel(nogil=True)
def _put(out: _Tables, i: int, c: int, peak: float, mass: float, moment: float, count: Any) -> None:
    """Write the scores of a class from its sums relative to the peak, all in nats."""
    out.count[i, c], out.peak[i, c] = count, peak
    out.log_sum[i, c] = peak + np.log(mass)
    out.entropy[i, c] = max(0.0, np.log(mass) - moment / mass)


@kernel(nogil=True)
def _highest(x: Array, n: int) -> Any:
    """The maximum, and how many lie above −inf; compared as integers in the same order, because that vectorises."""
    top, count = np.int32(-(2**31)), np.int32(0)
    for j in range(n):
        bits = np.float32(x[j]).view(np.int32)
        key = np.int32(bits ^ (np.int32(bits >> np.int32(31)) & np.int32(0x7FFFFFFF)))
        top = key if key > top else top
        count += np.int32(key > np.int32(-0x7F800001))
    return np.int32(top ^ (np.int32(top >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32), count


@kernel(nogil=True, fastmath=SUM)
def _masses(x: Array, n: int, top: Any, scale: Any) -> Any:
    """Σ e and Σ e·d with d = (x − top)·scale and e = exp d.

    Below −87 nats e stays at 1e-38, which is negligible beside the 1 of the maximum and saves a branch.
    """
    mass, moment = np.float32(0), np.float32(0)
    for j in range(n):
        d = (x[j] - top) * scale
        d = np.float32(-87) if d < np.float32(-87) else d  # NaN stays NaN
        e = exp(d)
        mass += e
        moment += e * d
    return mass, moment


@kernel(nogil=True)
def _rowwise(
    logits: Array, positions: Array, members: Members, known: int, scale: float, bound: float, out: _Tables
) -> None:
    """Class scores of a few positions of logits [N, V], one after the other."""
    buffer = np.empty(BLOCK, np.float32)
    inverse, most = np.float32(scale), np.float32(bound)
    low_end = np.float32(88 / scale - bound)
    C = members.label.size
    tops, sums, moments = np.empty(C, np.float32), np.empty(C, np.float32), np.empty(C, np.float32)
    counts = np.empty(C, np.int32)
    for i in positions:
        for k in range(C):
            low, n = members.chunk[k], members.chunk[k + 1] - members.chunk[k]
            row = logits[i, members.begin[k] :]
            for j in range(n):
                buffer[j] = single(row[members.token[low + j]])
            high, counts[k] = _highest(buffer, n)
            tops[k], sums[k], moments[k] = high, np.float32(0), np.float32(0)
            if counts[k]:
                if high > most or high < low_end:
                    high = held(high, most)
                    for j in range(n):
                        buffer[j] = held(buffer[j], most)
                sums[k], moments[k] = _masses(buffer, n, high, inverse)
            column = members.column[k]
            if column >= 0:
                out.tops[i, column], out.sums[i, column] = tops[k], sums[k]
        for c in range(1, members.offsets.size - 1):
            top, count, mass, moment = -np.inf, 0, 0.0, 0.0
            chunks = members.of_class[members.offsets[c] : members.offsets[c + 1]]
            for k in chunks:
                count += counts[k]
                top = max(top, np.float64(held(tops[k], most)))
            for k in chunks:
                if sums[k] != 0:
                    gap = (np.float64(held(tops[k], most)) - top) * scale
                    share = np.exp(gap)
                    mass += share * sums[k]
                    moment += share * (moments[k] + gap * sums[k])
            if count:
                _put(out, i, c, top * scale, mass, moment, count)
