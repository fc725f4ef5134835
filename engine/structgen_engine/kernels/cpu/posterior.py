"""Results from alpha and beta together: class marginals, and the classes that are possible."""

from __future__ import annotations

from functools import partial
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, Dfa
from structgen_engine.kernels import Posterior
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.scaled import BOTTOM, Scaled, lowered, plus, split
from structgen_engine.kernels.cpu.threads import run, spans

Array = NDArray[Any]


def posterior(weights: Tensor, counts: Tensor, dfa: Dfa, alpha: Scaled, beta: Scaled) -> Posterior:
    """Class marginals [B, N, K], and the positions [B, N] where two tokens are possible."""
    graph = graph_of(dfa)
    B, N, K = weights.shape
    classes = torch.zeros(B, N, K, dtype=torch.float64)
    free = torch.zeros(B, N, dtype=torch.bool)
    tasks = []
    for b in range(B):
        given = weights[b].numpy(), counts[b].numpy(), alpha.row(b), beta.row(b)
        outputs = classes[b].numpy(), free[b].numpy()
        for low, high in spans(N, B):
            tasks.append(partial(_posterior, low, high, graph.leaving, graph.sets, *given, *outputs))
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


@numba.njit(nogil=True, cache=True)
def _posterior(
    low: int,
    high: int,
    arcs: Arcs,
    sets: Sets,
    weights: Array,
    counts: Array,
    alpha: Scaled,
    beta: Scaled,
    out: Array,
    free: Array,
) -> None:
    """Class marginals of the positions [low, high), and whether two tokens are possible there.

    First Σ α·β is computed over the pairs of states that a bundle joins; its classes then share it by their weights.
    """
    offsets, label, other = arcs
    (am, al), (bm, bl) = alpha, beta
    S, K, G = offsets.size - 1, weights.shape[1], sets.offsets.size - 1
    wm, wl = np.empty(K), np.empty(K, np.int32)
    jm, jl = np.empty(G), np.empty(G, np.int32)
    seen = np.full(K, -1)
    for i in range(low, high):
        split(weights[i], wm, wl)
        zm, zl = 0.0, np.int32(BOTTOM)
        jm[:], jl[:] = 0.0, BOTTOM
        for s in range(S):
            if am[i, s] == 0.0 or bm[i, s] == 0.0:
                continue
            zm, zl = plus(zm, zl, am[i, s] * bm[i, s], np.int32(al[i, s] + bl[i, s]))  # Z, from any position
            for e in range(offsets[s], offsets[s + 1]):
                g, t = label[e], other[e]
                at = np.int32(al[i, s] + bl[i + 1, t])
                jm[g], jl[g] = plus(jm[g], jl[g], am[i, s] * bm[i + 1, t], at)
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


@numba.njit(nogil=True, cache=True)
def _possible(arcs: Arcs, ahead: Array, behind: Array, out: Array) -> None:
    """out[i, c]: some arc of class c leads from a state in `ahead` [N + 1, S] to one in `behind` [N + 1, S]."""
    offsets, label, other = arcs
    for i in range(out.shape[0]):
        for s in range(offsets.size - 1):
            if ahead[i, s]:
                for e in range(offsets[s], offsets[s + 1]):
                    if behind[i + 1, other[e]]:
                        out[i, label[e]] = True
