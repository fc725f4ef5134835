"""Results from alpha and beta together: class marginals, possible classes and beliefs, position by position.

A program has a position, or several that take turns in its scratch. First Σ α·β is computed over the pairs of states
that a bundle joins; every class then gathers from its bundles. Nothing under- or overflows before the last division, so
a class is possible exactly if its pair is not zero.

Axes: B batch, N block, K classes.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.fields import (
    AT_CLASS,
    CLASSES,
    ENTERING,
    FIELDS,
    JOINT,
    LEAN,
    LEAVING,
    PLACE,
    ROW_LENGTH,
    SHARES,
)
from structgen_engine.kernels.gpu.layout import UPPER, AutomatonLayout
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
from structgen_engine.kernels.gpu.trees import climb, groups_of, places, slots

SPAN = 512  # classes that one program reads at once


@dataclass(frozen=True, eq=False)
class Marginals:
    """The class marginals and beliefs of a batch.

    classes: [ΣN·K] float64 probabilities, or empty if nobody asks for them; shares: [ΣN·K] float32 nats, log of a
    class's probability times that of its best token given the class; possible: [ΣN·K] bool; entropy, top: [B, N]
    float32; free: [B, N] bool; the rest is scratch
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
    def empty(
        cls, layout: AutomatonLayout, entropy: Tensor | None = None, *, classes: bool = True
    ) -> Marginals:
        """Tables of the right sizes, not yet filled; entropy: the host's table [H, N], if the rows lie in one."""
        N, device, shape = layout.positions, layout.lines.device, (len(layout.lines), layout.positions)
        size, new = N * layout.classes, torch.empty
        return cls(
            new(size if classes else 0, dtype=torch.float64, device=device),
            new(size, device=device),
            new(size, dtype=torch.bool, device=device),
            new(shape, device=device) if entropy is None else entropy,
            new(shape, device=device),
            new(shape, dtype=torch.bool, device=device),
            new(layout.sizes["joint"], dtype=torch.int64, device=device),
            new(layout.sizes["shares"], dtype=torch.int64, device=device),
        )


def marginals(layout: AutomatonLayout, scores: Scores, alpha: Tensor, beta: Tensor, out: Marginals) -> None:
    """Fill `out`, entropies at their places; alpha [Σ(N + 1)·entering] and beta [Σ(N + 1)·leaving] are pairs."""
    tile = layout.tile
    _marginals[(layout.positions, len(layout.lines))](
        layout.origin, layout.lines, scores.log_sum, scores.entropy, scores.peak, scores.count, alpha, beta,
        out.classes, out.shares, out.possible, out.entropy, out.top, out.free, out.joint, out.gathered,
        layout.positions, len(out.classes),
        SPAN=SPAN, ROWS=tile.rows, UPPER=UPPER, WIDTH=tables.WIDTH, num_warps=tile.warps,
    )  # fmt: skip


@triton.jit(do_not_specialize=["kept"])
def _marginals(
    origin, lines, log_sum, doubt, peak, count, alpha, beta,
    classes, log_share, possible, entropy, top, free, joint, gathered, N, kept,
    SPAN: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    own, b = tl.program_id(0).to(tl.int64), tl.program_id(1)
    line = lines + b * FIELDS
    bundles, size = tl.load(line + JOINT + 1), tl.load(line + CLASSES)
    over, under = bundles + tl.load(line + JOINT + 3), size + tl.load(line + SHARES + 3)
    groups, lean = groups_of(tl.maximum(over, under), N), tl.load(line + LEAN)
    joint += tl.load(line + JOINT + 2) + own * tl.where(lean > 0, 0, over)
    gathered += tl.load(line + SHARES + 2) + own * under
    if own < groups:
        for i in range(own, tl.load(line + ROW_LENGTH), groups):
            _at_position(
                origin, line, b, i, log_sum, doubt, peak, count, alpha, beta,
                classes, log_share, possible, entropy, top, free, joint, gathered, N, kept, SPAN, ROWS, UPPER, WIDTH,
            )  # fmt: skip


@triton.jit
def _at_position(
    origin, line, b, i, log_sum, doubt, peak, count, alpha, beta,
    classes, log_share, possible, entropy, top, free, joint, gathered, N, kept,
    SPAN: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    bundles, size, states = tl.load(line + JOINT + 1), tl.load(line + CLASSES), tl.load(line + LEAVING + 1)
    arcs, classed = origin + tl.load(line + JOINT), origin + tl.load(line + SHARES)
    if tl.load(line + LEAN) > 0:
        joint += i * bundles  # they are there already
    else:
        alpha += tl.load(line + ENTERING + 2) + i * states
        beta += tl.load(line + LEAVING + 2) + (i + 1) * states
        over_arcs(arcs, alpha, beta, joint, bundles, ROWS, UPPER, WIDTH)
    _over_bundles(classed, joint, gathered, size, ROWS, UPPER, WIDTH)

    row = tl.load(line + AT_CLASS) + i * size
    highest, whole = tl.full([], BOTTOM, tl.int32), tl.full([], 0.0, tl.float32)
    for begin in range(0, size, SPAN):
        c = begin + tl.arange(0, SPAN)
        pair = _weighed(gathered, log_sum + row, c, size)
        m, e = mantissa(pair), exponent(pair)
        most = tl.maximum(highest, tl.max(tl.where(m > 0, e, BOTTOM), 0))
        whole = whole * power(highest - most) + tl.sum(m * power(e - most), 0)
        highest = most
    whole = tl.where(whole > 0, whole, 1.0)
    spread, likeliest = tl.full([], 0.0, tl.float32), tl.full([], 0.0, tl.float32)
    diverged, choices = 0, 0
    for begin in range(0, size, SPAN):
        c = begin + tl.arange(0, SPAN)
        live, at = c < size, row + c
        pair = _weighed(gathered, log_sum + row, c, size)
        m = mantissa(pair)
        exact = tl.where(m > 0, _wide(m, exponent(pair) - highest) / whole, 0.0)
        tl.store(classes + at, exact, mask=live & (kept > 0))
        tl.store(possible + at, m > 0, mask=live)
        weight = tl.load(log_sum + at, mask=live, other=float("-inf"))
        q = exact.to(tl.float32)
        some = q > 0
        surprise = tl.log(tl.where(some, q, 1.0))
        best = tl.load(peak + at, mask=live, other=float("-inf")) - weight
        inside = tl.where(some, best, 0.0).to(tl.float32)
        within = tl.load(doubt + at, mask=live, other=0.0).to(tl.float32)
        tl.store(log_share + at, tl.where(some, surprise + inside, float("-inf")), mask=live)
        spread += tl.sum(q * (within - surprise), 0)
        likeliest = tl.maximum(likeliest, tl.max(q * tl.exp(inside), 0))
        diverged += tl.max((live & ~(weight < float("inf"))).to(tl.int32), 0)
        choices += tl.sum(tl.where(m > 0, tl.load(count + at, mask=live, other=0), 0), 0)
    place = tl.load(line + PLACE) * N + i
    tl.store(entropy + place, tl.where(diverged > 0, float("nan"), tl.maximum(spread, 0.0)))
    tl.store(top + b * N + i, tl.minimum(likeliest, 1.0))
    tl.store(free + b * N + i, choices > 1)


@triton.jit
def _weighed(gathered, log_sum, c, size):
    """The pairs of these classes: what passes through their bundles times their weight."""
    weight = tl.load(log_sum + c, mask=c < size, other=float("-inf"))
    return product(tl.load(gathered + c, mask=c < size, other=ZERO), from_nats(weight))


@triton.jit
def over_arcs(
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
