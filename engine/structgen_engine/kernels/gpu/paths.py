"""Paths through the lattice: a joint draw and the heaviest one. One program per row walks left to right by suffixes.

Both visit only the states on the path, and a state's edges in the order of their classes, so that the same uniforms
give the same path as the reference, up to rounding. The sum of the shares of a state's edges is known beforehand: it is
the state's beta.

Axes: B batch, N block, K classes, S states, E edges.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu.fields import (
    AT_CLASS,
    AT_STATE,
    CLASSES,
    EDGE_COUNT,
    EDGES,
    FIELDS,
    LEAVING,
    STATES,
)
from structgen_engine.kernels.gpu.layout import AutomatonLayout, power_of_two, warps
from structgen_engine.kernels.gpu.pairs import (
    BOTTOM,
    PER_NAT,
    ZERO,
    exponent,
    from_nats,
    mantissa,
    power,
    product,
)

ENTRIES = tl.constexpr(256)  # states that are read together when the entry is chosen


def draw(
    layout: AutomatonLayout,
    log_sum: Tensor,
    start: Tensor,
    beta: Tensor,
    uniforms: Tensor,
    labels: Tensor,
    log_partition: Tensor,
) -> None:
    """Fill labels [B, N] int64 with the classes of a joint draw, and log_partition [B] float64 with log Z in nats.

    log_sum: [ΣN·K] float64; start: [ΣS] float64; beta: pairs; uniforms: [B, ≥ N + 1] float64, the first for the entry
    """
    most = power_of_two(layout.most_edges)
    _draw[(len(layout.lines),)](
        layout.blob, layout.lines, log_sum, start, beta, uniforms, labels, log_partition, layout.positions,
        uniforms.stride(0), MOST_EDGES=most, num_warps=warps(most // 2),
    )  # fmt: skip


def follow(
    layout: AutomatonLayout, peaks: Tensor, start: Tensor, beta: Tensor, labels: Tensor, weight: Tensor
) -> None:
    """Fill labels [B, N] int64 and weight [B] float64 nats with the heaviest path (Viterbi 1967).

    peaks: [ΣN·K] float64; start: [ΣS] float64; beta: the heaviest suffixes, float64 nats
    """
    most = power_of_two(layout.most_edges)
    _follow[(len(layout.lines),)](
        layout.blob, layout.lines, peaks, start, beta, labels, weight, layout.positions,
        MOST_EDGES=most, num_warps=warps(most // 2),
    )  # fmt: skip


@triton.jit
def pick(share, uniform, index):
    """The first index whose cumulative share exceeds uniform · total, or the last possible one if rounding leaves none.

    share: [n] float64; returns −1 if all are 0
    """
    shares = tl.cumsum(share, 0)
    bound = uniform * tl.max(shares, 0)
    first = tl.min(tl.where((shares > bound) & (share > 0), index, 2147483647), 0)
    last = tl.max(tl.where(share > 0, index, -1), 0)
    return tl.where(first < 2147483647, first, last)


@triton.jit
def _draw(
    blob, lines, log_sum, start, beta, uniforms, labels, log_partition, N, stride, MOST_EDGES: tl.constexpr
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    line = lines + b * FIELDS
    states, classes = tl.load(line + STATES).to(tl.int32), tl.load(line + CLASSES)
    beta += tl.load(line + LEAVING + 2)
    log_sum += tl.load(line + AT_CLASS)
    uniforms += b * stride
    offsets = blob + tl.load(line + EDGES)
    label = offsets + states + 1
    target = label + tl.load(line + EDGE_COUNT)

    at = start + tl.load(line + AT_STATE)
    state, log_z = _entry(at, beta, states, tl.load(uniforms))  # pyright: ignore[reportGeneralTypeIssues]
    tl.store(log_partition + b, log_z)
    e = tl.arange(0, MOST_EDGES)
    for i in range(N):
        whole = tl.load(beta + state)
        beta += states
        low = tl.load(offsets + state)
        live = e < tl.load(offsets + state + 1) - low
        c = tl.load(label + low + e, mask=live, other=0)
        t = tl.load(target + low + e, mask=live, other=0)
        weight = from_nats(tl.load(log_sum + c, mask=live, other=float("-inf")))
        pair = product(weight, tl.load(beta + t, mask=live, other=ZERO))
        share = mantissa(pair) * power(exponent(pair) - exponent(whole))
        bound = (tl.load(uniforms + i + 1) * mantissa(whole)).to(tl.float32)
        first = tl.min(tl.where((tl.cumsum(share, 0) > bound) & (share > 0), e, MOST_EDGES), 0)
        last = tl.max(tl.where(share > 0, e, -1), 0)
        chosen = tl.where(first < MOST_EDGES, first, last)
        tl.store(labels + b * N + i, tl.load(label + low + chosen, mask=chosen >= 0, other=0))
        state = tl.load(target + low + chosen, mask=chosen >= 0, other=0)
        log_sum += classes


@triton.jit
def _entry(start, beta, states, uniform):
    """A state drawn by the weight of entering it and of its suffixes, DEAD if none is possible; and log Z in nats."""
    top = BOTTOM + 0
    for begin in range(0, states, ENTRIES):
        pair = _entering(start, beta, states, begin)
        top = tl.maximum(top, tl.max(tl.where(mantissa(pair) > 0, exponent(pair), BOTTOM), 0))
    whole = tl.full([], 0.0, tl.float64)
    for begin in range(0, states, ENTRIES):
        pair = _entering(start, beta, states, begin)
        whole += tl.sum((mantissa(pair) * power(exponent(pair) - top)).to(tl.float64), 0)
    state, last, before = 0, 0, tl.full([], 0.0, tl.float64)
    for begin in range(0, states, ENTRIES):
        pair = _entering(start, beta, states, begin)
        share = (mantissa(pair) * power(exponent(pair) - top)).to(tl.float64)
        s = begin + tl.arange(0, ENTRIES)
        beyond = (before + tl.cumsum(share, 0) > uniform * whole) & (share > 0)
        first = tl.min(tl.where(beyond, s, 2147483647), 0)
        state = tl.where((state == 0) & (first < 2147483647), first, state)
        last = tl.maximum(last, tl.max(tl.where(share > 0, s, 0), 0))
        before += tl.sum(share, 0)
    return tl.where(state > 0, state, last), tl.log(whole) + top.to(tl.float64) / PER_NAT


@triton.jit
def _entering(start, beta, states, begin):
    s = begin + tl.arange(0, ENTRIES)
    entry = from_nats(tl.load(start + s, mask=s < states, other=float("-inf")))
    return product(entry, tl.load(beta + s, mask=s < states, other=ZERO))


@triton.jit
def _follow(
    blob, lines, peaks, start, beta, labels, weight, N, MOST_EDGES: tl.constexpr
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    line = lines + b * FIELDS
    states, classes = tl.load(line + STATES).to(tl.int32), tl.load(line + CLASSES)
    beta += tl.load(line + LEAVING + 2)
    peaks += tl.load(line + AT_CLASS)
    offsets = blob + tl.load(line + EDGES)
    label = offsets + states + 1
    target = label + tl.load(line + EDGE_COUNT)

    start += tl.load(line + AT_STATE)
    state, top = 0, tl.full([], float("-inf"), tl.float64)
    for begin in range(0, states, ENTRIES):
        s = begin + tl.arange(0, ENTRIES)
        entry = tl.load(start + s, mask=s < states, other=float("-inf"))
        entering = entry + tl.load(beta + s, mask=s < states, other=float("-inf"))
        highest = tl.max(entering, 0)
        state = tl.where(highest > top, tl.min(tl.where(entering == highest, s, 2147483647), 0), state)
        top = tl.maximum(top, highest)
    tl.store(weight + b, top)
    e = tl.arange(0, MOST_EDGES)
    for i in range(N):
        beta += states
        low = tl.load(offsets + state)
        live = e < tl.load(offsets + state + 1) - low
        c = tl.load(label + low + e, mask=live, other=0)
        t = tl.load(target + low + e, mask=live, other=0)
        x = tl.load(peaks + c, mask=live, other=float("-inf"))
        x += tl.load(beta + t, mask=live, other=float("-inf"))
        chosen = tl.min(tl.where(live & (x == tl.max(x, 0)), e, MOST_EDGES), 0)
        some = chosen < MOST_EDGES
        tl.store(labels + b * N + i, tl.load(label + low + chosen, mask=some, other=0))
        state = tl.load(target + low + chosen, mask=some, other=0)
        peaks += classes
