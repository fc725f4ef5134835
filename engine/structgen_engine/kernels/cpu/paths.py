"""Paths through the lattice: a joint draw and the heaviest one, both found left to right from each state's suffixes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import Dfa
from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.blocks import highest
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.scaled import BOTTOM, DOWN, Scaled, split
from structgen_engine.kernels.cpu.threads import run

Array = NDArray[Any]


def sample(weights: Tensor, dfa: Dfa, start: Tensor, beta: Scaled, uniforms: Tensor) -> Tensor:
    """Classes [B, N] of a joint draw; uniforms [B, N + 1] float64 in [0, 1)."""
    arcs = graph_of(dfa).classes
    out = torch.empty(weights.shape[:2], dtype=torch.int64)
    for b in range(len(weights)):
        draws = uniforms[b].double().numpy()
        _walk(arcs, weights[b].numpy(), start[b].numpy(), beta.row(b), draws, out[b].numpy())
    return out


def best(peaks: Tensor, dfa: Dfa, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Classes [B, N] of the heaviest path and its weight [B] (Viterbi 1967)."""
    graph = graph_of(dfa)
    out = torch.zeros(peaks.shape[:2], dtype=torch.int64)
    weight = torch.empty(len(peaks), dtype=torch.float64)

    def one(b: int) -> None:
        scores = peaks[b].numpy()
        beta = _suffixes(graph.leaving, graph.sets, scores, end[b].numpy())
        weight[b] = _heaviest(graph.classes, scores, start[b].numpy(), beta, out[b].numpy())

    run([partial(one, b) for b in range(len(peaks))])
    return out, weight


@kernel(nogil=True)
def _pick(mantissa: Array, level: Array, n: int, uniform: float) -> int:
    """An index below n with odds mantissa · 2^(RADIX·level), by inversion."""
    top = np.int32(BOTTOM)
    for j in range(n):
        if mantissa[j] > 0.0:
            top = max(top, level[j])
    total = 0.0
    for j in range(n):
        gap = top - level[j]
        if gap > 2:
            mantissa[j] = 0.0
        elif gap == 2:
            mantissa[j] *= DOWN * DOWN
        elif gap == 1:
            mantissa[j] *= DOWN
        total += mantissa[j]
    rest, last = uniform * total, -1
    for j in range(n):
        if mantissa[j] > 0.0:
            last = j
            rest -= mantissa[j]
            if rest < 0.0:
                break
    return last  # rounding may leave a remainder: then the last possible one


@kernel(nogil=True)
def _walk(arcs: Arcs, weights: Array, start: Array, beta: Scaled, uniforms: Array, out: Array) -> None:
    """Draw the entry state, then one arc at a time."""
    offsets, label, other = arcs
    bm, bl = beta
    N, K = weights.shape
    S = offsets.size - 1
    wm, wl = np.empty(K), np.empty(K, np.int32)
    pm, pl = np.empty(max(S, K)), np.empty(max(S, K), np.int32)
    split(start, pm, pl)
    for s in range(S):
        pm[s], pl[s] = pm[s] * bm[0, s], np.int32(pl[s] + bl[0, s])
    state = _pick(pm, pl, S, uniforms[0])
    for i in range(N):
        split(weights[i], wm, wl)
        low = offsets[state]
        n = offsets[state + 1] - low
        for j in range(n):
            c, t = label[low + j], other[low + j]
            pm[j], pl[j] = wm[c] * bm[i + 1, t], np.int32(wl[c] + bl[i + 1, t])
        chosen = low + _pick(pm, pl, n, uniforms[i + 1])
        out[i] = label[chosen]
        state = np.int64(other[chosen])


@kernel(nogil=True)
def _suffixes(arcs: Arcs, sets: Sets, peaks: Array, end: Array) -> Array:
    """[N + 1, S] nats: the heaviest suffix from each state; arcs carry bundles."""
    N, S, G = peaks.shape[0], arcs.offsets.size - 1, sets.offsets.size - 1
    beta, score = np.empty((N + 1, S)), np.empty(G)
    for s in range(S):  # assigning the array would compile numba's message about shapes, for two seconds
        beta[N, s] = end[s]
    for n in range(N):
        i = N - 1 - n
        ahead, now = beta[i + 1], beta[i]
        highest(sets.blocks, peaks[i], score)
        for s in range(S):
            top = -np.inf
            for e in range(arcs.offsets[s], arcs.offsets[s + 1]):
                here = score[arcs.label[e]] + ahead[arcs.other[e]]
                top = here if here > top else top
            now[s] = top
    return beta


@kernel(nogil=True)
def _heaviest(arcs: Arcs, peaks: Array, start: Array, beta: Array, out: Array) -> float:
    """Follow the suffix maxima `beta` over arcs that carry classes; returns the path's weight in nats."""
    offsets, label, other = arcs
    state, weight = 0, -np.inf
    for s in range(start.size):
        if start[s] + beta[0, s] > weight:
            state, weight = s, start[s] + beta[0, s]
    for i in range(peaks.shape[0]):
        top, chosen = -np.inf, -1
        for e in range(offsets[state], offsets[state + 1]):
            here = peaks[i, label[e]] + beta[i + 1, other[e]]
            if here > top:
                top, chosen = here, e
        if chosen < 0:
            return -np.inf
        out[i] = label[chosen]
        state = np.int64(other[chosen])
    return weight
