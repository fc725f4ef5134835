"""Results from alpha and beta together: class marginals, possible classes and beliefs, with one program per position.

First Σ α·β is computed over the pairs of states that a bundle joins; every class then gathers from its bundles. Nothing
under- or overflows before the last division, so a class is possible exactly if its pair is not zero.

Axes: B batch, N block, K classes.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.fields import (
    AT_CLASS,
    CLASSES,
    ENTERING,
    FIELDS,
    JOINT,
    LEAVING,
    SHARES,
)
from structgen_engine.kernels.gpu.layout import AutomatonLayout, power_of_two, warps
from structgen_engine.kernels.gpu.pairs import (
    BOTTOM,
    ZERO,
    exponent,
    from_nats,
    mantissa,
    power,
    product,
    total,
)
from structgen_engine.kernels.gpu.trees import climb, places, slots


@dataclass(frozen=True, eq=False)
class Marginals:
    """The class marginals and beliefs of a batch.

    classes: [ΣN·K] float64 probabilities; shares: [ΣN·K] float32 nats, log of a class's probability times that of its
    best token given the class; possible: [ΣN·K] bool; entropy, top: [B, N] float32; free: [B, N] bool; the rest is
    scratch
    """

    classes: Tensor
    shares: Tensor
    possible: Tensor
    entropy: Tensor
    top: Tensor
    free: Tensor
    joint: Tensor
    gathered: Tensor

    @classmethod
    def empty(cls, layout: AutomatonLayout) -> Marginals:
        """Tables of the right sizes, not yet filled."""
        N, device, shape = layout.positions, layout.blob.device, (len(layout.lines), layout.positions)
        size, new = N * layout.classes, torch.empty
        return cls(
            new(size, dtype=torch.float64, device=device),
            new(size, device=device),
            new(size, dtype=torch.bool, device=device),
            new(shape, device=device),
            new(shape, device=device),
            new(shape, dtype=torch.bool, device=device),
            new(layout.sizes["joint"], dtype=torch.int64, device=device),
            new(layout.sizes["shares"], dtype=torch.int64, device=device),
        )


def marginals(layout: AutomatonLayout, scores: Scores, alpha: Tensor, beta: Tensor, out: Marginals) -> None:
    """Fill `out`; alpha [Σ(N + 1)·entering] and beta [Σ(N + 1)·leaving] are pairs."""
    joint, shares = layout.tiles["joint"], layout.tiles["shares"]
    widest = power_of_two(layout.most_classes)
    _marginals[(layout.positions, len(layout.lines))](
        layout.blob, layout.lines, scores.log_sum, scores.entropy, scores.peak, scores.count, alpha, beta,
        out.classes, out.shares, out.possible, out.entropy, out.top, out.free, out.joint, out.gathered,
        layout.positions, WIDEST=widest,
        JOINT_ROWS=joint.rows, JOINT_UPPER=joint.upper, JOINT_WIDTH=joint.width,
        SHARE_ROWS=shares.rows, SHARE_UPPER=shares.upper, SHARE_WIDTH=shares.width,
        num_warps=max(joint.warps, shares.warps, warps(widest)),
    )  # fmt: skip


@triton.jit
def _marginals(
    blob, lines, log_sum, doubt, peak, count, alpha, beta,
    classes, log_share, possible, entropy, top, free, joint, gathered, N,
    WIDEST: tl.constexpr, JOINT_ROWS: tl.constexpr, JOINT_UPPER: tl.constexpr, JOINT_WIDTH: tl.constexpr,
    SHARE_ROWS: tl.constexpr, SHARE_UPPER: tl.constexpr, SHARE_WIDTH: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(0).to(tl.int64), tl.program_id(1)
    line = lines + b * FIELDS
    bundles, states = tl.load(line + JOINT + 1), tl.load(line + LEAVING + 1)
    joint += tl.load(line + JOINT + 2) + i * (bundles + tl.load(line + JOINT + 3))
    size = tl.load(line + CLASSES)
    gathered += tl.load(line + SHARES + 2) + i * (size + tl.load(line + SHARES + 3))
    alpha += tl.load(line + ENTERING + 2) + i * states
    beta += tl.load(line + LEAVING + 2) + (i + 1) * states
    arcs, classed = blob + tl.load(line + JOINT), blob + tl.load(line + SHARES)
    _over_arcs(arcs, alpha, beta, joint, bundles, JOINT_ROWS, JOINT_UPPER, JOINT_WIDTH)
    _over_bundles(classed, joint, gathered, size, SHARE_ROWS, SHARE_UPPER, SHARE_WIDTH)

    c = tl.arange(0, WIDEST)
    live = c < size
    at = tl.load(line + AT_CLASS) + i * size + c
    weight = tl.load(log_sum + at, mask=live, other=float("-inf"))
    pair = product(tl.load(gathered + c, mask=live, other=ZERO), from_nats(weight))
    m = mantissa(pair)
    some = m > 0
    highest = tl.max(tl.where(some, exponent(pair), BOTTOM), 0)
    mass = m * power(exponent(pair) - highest)
    whole = tl.sum(mass, 0)
    q = tl.where(some, _wide(m, exponent(pair) - highest) / tl.where(whole > 0, whole, 1.0), 0.0)
    tl.store(classes + at, q, mask=live)
    tl.store(possible + at, some, mask=live)

    q = q.to(tl.float32)
    some = q > 0
    surprise = tl.log(tl.where(some, q, 1.0))
    best = tl.load(peak + at, mask=live, other=float("-inf")) - weight
    inside = tl.where(some, best, 0.0).to(tl.float32)
    within = tl.load(doubt + at, mask=live, other=0.0).to(tl.float32)
    tl.store(log_share + at, tl.where(some, surprise + inside, float("-inf")), mask=live)
    spread = tl.sum(q * (within - surprise), 0)
    diverged = tl.max((live & ~(weight < float("inf"))).to(tl.int32), 0) > 0
    tl.store(entropy + b * N + i, tl.where(diverged, float("nan"), tl.maximum(spread, 0.0)))
    tl.store(top + b * N + i, tl.minimum(tl.max(q * tl.exp(inside), 0), 1.0))
    choices = tl.sum(tl.where(m > 0, tl.load(count + at, mask=live, other=0), 0), 0)
    tl.store(free + b * N + i, choices > 1)


@triton.jit
def _over_arcs(
    head, alpha, beta, out, scratch, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    """out[g] = Σ over the arcs of bundle g of alpha[source] · beta[target]."""
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        source = slots(head + tl.load(head + 2), row, high, WIDTH)
        target = slots(head + tl.load(head + 3), row, high, WIDTH)
        a = tl.load(alpha + source, mask=source >= 0, other=ZERO)
        z = tl.load(beta + target, mask=source >= 0, other=ZERO)
        at = places(head + tl.load(head + 1), row, high, scratch)
        tl.store(out + at, total(mantissa(a) * mantissa(z), exponent(a) + exponent(z)), mask=row < high)
    climb(head, out, scratch, UPPER, WIDTH)


@triton.jit
def _over_bundles(
    head, joint, out, scratch, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    """out[c] = Σ over the bundles that hold class c of joint[bundle]."""
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        g = slots(head + tl.load(head + 2), row, high, WIDTH)
        x = tl.load(joint + g, mask=g >= 0, other=ZERO)
        at = places(head + tl.load(head + 1), row, high, scratch)
        tl.store(out + at, total(mantissa(x), exponent(x)), mask=row < high)
    climb(head, out, scratch, UPPER, WIDTH)


@triton.jit
def _wide(m, e):
    """m · 2^e as a float64 for e ≤ 0; 0 below 2^-1022."""
    e = tl.minimum(tl.maximum(e, -1023), 0) + 1023
    return m.to(tl.float64) * (e.to(tl.int64) << 52).to(tl.float64, bitcast=True)
