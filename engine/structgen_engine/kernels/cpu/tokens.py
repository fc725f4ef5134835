"""From classes back to tokens: a token drawn inside a class or its best one, and the marginals of all tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Alphabet
from structgen_engine.kernels.cpu.classes import BLOCK, Members, members_of, open_rows
from structgen_engine.kernels.cpu.logits import SUM, exp, held, put, single, stored
from structgen_engine.kernels.cpu.threads import run
from structgen_engine.kernels.scores import ClassScores, largest, place_

Array = NDArray[Any]

NEAR = 64.0  # nats: sums of float32 numbers below it are right to 4e-6


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

    Where all peaks of a position are NEAR 0, one shift for each class is exact enough. Elsewhere the distance from the
    peak of the class is taken first, which costs a second look-up.
    """
    if not out[0].is_contiguous() or out.dtype in (torch.float16, torch.float64):
        table = torch.empty(out.shape)
        shift(logits, alphabet, scores, classes, table, temperature=temperature, least=least)
        out.copy_(table)
        return
    possible = classes > 0
    peaks = torch.where(possible, scores.peak, 0.0)
    share = torch.where(possible, classes.log() + peaks - scores.log_sum, IMPOSSIBLE)
    near = (peaks.abs() <= NEAR).all(-1)
    top = torch.where(near[..., None], 0.0, peaks * temperature).float()
    share = torch.where(near[..., None], share - peaks, share).float()
    class_of, bound = alphabet.class_of.numpy().astype(np.uint32), np.float32(largest(temperature))
    given = class_of, np.float32(1 / temperature), bound, np.float32(least)
    sources, targets = [stored(row) for row in logits], [stored(row) for row in out]
    tables = [tuple(t[b].numpy() for t in (near, top, share)) for b in range(len(out))]
    run(
        [
            partial(_shift, rows, sources[b], targets[b], *given, *tables[b])
            for b, rows in open_rows(scores.pinned)
        ]
    )
    place_(out, classes.log().clamp_min(least), scores.pinned, alphabet, empty=least)


def spread(
    logits: Tensor, alphabet: Alphabet, scores: ClassScores, classes: Tensor, *, temperature: float = 1.0
) -> Tensor:
    """Token marginals [B, N, V of the logits] from class marginals [B, N, K]; zero outside the alphabet."""
    out = torch.empty(logits.shape, dtype=torch.float32)
    possible = scores.peak > IMPOSSIBLE
    top = torch.where(possible, scores.peak * temperature, 0.0).float()
    share = torch.where(possible, classes * (scores.peak - scores.log_sum).exp(), 0.0).float()
    class_of, scale = alphabet.class_of.numpy().astype(np.uint32), np.float32(1 / temperature)
    bound = np.float32(largest(temperature))
    sources = [stored(row) for row in logits]
    tables = [
        (class_of, scale, bound, top[b].numpy(), share[b].numpy(), out[b].numpy()) for b in range(len(out))
    ]
    run([partial(_spread, rows, sources[b], *tables[b]) for b, rows in open_rows(scores.pinned)])
    place_(out, classes, scores.pinned, alphabet)
    return out.to(logits.dtype)


@numba.njit(nogil=True, cache=True, inline="always")
def _share(high: float, mass: float, top: float, scale: float) -> float:
    """The mass of a chunk with maximum `high`, relative to `top`; 0 if that is too small for a float64."""
    return mass * np.exp((high - top) * scale) if high > -np.inf else 0.0


@numba.njit(nogil=True, cache=True)
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
    buffer = np.empty(BLOCK, np.float32)
    inverse, most = np.float32(scale), np.float32(bound)
    for i in range(labels.size):
        if out[i] >= 0:
            continue
        chunks = members.of_class[members.offsets[labels[i]] : members.offsets[labels[i] + 1]]
        top, total = -np.inf, 0.0
        for k in chunks:
            top = max(top, float(held(tops[i, k], bound)))
        for k in chunks:
            total += _share(held(tops[i, k], bound), sums[i, k], top, scale)
        rest, at, left = uniforms[i] * total, -1, 0.0
        for k in chunks:
            share = _share(held(tops[i, k], bound), sums[i, k], top, scale)
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
        j = _inside(buffer, n, held(np.float32(tops[i, at]), most), most, inverse, left)
        out[i] = members.begin[at] + members.token[low + j]


@numba.njit(nogil=True, cache=True)
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


@numba.njit(nogil=True, cache=True)
def _top_tokens(logits: Array, members: Members, tops: Array, labels: Array, out: Array) -> None:
    """Fill the open positions of `out` [N]."""
    for i in range(labels.size):
        if out[i] >= 0:
            continue
        chunks = members.of_class[members.offsets[labels[i]] : members.offsets[labels[i] + 1]]
        at = chunks[0]
        for k in chunks:
            at = k if tops[i, k] > tops[i, at] else at
        for j in range(members.chunk[at], members.chunk[at + 1]):
            token = members.begin[at] + members.token[j]
            if np.float32(single(logits[i, token])) == tops[i, at]:
                out[i] = token
                break


@numba.njit(nogil=True, cache=True, fastmath=SUM)
def _shift(
    rows: Array,
    logits: Array,
    out: Array,
    class_of: Array,
    scale: Any,
    bound: Any,
    least: Any,
    near: Array,
    top: Array,
    share: Array,
) -> None:
    """out[i, v] = (x − top[i, c])·scale + share[i, c], at least `least`; `top` is 0 where `near`."""
    zero = np.float32(0)
    for i in rows:
        source, target, tops, shares = logits[i], out[i], top[i], share[i]
        if near[i]:
            for v in range(class_of.size):
                value = single(source[v]) * scale + shares[class_of[v]]
                put(target, v, value if value > least else least)
        else:
            for v in range(class_of.size):
                c = class_of[v]
                value = min((held(single(source[v]), bound) - tops[c]) * scale, zero) + shares[c]
                put(target, v, value if value > least else least)
        for v in range(class_of.size, target.size):
            put(target, v, least)


@numba.njit(nogil=True, cache=True, fastmath=SUM)
def _spread(
    rows: Array, logits: Array, class_of: Array, scale: Any, bound: Any, top: Array, share: Array, out: Array
) -> None:
    """out[i, v] = share[i, c] · exp((x − top[i, c])·scale); float32 suffices relative to the class's maximum."""
    zero, least = np.float32(0), np.float32(-87)
    for i in rows:
        peaks, shares, row, target = top[i], share[i], logits[i], out[i]
        if peaks.min() < np.float32(88) / scale - bound:  # `bound` raises tokens of some class
            for v in range(class_of.size):
                c = class_of[v]
                d = min((held(single(row[v]), bound) - peaks[c]) * scale, zero)
                target[v] = exp(max(d, least)) * shares[c] if d > least else zero
            target[class_of.size :] = zero
            continue
        for v in range(class_of.size):
            c = class_of[v]
            d = (single(row[v]) - peaks[c]) * scale
            d = d if d < zero else zero  # a refused token may exceed the 0 that replaces its peak
            near = d if d > least else least
            target[v] = exp(near) * shares[c] if d > least else zero
        for v in range(class_of.size, target.size):
            target[v] = zero
