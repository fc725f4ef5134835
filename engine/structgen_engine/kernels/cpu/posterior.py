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
from structgen_engine.kernels.cpu.blocks import Blocks, shared, summed
from structgen_engine.kernels.cpu.graph import Arcs, Sets, graph_of
from structgen_engine.kernels.cpu.memory import borrowed
from structgen_engine.kernels.cpu.scaled import (
    BOTTOM,
    DOWN,
    WINDOWS,
    Scaled,
    lowered,
    plus,
    relative,
    split,
    window,
)
from structgen_engine.kernels.cpu.scans import bundled
from structgen_engine.kernels.cpu.threads import run

Array = NDArray[Any]

# the least normal float32, 1e-38: marginals leave out paths through a state that is less probable
LEAST_SHARE = 2.0**-126


def posterior(weights: Tensor, counts: Tensor, dfa: Dfa, start: Tensor, beta: Scaled) -> Posterior:
    """Class marginals [B, N, K], and the positions [B, N] where two tokens are possible; start [B, S]."""
    graph = graph_of(dfa)
    B, N, K = weights.shape
    classes = torch.from_numpy(borrowed((B, N, K), np.float64)).zero_()
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
    """Class marginals, and whether two tokens are possible, while the probability of each state moves forward.

    A path in state s goes by bundle g to t with the probability w(g) · β(t) / β(s), so that the probabilities of states
    and moves are plain numbers though α and β are not. The classes of a bundle share its probability by their weights.
    """
    (N, K), S, G = weights.shape, arcs.offsets.size - 1, sets.offsets.size - 1
    wm, wl, gm, gl = np.empty(K), np.empty(K, np.int32), np.empty(G), np.empty(G, np.int32)
    top, scale, high = np.empty(1), np.empty(1), np.empty(1, np.int32)
    here, ahead, share = np.empty(S), np.empty(S), np.empty(G)
    which, tables, active = np.empty(S, np.int32), np.empty(WINDOWS * S), np.empty(S, np.int64)
    seen, unsure, last = np.full(K, -1), np.zeros(N, np.bool_), -1
    if not _entered(start, beta, here):
        return
    for i in range(N):
        now, then = (beta.mantissa[i], beta.level[i]), (beta.mantissa[i + 1], beta.level[i + 1])
        count = 0
        for s in range(S):
            if here[s] > LEAST_SHARE:
                active[count] = s
                count += 1
        for s in range(S):
            ahead[s] = 0.0
        for g in range(G):
            share[g] = 0.0
        top[0] = relative(weights[i], wm)
        plain = top[0] > -np.inf
        if plain:
            split(top, scale, high)
            summed(sets.blocks, wm, gm)
            unit = scale[0], high[0]
            _move(arcs, gm, unit, active[:count], here, now, then, ahead, share, which, tables)
        else:
            split(weights[i], wm, wl)
            bundled(sets, wm, wl, gm, gl)
            for s in active[:count]:
                _move_far(arcs, s, gm, gl, here[s], now, then, ahead, share)
        if plain:
            choices = _divided(sets.blocks, share, gm, wm, counts[i], i, out[i], seen)
        else:
            choices = _divided_far(sets, share, (gm, gl), (wm, wl), counts[i], i, out[i], seen)
        free[i] = choices > 1
        if choices <= 1:
            for c in range(K):
                unsure[i] |= wm[c] > 0.0 and seen[c] != i
            last = i if unsure[i] else last
        here, ahead = ahead, here
    _decide(arcs, sets, weights[: last + 1], counts, start, beta.mantissa, unsure, free)


@kernel(nogil=True)
def _divided(
    blocks: Blocks, share: Array, gm: Array, wm: Array, counts: Array, i: int, out: Array, seen: Array
) -> Any:
    """Divide the shares of bundles among their classes by weight, at position i; returns how many tokens are seen."""
    choices = 0
    for g in range(share.size):
        share[g] = share[g] / gm[g] if share[g] != 0.0 else 0.0
    shared(blocks, share, out)
    for c in range(out.size):
        if out[c] != 0.0 and wm[c] != 0.0:
            seen[c] = i
            choices += counts[c]
        out[c] *= wm[c]
    return choices


@kernel(nogil=True)
def _divided_far(
    sets: Sets, share: Array, bundle: Any, weight: Any, counts: Array, i: int, out: Array, seen: Array
) -> Any:
    """`_divided` with weights in pairs, which lie too far apart for plain numbers."""
    (gm, gl), (wm, wl), choices = bundle, weight, 0
    for g in range(share.size):
        if share[g] == 0.0:
            continue
        for k in range(sets.offsets[g], sets.offsets[g + 1]):
            c = sets.member[k]
            if wm[c] == 0.0:
                continue
            if seen[c] != i:
                seen[c] = i
                choices += counts[c]
            out[c] += share[g] * lowered(wm[c] / gm[g], gl[g] - wl[c])
    return choices


@kernel(nogil=True)
def _entered(start: Array, beta: Scaled, out: Array) -> bool:
    """Fill the probability of each state [S] before the first position; returns whether any block is possible."""
    bm, bl = beta.mantissa[0], beta.level[0]
    am, al, zm, zl = np.empty(start.size), np.empty(start.size, np.int32), 0.0, np.int32(BOTTOM)
    split(start, am, al)
    for s in range(start.size):
        if am[s] > 0.0 and bm[s] > 0.0:
            zm, zl = plus(zm, zl, am[s] * bm[s], np.int32(al[s] + bl[s]))
    for s in range(start.size):
        possible = am[s] > 0.0 and bm[s] > 0.0
        out[s] = lowered(am[s] / zm * bm[s], zl - al[s] - bl[s]) if possible else 0.0
    return zm > 0.0


@kernel(nogil=True, fastmath={"contract"})
def _move(
    arcs: Arcs,
    w: Array,
    unit: Any,
    active: Array,
    here: Array,
    now: Any,
    then: Any,
    ahead: Array,
    share: Array,
    which: Array,
    tables: Array,
) -> None:
    """Add the probability of each move out of the active states to `ahead` of its target and `share` of its bundle.

    The weights are plain numbers, which count `unit`, a pair. Each state reads the suffixes after it through a window
    in which its own is a number between LEAST_SUM and 1, so none of these that matters exceeds the window.
    """
    offsets, label, other = arcs
    (bm, bl), (m, lv), (scale, high), S = now, then, unit, offsets.size - 1
    first, built = np.int32(BOTTOM), np.zeros(WINDOWS, np.bool_)
    for s in active:
        first = max(first, np.int32(bl[s] - high))
    for s in active:
        gap = np.int32(first - (bl[s] - high))
        k = gap >> 1
        if k >= WINDOWS:
            _move_plain_far(arcs, s, w, unit, here[s], now, then, ahead, share)
            continue
        if not built[k]:
            window(m, lv, first - 2 * k, 0.0, tables[k * S : (k + 1) * S])
            built[k] = True
        start = np.uint64(k) * np.uint64(S)
        own = bm[s] if gap == 2 * k else bm[s] * DOWN
        rest = here[s] * scale / own
        for e in range(offsets[s], offsets[s + 1]):
            g, t = label[e], other[e]
            x = rest * tables[start + np.uint64(t)] * w[g]
            ahead[t] += x
            share[g] += x


@kernel(nogil=True)
def _move_plain_far(
    arcs: Arcs, s: int, w: Array, unit: Any, own: Any, now: Any, then: Any, ahead: Array, share: Array
) -> None:
    """`_move` of one state whose suffixes weigh far less than those of others."""
    offsets, label, other = arcs
    (bm, bl), (m, lv), (scale, high) = now, then, unit
    for e in range(offsets[s], offsets[s + 1]):
        g, t = label[e], other[e]
        if m[t] > 0.0 and w[g] > 0.0:
            x = lowered(own * scale / bm[s] * m[t] * w[g], bl[s] - lv[t] - high)
            ahead[t] += x
            share[g] += x


@kernel(nogil=True)
def _move_far(
    arcs: Arcs, s: int, gm: Array, gl: Array, own: Any, now: Any, then: Any, ahead: Array, share: Array
) -> None:
    """`_move` of one state in pairs, where weights lie too far apart for plain numbers."""
    offsets, label, other = arcs
    (bm, bl), (m, lv) = now, then
    for e in range(offsets[s], offsets[s + 1]):
        g, t = label[e], other[e]
        if m[t] > 0.0 and gm[g] > 0.0:
            x = lowered(own / bm[s] * m[t] * gm[g], bl[s] - lv[t] - gl[g])
            ahead[t] += x
            share[g] += x


@kernel(nogil=True)
def _decide(
    arcs: Arcs,
    sets: Sets,
    weights: Array,
    counts: Array,
    start: Array,
    suffix: Array,
    unsure: Array,
    free: Array,
) -> None:
    """Whether two tokens are possible at the unsure positions, of however little probability: by reachable states."""
    offsets, label, other = arcs
    S, G, K = offsets.size - 1, sets.offsets.size - 1, weights.shape[1]
    here, ahead, seen = start > -np.inf, np.zeros(S, np.bool_), np.full(K, -1)
    some, used, can = np.zeros(G), np.zeros(G, np.bool_), np.empty(K)
    for i in range(weights.shape[0]):
        for s in range(S):
            ahead[s] = False
        for g in range(G):
            used[g] = False
        for c in range(K):
            can[c] = 1.0 if weights[i, c] > -np.inf else 0.0
        summed(sets.blocks, can, some)
        for s in range(S):
            if here[s] and suffix[i, s] > 0.0:
                for e in range(offsets[s], offsets[s + 1]):
                    g, t = label[e], other[e]
                    if some[g] > 0.0 and suffix[i + 1, t] > 0.0:
                        ahead[t] = used[g] = True
        if unsure[i]:
            choices = 0
            for g in range(G):
                if used[g]:
                    for k in range(sets.offsets[g], sets.offsets[g + 1]):
                        c = sets.member[k]
                        if seen[c] != i and weights[i, c] > -np.inf:
                            seen[c] = i
                            choices += counts[i, c]
            free[i] = choices > 1
        here, ahead = ahead, here


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
