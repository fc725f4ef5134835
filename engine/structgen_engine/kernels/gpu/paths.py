"""Paths through the lattice: a joint draw and the heaviest one. One program each walks left to right by suffixes.

Both visit only the states on the path, and a state's edges in the order of their classes, so that the same uniforms
give the same path as the reference, up to rounding. The sum of the shares of a state's edges is known beforehand: it is
the state's beta.

Axes: B batch, N block, K classes, S states, E edges.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import torch
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
    LEAN,
    LEAVING,
    ROW_LENGTH,
    STATES,
)
from structgen_engine.kernels.gpu.layout import AutomatonLayout
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
SPAN = 256  # edges that are read together
LEFT_OUT = tl.constexpr(8)  # added to a path that a lean row does not take here
NONE = tl.constexpr(2147483647)


DRAWN, HEAVIEST, DRAWN_AND_HEAVIEST = (0, 1), (1, 1), (0, 2)  # the first path and how many


@dataclass(frozen=True, eq=False)
class Walks:
    """What a walk by suffixes fills: classes [B, N] int64 of the draw and of the heaviest block, and two weights.

    log_partition: [B] float64 nats, log Z; weight: [B] float64 nats, of the heaviest block
    """

    labels: Tensor
    best_labels: Tensor
    log_partition: Tensor
    weight: Tensor

    @classmethod
    def empty(cls, rows: int, positions: int, device: torch.device) -> Walks:
        """Tables of the right sizes, not yet filled."""
        new, whole = torch.empty, (rows, positions)
        return cls(
            new(whole, dtype=torch.int64, device=device),
            new(whole, dtype=torch.int64, device=device),
            new(rows, dtype=torch.float64, device=device),
            new(rows, dtype=torch.float64, device=device),
        )


def walk(
    layout: AutomatonLayout,
    log_sum: Tensor,
    peaks: Tensor,
    start: Tensor,
    beta: Tensor,
    heaviest: Tensor,
    uniforms: Tensor,
    out: Walks,
    which: tuple[int, int] = DRAWN_AND_HEAVIEST,
) -> None:
    """Fill the joint draw and log Z, and the heaviest path (Viterbi 1967) and its weight, or only one of them.

    log_sum, peaks: [ΣN·K] float64; start: [ΣS] float64; beta: pairs; heaviest: suffixes, float64 nats
    uniforms: [B, ≥ N + 1] float64, the first for the entry
    """
    first, number = which
    _walk[(len(layout.lines), number)](
        layout.origin, layout.lines, log_sum, peaks, start, beta, heaviest, uniforms,
        out.labels, out.best_labels, out.log_partition, out.weight, layout.positions, uniforms.stride(0), first,
        SPAN=SPAN, num_warps=1,
    )  # fmt: skip


@triton.jit(do_not_specialize=["first"])
def _walk(
    origin, lines, log_sum, peaks, start, beta, heaviest, uniforms, labels, best_labels, log_partition, weight,
    N, stride, first, SPAN: tl.constexpr,
):  # fmt: skip
    path = tl.program_id(1) + first + tl.load(lines + tl.program_id(0) * FIELDS + LEAN) * LEFT_OUT
    if path == 0:
        _draw(origin, lines, log_sum, start, beta, uniforms, labels, log_partition, N, stride, SPAN)
    elif path == 1:
        _follow(origin, lines, peaks, start, heaviest, best_labels, weight, N, SPAN)


@triton.jit
def pick(share, uniform, index):
    """The first index whose cumulative share exceeds uniform · total, or the last possible one if rounding leaves none.

    share: [n] float64; returns −1 if all are 0
    """
    shares = tl.cumsum(share, 0)
    bound = uniform * tl.max(shares, 0)
    first = tl.min(tl.where((shares > bound) & (share > 0), index, NONE), 0)
    last = tl.max(tl.where(share > 0, index, -1), 0)
    return tl.where(first < NONE, first, last)


@triton.jit
def _draw(
    origin, lines, log_sum, start, beta, uniforms, labels, log_partition, N, stride, SPAN: tl.constexpr
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    line = lines + b * FIELDS
    states, classes = tl.load(line + STATES).to(tl.int32), tl.load(line + CLASSES)
    beta += tl.load(line + LEAVING + 2)
    log_sum += tl.load(line + AT_CLASS)
    uniforms += b * stride
    offsets = origin + tl.load(line + EDGES)
    label = offsets + states + 1
    target = label + tl.load(line + EDGE_COUNT)

    at = start + tl.load(line + AT_STATE)
    state, log_z = entry(at, beta, states, tl.load(uniforms))  # pyright: ignore[reportGeneralTypeIssues]
    tl.store(log_partition + b, log_z)
    for i in range(tl.load(line + ROW_LENGTH).to(tl.int32)):
        c, into = drawn(
            offsets, label, target, log_sum, beta, beta + states, state, tl.load(uniforms + i + 1), SPAN
        )  # pyright: ignore[reportGeneralTypeIssues]
        tl.store(labels + b * N + i, c)
        state, beta = into, beta + states
        log_sum += classes


@triton.jit
def drawn(offsets, label, target, log_sum, here, after, state, uniform, SPAN: tl.constexpr):
    """A class and the state that it leads to, drawn among the edges of a state; here, after: beta on both sides."""
    whole = tl.load(here + state)
    low = tl.load(offsets + state)
    count = tl.load(offsets + state + 1) - low
    bound = (uniform * mantissa(whole)).to(tl.float32)
    chosen, last, before = -1, -1, tl.full([], 0.0, tl.float32)
    for begin in range(0, count, SPAN):
        e = begin + tl.arange(0, SPAN)
        live = e < count
        c = tl.load(label + low + e, mask=live, other=0)
        t = tl.load(target + low + e, mask=live, other=0)
        into = from_nats(tl.load(log_sum + c, mask=live, other=float("-inf")))
        pair = product(into, tl.load(after + t, mask=live, other=ZERO))
        share = mantissa(pair) * power(exponent(pair) - exponent(whole))
        beyond = (before + tl.cumsum(share, 0) > bound) & (share > 0)
        hit = tl.min(tl.where(beyond, e, NONE), 0)
        chosen = tl.where((chosen < 0) & (hit < NONE), hit, chosen)
        last = tl.maximum(last, tl.max(tl.where(share > 0, e, -1), 0))
        before += tl.sum(share, 0)
    chosen = tl.where(chosen >= 0, chosen, last)
    own = tl.load(label + low + chosen, mask=chosen >= 0, other=0)
    return own, tl.load(target + low + chosen, mask=chosen >= 0, other=0)


@triton.jit
def entry(start, beta, states, uniform):
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
        first = tl.min(tl.where(beyond, s, NONE), 0)
        state = tl.where((state == 0) & (first < NONE), first, state)
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
    origin, lines, peaks, start, beta, labels, weight, N, SPAN: tl.constexpr
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    line = lines + b * FIELDS
    states, classes = tl.load(line + STATES).to(tl.int32), tl.load(line + CLASSES)
    beta += tl.load(line + LEAVING + 2)
    peaks += tl.load(line + AT_CLASS)
    offsets = origin + tl.load(line + EDGES)
    label = offsets + states + 1
    target = label + tl.load(line + EDGE_COUNT)

    state, top = best_entry(start + tl.load(line + AT_STATE), beta, states)  # pyright: ignore[reportGeneralTypeIssues]
    tl.store(weight + b, top)
    for i in range(tl.load(line + ROW_LENGTH).to(tl.int32)):
        beta += states
        c, state = followed(offsets, label, target, peaks, beta, state, SPAN)  # pyright: ignore[reportGeneralTypeIssues]
        tl.store(labels + b * N + i, c)
        peaks += classes


@triton.jit
def best_entry(start, beta, states):
    """The state of the heaviest entry and suffix, and their weight in nats."""
    state, top = 0, tl.full([], float("-inf"), tl.float64)
    for begin in range(0, states, ENTRIES):
        s = begin + tl.arange(0, ENTRIES)
        edge = tl.load(start + s, mask=s < states, other=float("-inf"))
        entering = edge + tl.load(beta + s, mask=s < states, other=float("-inf"))
        highest = tl.max(entering, 0)
        state = tl.where(highest > top, tl.min(tl.where(entering == highest, s, NONE), 0), state)
        top = tl.maximum(top, highest)
    return state, top


@triton.jit
def followed(offsets, label, target, peaks, after, state, SPAN: tl.constexpr):
    """The class of the heaviest edge out of a state and the state that it leads to; after: heaviest suffixes."""
    low = tl.load(offsets + state)
    count = tl.load(offsets + state + 1) - low
    chosen, highest = -1, tl.full([], float("-inf"), tl.float64)
    for begin in range(0, count, SPAN):
        e = begin + tl.arange(0, SPAN)
        live = e < count
        c = tl.load(label + low + e, mask=live, other=0)
        t = tl.load(target + low + e, mask=live, other=0)
        x = tl.load(peaks + c, mask=live, other=float("-inf"))
        x += tl.load(after + t, mask=live, other=float("-inf"))
        most = tl.max(x, 0)
        chosen = tl.where(most > highest, tl.min(tl.where(x == most, e, NONE), 0), chosen)
        highest = tl.maximum(highest, most)
    own = tl.load(label + low + chosen, mask=chosen >= 0, other=0)
    return own, tl.load(target + low + chosen, mask=chosen >= 0, other=0)
