"""From classes back to tokens: a token drawn inside a class or its best one, and the marginals of all tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Alphabet
from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.classes import (
    BLOCK,
    READ_WHOLE,
    Members,
    groups_of,
    members_of,
    transposed,
)
from structgen_engine.kernels.cpu.lanes import (
    LANES,
    LINE,
    above,
    add,
    below,
    clamped,
    load,
    mul,
    prefetch,
    splat,
    store,
    sub,
    untile,
)
from structgen_engine.kernels.cpu.logits import exp, held, narrowed, put, single, stored
from structgen_engine.kernels.cpu.threads import run
from structgen_engine.kernels.scores import ClassScores, largest, place_

Array = NDArray[Any]

VECTORS = (torch.float32, torch.bfloat16)  # what the vector kernels read and write


def draw_tokens(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    labels: Tensor,
    uniforms: Tensor,
    *,
    temperature: float = 1.0,
) -> Tensor:
    """Tokens [B, N], each drawn inside its class: first a chunk, then a token of it; labels, uniforms [B, N]."""
    assert scores.chunks is not None
    tops, sums = scores.chunks
    members, out = members_of(alphabet), scores.pinned.clone()
    for b in range(len(labels)):
        tables = members, 1 / temperature, largest(temperature), tops[b].numpy(), sums[b].numpy()
        _draw(stored(logits[b]), *tables, labels[b].numpy(), uniforms[b].double().numpy(), out[b].numpy())
    return out


def best_tokens(logits: Tensor, alphabet: Alphabet, scores: ClassScores, labels: Tensor) -> Tensor:
    """Tokens [B, N]: the highest score in each class; among equals, the lowest id."""
    assert scores.chunks is not None
    members, out = members_of(alphabet), scores.pinned.clone()
    for b in range(len(labels)):
        tops = scores.chunks[0][b].numpy()
        _top_tokens(stored(logits[b]), members, tops, labels[b].numpy(), out[b].numpy())
    return out


def shift(
    logits: Tensor,
    alphabet: Alphabet,
    scores: ClassScores,
    classes: Tensor,
    out: Tensor,
    *,
    temperature: float = 1.0,
    least: float = IMPOSSIBLE,
) -> None:
    """Write the log-marginals of tokens, nats, to `out`: at least `least`, which refused tokens get.

    The distance of a score from the peak of its class is taken first, because a float32 cannot hold the sum of large
    scores and their shift.
    """
    if out.dtype not in VECTORS or not out[0].is_contiguous():
        table = torch.empty(out.shape)
        shift(logits, alphabet, scores, classes, table, temperature=temperature, least=least)
        out.copy_(table)
        return
    possible = classes > 0
    top = torch.where(possible, scores.peak * temperature, 0.0).float()
    share = torch.where(possible, classes.log() + scores.peak - scores.log_sum, IMPOSSIBLE).float()
    class_of = alphabet.class_of.numpy()
    given = class_of, np.float32(1 / temperature), np.float32(largest(temperature)), np.float32(least)
    tasks = []
    for b, pinned in enumerate(scores.pinned):
        source, target = stored(narrowed(logits[b])), stored(out[b])
        for rows in groups_of((pinned < 0).nonzero().flatten().numpy(), source):
            tasks.append(partial(_shift, rows, source, target, *given, top[b].numpy(), share[b].numpy()))
    run(tasks)
    out[..., len(class_of) :] = least
    place_(out, classes.log().clamp_min(least), scores.pinned, alphabet, empty=least)


def spread(
    logits: Tensor, alphabet: Alphabet, scores: ClassScores, classes: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """Token marginals [B, N, V of the logits] from class marginals [B, N, K]; zero outside the alphabet."""
    table = torch.empty(logits.shape)
    shift(logits, alphabet, scores, classes, table, temperature=temperature)
    return table.exp_().to(logits.dtype)


@kernel(nogil=True, inline="always")
def _share(high: float, mass: float, top: float, scale: float) -> float:
    """The mass of a chunk with maximum `high`, relative to `top`; 0 if that is too small for a float64."""
    return mass * np.exp((high - top) * scale) if high > -np.inf else 0.0


@kernel(nogil=True)
def _read(row: Array, members: Members, chunks: Array, scores: Array, ids: Array) -> int:
    """Fill the scores and ids of the tokens of a small class, in ascending order; returns how many it has."""
    n = 0
    for k in chunks:
        for j in range(members.chunk[k], members.chunk[k + 1]):
            ids[n] = members.begin[k] + members.token[j]
            scores[n] = single(row[ids[n]])
            n += 1
    return n


@kernel(nogil=True)
def _draw(
    logits: Array,
    members: Members,
    scale: float,
    bound: float,
    tops: Array,
    sums: Array,
    labels: Array,
    uniforms: Array,
    out: Array,
) -> None:
    """Fill the open positions of `out` [N]."""
    buffer, ids = np.empty(BLOCK, np.float32), np.empty(READ_WHOLE, np.int64)
    inverse, most = np.float32(scale), np.float32(bound)
    for i in range(labels.size):
        if out[i] >= 0:
            continue
        chunks = members.of_class[members.offsets[labels[i]] : members.offsets[labels[i] + 1]]
        if members.column[chunks[0]] < 0:
            n = _read(logits[i], members, chunks, buffer, ids)
            high = np.float32(-np.inf)
            for j in range(n):
                high = max(high, held(buffer[j], most))
            out[i] = ids[_inside(buffer, n, high, most, inverse, uniforms[i])]
            continue
        top, total = -np.inf, 0.0
        for k in chunks:
            top = max(top, float(held(tops[i, members.column[k]], bound)))
        for k in chunks:
            column = members.column[k]
            total += _share(held(tops[i, column], bound), sums[i, column], top, scale)
        rest, at, left = uniforms[i] * total, -1, 0.0
        for k in chunks:
            column = members.column[k]
            share = _share(held(tops[i, column], bound), sums[i, column], top, scale)
            if share > 0.0:
                at, left = k, rest / share  # position inside the chunk, as a fraction of its mass
                if rest < share:
                    break
                rest -= share
        low, n, row = (
            members.chunk[at],
            members.chunk[at + 1] - members.chunk[at],
            logits[i, members.begin[at] :],
        )
        for j in range(n):
            buffer[j] = single(row[members.token[low + j]])
        high = held(np.float32(tops[i, members.column[at]]), most)
        j = _inside(buffer, n, high, most, inverse, left)
        out[i] = members.begin[at] + members.token[low + j]


@kernel(nogil=True)
def _inside(x: Array, n: int, high: Any, bound: Any, scale: Any, left: float) -> int:
    """The place below n at the fraction `left` of Σ exp((x − high)·scale), among places with x above −inf."""
    zero, least = np.float32(0), np.float32(-87)
    for j in range(n):
        d = (held(x[j], bound) - high) * scale
        x[j] = exp(d) if d > least else zero
    mass = 0.0
    for j in range(n):
        mass += x[j]
    rest, last = left * mass, -1
    for j in range(n):
        if x[j] > zero:
            last = j
            rest -= x[j]
            if rest < 0.0:
                break
    return last


@kernel(nogil=True)
def _top_tokens(logits: Array, members: Members, tops: Array, labels: Array, out: Array) -> None:
    """Fill the open positions of `out` [N]."""
    buffer, ids = np.empty(READ_WHOLE, np.float32), np.empty(READ_WHOLE, np.int64)
    for i in range(labels.size):
        if out[i] >= 0:
            continue
        chunks = members.of_class[members.offsets[labels[i]] : members.offsets[labels[i] + 1]]
        if members.column[chunks[0]] < 0:
            n = _read(logits[i], members, chunks, buffer, ids)
            best = 0
            for j in range(1, n):
                best = j if buffer[j] > buffer[best] else best
            out[i] = ids[best]
            continue
        at = chunks[0]
        for k in chunks:
            at = k if tops[i, members.column[k]] > tops[i, members.column[at]] else at
        for j in range(members.chunk[at], members.chunk[at + 1]):
            token = members.begin[at] + members.token[j]
            if np.float32(single(logits[i, token])) == tops[i, members.column[at]]:
                out[i] = token
                break


@kernel(nogil=True)
def _shift(
    positions: Array,
    logits: Array,
    out: Array,
    class_of: Array,
    scale: Any,
    bound: Any,
    least: Any,
    top: Array,
    share: Array,
) -> None:
    """out[i, v] = (x − top[i, c])·scale + share[i, c], at least `least`, for up to sixteen positions of logits [N, V].

    Lanes without a position repeat the last one, which then is written several times with the same numbers.
    """
    width, K = logits.shape[1], top.shape[1]
    flat, target, step = logits.reshape(logits.size), out.reshape(out.size), LINE // logits.itemsize
    rows, line = np.empty(LANES, np.int64), LINE // out.itemsize
    tops, shares = np.empty(K * LANES, np.float32), np.empty(K * LANES, np.float32)
    for p in range(LANES):
        i = positions[min(p, positions.size - 1)]
        rows[p] = i * width
        for c in range(K):
            tops[c * LANES + p], shares[c * LANES + p] = top[i, c], share[i, c]
    phase = (flat.ctypes.data + rows[0] * logits.itemsize) % LINE // logits.itemsize
    scores = np.empty((BLOCK + 3 * step) * LANES, np.float32)
    begin = np.int64((LINE - scores.ctypes.data % LINE) % LINE // 4)
    zero, scales, most, floor = splat(np.float32(0)), splat(scale), splat(bound), splat(least)
    for start in range(-phase, class_of.size, BLOCK):
        low, high = max(start, 0), min(start + BLOCK, class_of.size)
        transposed(flat, rows, width, low, high, start, scores, begin)
        after = start + BLOCK  # the next block is asked for meanwhile
        for v in range(low, high):
            at, c = begin + LANES * (v - start), LANES * np.int64(class_of[v])
            x = sub(clamped(load(scores, at), most), load(tops, c))
            x = below(mul(x, scales), zero)  # a refused token may exceed the 0 that replaces its peak
            store(scores, at, above(add(x, load(shares, c)), floor))
            ahead = rows[(v - low) % LANES] + after + (v - low) // LANES * step
            prefetch(flat, min(ahead, flat.size - 1))
        column = low if start >= 0 else min(start + step, high)
        for v in range(low, column):
            _copied(target, rows, v, scores, begin + LANES * (v - start))
        while column + line <= high:
            untile(scores, begin + LANES * (column - start), target, rows, column)
            column += line
        for v in range(column, high):
            _copied(target, rows, v, scores, begin + LANES * (v - start))


@kernel(nogil=True)
def _copied(out: Array, rows: Array, v: int, scores: Array, at: Any) -> None:
    """Write one token of sixteen rows."""
    for p in range(LANES):
        put(out, rows[p] + v, scores[at + p])
