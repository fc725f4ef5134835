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
from structgen_engine.kernels.cpu.blocks import summed
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.memory import borrowed
from structgen_engine.kernels.cpu.scaled import (
    BOTTOM,
    LEAST_SUM,
    LEVELS_APART,
    MOST_SUM,
    NEGLIGIBLE,
    RADIX,
    WINDOWS,
    Scaled,
    normal,
    plus,
    relative,
    settle,
    split,
    window,
    windows,
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
    result = Scaled(borrowed(shape, np.float64), borrowed(shape, np.int32))
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
    offsets, member = sets.offsets, sets.member
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
def _windowed_step(
    arcs: Arcs, w: Array, unit: Any, m: Array, lv: Array, om: Array, ol: Array, which: Array, tables: Array
) -> None:
    """`_step` with plain weights, which count `unit`, a pair; each state reads the others through its own window.

    A sum that the window does not hold, because a state's weight has changed by many levels, is added up in pairs.
    """
    offsets, label, other = arcs
    S = offsets.size - 1
    (scale, high), (first, number) = unit, windows(m, lv, which)
    for k in range(number):
        window(m, lv, first - LEVELS_APART * k, NEGLIGIBLE, tables[k * S : (k + 1) * S])
    for s in range(S):
        start, total = np.uint64(which[s]) * np.uint64(S), 0.0
        for e in range(offsets[s], offsets[s + 1]):
            total += w[label[e]] * tables[start + np.uint64(other[e])]
        om[s], ol[s] = total, np.int32(first - LEVELS_APART * which[s] + high)
        if not (LEAST_SUM <= total <= MOST_SUM or total == 0.0):
            total, level = 0.0, np.int32(BOTTOM)
            for e in range(offsets[s], offsets[s + 1]):
                total, level = plus(total, level, w[label[e]] * m[other[e]], lv[other[e]])
            om[s], ol[s] = total, np.int32(level + high)
    settle(om, scale, ol)


@kernel(nogil=True)
def _scan(arcs: Arcs, sets: Sets, weights: Array, edge: Array, out: Scaled, back: bool) -> None:
    """Fill `out` [N + 1, S] from the log weights `edge` [S] of one end: from the last position or from the first."""
    N, K = weights.shape
    m, lv = out
    S, G = arcs.offsets.size - 1, sets.offsets.size - 1
    wm, wl, gm, gl = np.empty(K), np.empty(K, np.int32), np.empty(G), np.empty(G, np.int32)
    top, scale, high = np.empty(1), np.empty(1), np.empty(1, np.int32)
    which, tables = np.empty(S, np.int32), np.empty(WINDOWS * S)
    here = N if back else 0
    split(edge, m[here], lv[here])
    for n in range(N):
        i = N - 1 - n if back else n
        then = i if back else i + 1
        top[0] = relative(weights[i], wm)
        if top[0] > -np.inf:
            split(top, scale, high)
            summed(sets.blocks, wm, gm)
            unit = scale[0], high[0]
            _windowed_step(arcs, gm, unit, m[here], lv[here], m[then], lv[then], which, tables)
        else:
            split(weights[i], wm, wl)
            bundled(sets, wm, wl, gm, gl)
            _step(arcs, gm, gl, m[here], lv[here], m[then], lv[then])
        here = then
