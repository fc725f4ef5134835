"""Results from alpha and beta together: class marginals, and the classes that are possible."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Dfa
from structgen_engine.jit import kernel
from structgen_engine.kernels import Posterior
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.scaled import (
    BOTTOM,
    SHALLOW,
    Scaled,
    levels_of,
    lined_up,
    lowered,
    normal,
    plus,
    settled,
    split,
)
from structgen_engine.kernels.cpu.scans import bundled
from structgen_engine.kernels.cpu.threads import run

Array = NDArray[Any]


def posterior(weights: Tensor, counts: Tensor, dfa: Dfa, start: Tensor, beta: Scaled) -> Posterior:
    """Class marginals [B, N, K], and the positions [B, N] where two tokens are possible; start [B, S]."""
    graph = graph_of(dfa)
    B, N, K = weights.shape
    classes = torch.zeros(B, N, K, dtype=torch.float64)
    free = torch.zeros(B, N, dtype=torch.bool)
    tasks = []
    for b in range(B):
        given = weights[b].numpy(), counts[b].numpy(), start[b].numpy(), beta.row(b)
        tasks.append(
            partial(_posterior, graph.leaving, graph.sets, *given, classes[b].numpy(), free[b].numpy())
        )
    run(tasks)
    return Posterior(classes, free)


def possible(weights: Tensor, dfa: Dfa, alpha: Scaled, beta: Scaled) -> Tensor:
    """[B, N, K] bool: the classes with an edge from a reachable state to one that can still end."""
    arcs = graph_of(dfa).classes
    out = torch.zeros(weights.shape, dtype=torch.bool)
    ahead, behind = alpha.mantissa > 0, beta.mantissa > 0
    for b in range(len(weights)):
        _possible(arcs, ahead[b], behind[b], out[b].numpy())
    return out & (weights != IMPOSSIBLE)


@kernel(nogil=True)
def _posterior(
    arcs: Arcs,
    sets: Sets,
    weights: Array,
    counts: Array,
    start: Array,
    beta: Scaled,
    out: Array,
    free: Array,
) -> None:
    """Class marginals, and whether two tokens are possible, while alpha moves forward from one position to the next.

    A walk over the arcs out of each position finds the next alpha, and for each bundle Σ α·β over the pairs of states
    that it joins; its classes then share that by their weights. States without a suffix have no part in either.
    """
    bm, bl = beta
    (N, K), S, G = weights.shape, arcs.offsets.size - 1, sets.offsets.size - 1
    wm, wl, gm, gl = np.empty(K), np.empty(K, np.int32), np.empty(G), np.empty(G, np.int32)
    am, al, jm, jl = np.empty(S), np.empty(S, np.int32), np.empty(G), np.empty(G, np.int32)
    w, a, b, ahead, joint = np.empty(G), np.empty(S), np.empty(S), np.empty(S), np.empty(G)
    nm, nl = np.empty(S), np.empty(S, np.int32)
    seen = np.full(K, -1)
    split(start, am, al)
    for i in range(N):
        split(weights[i], wm, wl)
        bundled(sets, wm, wl, gm, gl)
        zm, zl = 0.0, np.int32(BOTTOM)
        for s in range(S):
            if bm[i, s] == 0.0:
                am[s], al[s] = 0.0, BOTTOM
            elif am[s] > 0.0:
                zm, zl = plus(zm, zl, am[s] * bm[i, s], np.int32(al[s] + bl[i, s]))  # Z, from any position
        (top, deep), (high, fall), (far, depth) = (
            levels_of(gm, gl),
            levels_of(am, al),
            levels_of(bm[i + 1], bl[i + 1]),
        )
        if max(deep, depth) + fall <= SHALLOW:
            lined_up(gm, gl, top, w)
            lined_up(am, al, high, a)
            lined_up(bm[i + 1], bl[i + 1], far, b)
            _move(arcs, w, a, b, ahead, joint)
            for s in range(S):
                am[s], al[s] = settled(ahead[s], high + top)
            for g in range(G):
                jm[g], jl[g] = settled(joint[g], high + far)
        else:
            _move_far(arcs, gm, gl, am, al, bm[i + 1], bl[i + 1], nm, nl, jm, jl)
            am, nm, al, nl = nm, am, nl, al
        choices = 0
        for g in range(G):
            if jm[g] == 0.0:
                continue
            for k in range(sets.offsets[g], sets.offsets[g + 1]):
                c = sets.member[k]
                if wm[c] == 0.0:
                    continue
                if seen[c] != i:
                    seen[c] = i
                    choices += counts[i, c]
                out[i, c] += lowered(jm[g] / zm * wm[c], zl - jl[g] - wl[c])
        free[i] = choices > 1


@kernel(nogil=True, fastmath={"contract"})
def _move(arcs: Arcs, w: Array, a: Array, b: Array, ahead: Array, joint: Array) -> None:
    """ahead[t] = Σ a[s] · w[g] and joint[g] = Σ a[s] · b[t] over the arcs from s by g to t, in plain numbers."""
    offsets, label, other = arcs
    ahead[:], joint[:] = 0.0, 0.0
    for s in range(offsets.size - 1):
        own = a[s]
        if own > 0.0:
            for e in range(offsets[s], offsets[s + 1]):
                g, t = label[e], other[e]
                ahead[t] += own * w[g]
                joint[g] += own * b[t]


@kernel(nogil=True)
def _move_far(
    arcs: Arcs,
    gm: Array,
    gl: Array,
    am: Array,
    al: Array,
    bm: Array,
    bl: Array,
    nm: Array,
    nl: Array,
    jm: Array,
    jl: Array,
) -> None:
    """`_move` in pairs, where weights lie too far apart for plain numbers."""
    offsets, label, other = arcs
    nm[:], nl[:], jm[:], jl[:] = 0.0, BOTTOM, 0.0, BOTTOM
    for s in range(offsets.size - 1):
        if am[s] > 0.0:
            for e in range(offsets[s], offsets[s + 1]):
                g, t = label[e], other[e]
                nm[t], nl[t] = plus(nm[t], nl[t], am[s] * gm[g], np.int32(al[s] + gl[g]))
                jm[g], jl[g] = plus(jm[g], jl[g], am[s] * bm[t], np.int32(al[s] + bl[t]))
    for s in range(nm.size):
        nm[s], nl[s] = normal(nm[s], nl[s])


@kernel(nogil=True)
def _possible(arcs: Arcs, ahead: Array, behind: Array, out: Array) -> None:
    """out[i, c]: some arc of class c leads from a state in `ahead` [N + 1, S] to one in `behind` [N + 1, S]."""
    offsets, label, other = arcs
    for i in range(out.shape[0]):
        for s in range(offsets.size - 1):
            if ahead[i, s]:
                for e in range(offsets[s], offsets[s + 1]):
                    if behind[i + 1, other[e]]:
                        out[i, label[e]] = True
