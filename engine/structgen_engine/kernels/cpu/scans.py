"""Forward and backward: the weight of every prefix and of every suffix."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import Dfa
from structgen_engine.jit import kernel
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.scaled import (
    BOTTOM,
    RADIX,
    SHALLOW,
    Scaled,
    levels_of,
    lined_up,
    normal,
    plus,
    settled,
    split,
)
from structgen_engine.kernels.cpu.threads import run

Array = NDArray[Any]


def backward(weights: Tensor, dfa: Dfa, end: Tensor) -> Scaled:
    """Beta: the weight of every suffix; weights [B, N, K], end [B, S]."""
    return _scans(weights, dfa, end, back=True)


def forward(weights: Tensor, dfa: Dfa, start: Tensor) -> Scaled:
    """Alpha: the weight of every prefix; weights [B, N, K], start [B, S]."""
    return _scans(weights, dfa, start, back=False)


def nats(messages: Scaled) -> Tensor:
    """[B, N + 1, S] float64."""
    with np.errstate(divide="ignore"):
        return torch.from_numpy(np.log(messages.mantissa) + np.log(2.0) * RADIX * messages.level)


def log_partition(beta: Scaled, start: Tensor) -> Tensor:
    """log Z [B]: the sum over entry states of entering there, then any suffix."""
    return torch.logsumexp(start + nats(Scaled(beta.mantissa[:, 0], beta.level[:, 0])), -1)


def _scans(weights: Tensor, dfa: Dfa, edge: Tensor, *, back: bool) -> Scaled:
    """A scan of every row, side by side on the threads, from the weights `edge` [B, S] of one end."""
    graph, (B, N, _) = graph_of(dfa), weights.shape
    arcs, shape = graph.leaving if back else graph.entering, (B, N + 1, dfa.states)
    result = Scaled(np.empty(shape), np.empty(shape, np.int32))
    run(
        [
            partial(_scan, arcs, graph.sets, weights[b].numpy(), edge[b].numpy(), result.row(b), back)
            for b in range(B)
        ]
    )
    return result


@kernel(nogil=True)
def bundled(sets: Sets, wm: Array, wl: Array, gm: Array, gl: Array) -> None:
    """gm[g] = Σ over the classes of bundle g of their weights, in pairs."""
    offsets, member = sets
    for g in range(offsets.size - 1):
        total, level = 0.0, np.int32(BOTTOM)
        for k in range(offsets[g], offsets[g + 1]):
            total, level = plus(total, level, wm[member[k]], wl[member[k]])
        gm[g], gl[g] = normal(total, level)


@kernel(nogil=True, fastmath={"contract"})
def _step(arcs: Arcs, wm: Array, wl: Array, m: Array, lv: Array, om: Array, ol: Array) -> None:
    """om[s] = Σ over the arcs of s of w[label] · m[other], all in pairs."""
    offsets, label, other = arcs
    for s in range(offsets.size - 1):
        total, level = 0.0, np.int32(BOTTOM)
        for e in range(offsets[s], offsets[s + 1]):
            at = np.int32(wl[label[e]] + lv[other[e]])
            total, level = plus(total, level, wm[label[e]] * m[other[e]], at)
        om[s], ol[s] = normal(total, level)


@kernel(nogil=True, fastmath={"contract"})
def _plain_step(arcs: Arcs, w: Array, m: Array, level: int, om: Array, ol: Array) -> None:
    """`_step` with plain numbers, whose products are at a level."""
    offsets, label, other = arcs
    for s in range(offsets.size - 1):
        total = 0.0
        for e in range(offsets[s], offsets[s + 1]):
            total += w[label[e]] * m[other[e]]
        om[s], ol[s] = settled(total, level)


@kernel(nogil=True)
def _scan(arcs: Arcs, sets: Sets, weights: Array, edge: Array, out: Scaled, back: bool) -> None:
    """Fill `out` [N + 1, S] from the log weights `edge` [S] of one end: from the last position or from the first."""
    N, K = weights.shape
    m, lv = out
    wm, wl = np.empty(K), np.empty(K, np.int32)
    gm, gl = np.empty(sets.offsets.size - 1), np.empty(sets.offsets.size - 1, np.int32)
    w, other = np.empty(gm.size), np.empty(m.shape[1])
    here = N if back else 0
    split(edge, m[here], lv[here])
    for n in range(N):
        i = N - 1 - n if back else n
        split(weights[i], wm, wl)
        bundled(sets, wm, wl, gm, gl)
        then = i if back else i + 1
        (top, deep), (high, fall) = levels_of(gm, gl), levels_of(m[here], lv[here])
        if deep + fall <= SHALLOW:
            lined_up(gm, gl, top, w)
            lined_up(m[here], lv[here], high, other)
            _plain_step(arcs, w, other, top + high, m[then], lv[then])
        else:
            _step(arcs, gm, gl, m[here], lv[here], m[then], lv[then])
        here = then
