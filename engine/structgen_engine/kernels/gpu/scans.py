"""Forward and backward: the weight of every prefix and of every suffix, in one launch for all rows and directions.

One program walks one row in one direction. The messages of a position fit its first-level cache, so a step is a gather,
a sum in registers and a barrier. No program waits for another or for the memory behind the caches.

Axes: B batch, N block, K classes, S states, G bundles.
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
    ENTERING,
    FIELDS,
    LEAVING,
    SETS,
    STATES,
)
from structgen_engine.kernels.gpu.layout import AutomatonLayout
from structgen_engine.kernels.gpu.pairs import ZERO, exponent, from_nats, mantissa, total
from structgen_engine.kernels.gpu.trees import climb, climb_max, places, slots

BACKWARD, FORWARD, BOTH = (0, 1), (1, 1), (0, 2)  # the first direction, and how many directions


def bundle(layout: AutomatonLayout, log_sum: Tensor, out: Tensor) -> None:
    """Fill `out` with the pair of every bundle, the sum over its classes; log_sum [ΣN·K] float64, out [sets] int64."""
    tile = layout.tiles["sets"]
    _bundle[(layout.positions, len(layout.lines))](
        layout.blob, layout.lines, log_sum, out,
        ROWS=tile.rows, UPPER=tile.upper, WIDTH=tile.width, num_warps=tile.warps,
    )  # fmt: skip


def bundle_max(layout: AutomatonLayout, peaks: Tensor, out: Tensor) -> None:
    """Fill `out` with the highest score of every bundle; peaks [ΣN·K] float64, out [sets] float64."""
    tile = layout.tiles["sets"]
    _bundle_max[(layout.positions, len(layout.lines))](
        layout.blob, layout.lines, peaks, out,
        ROWS=tile.rows, UPPER=tile.upper, WIDTH=tile.width, num_warps=tile.warps,
    )  # fmt: skip


def scan(
    layout: AutomatonLayout,
    bundles: Tensor,
    start: Tensor,
    end: Tensor,
    alpha: Tensor,
    beta: Tensor,
    directions: tuple[int, int],
) -> None:
    """Fill alpha [entering] and beta [leaving], int64 pairs, or only the requested one.

    bundles: [sets] int64; start, end: [ΣS] float64 nats
    """
    back, ahead = layout.tiles["leaving"], layout.tiles["entering"]
    first, number = directions
    _scan[(len(layout.lines), number)](
        layout.blob, layout.lines, bundles, start, end, alpha, beta, layout.positions, first,
        BACK_ROWS=back.rows, BACK_UPPER=back.upper, BACK_WIDTH=back.width, BACK_WHOLE=back.whole,
        AHEAD_ROWS=ahead.rows, AHEAD_UPPER=ahead.upper, AHEAD_WIDTH=ahead.width, AHEAD_WHOLE=ahead.whole,
        num_warps=max(back.warps, ahead.warps),
    )  # fmt: skip


def scan_max(layout: AutomatonLayout, bundles: Tensor, end: Tensor, beta: Tensor) -> None:
    """Fill beta [leaving] float64 nats with the heaviest suffix from every state; bundles [sets] float64."""
    tile = layout.tiles["leaving"]
    _scan_max[(len(layout.lines),)](
        layout.blob, layout.lines, bundles, end, beta, layout.positions,
        ROWS=tile.rows, UPPER=tile.upper, WIDTH=tile.width, num_warps=tile.warps,
    )  # fmt: skip


@triton.jit
def _bundle(blob, lines, log_sum, out, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr):
    i, line = tl.program_id(0).to(tl.int64), lines + tl.program_id(1) * FIELDS
    log_sum += tl.load(line + AT_CLASS) + i * tl.load(line + CLASSES)
    scratch = tl.load(line + SETS + 1)
    out += tl.load(line + SETS + 2) + i * (scratch + tl.load(line + SETS + 3))
    head = blob + tl.load(line + SETS)
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        c = slots(head + tl.load(head + 2), row, high, WIDTH)
        weight = from_nats(tl.load(log_sum + c, mask=c >= 0, other=float("-inf")))
        at = places(head + tl.load(head + 1), row, high, scratch)
        tl.store(out + at, total(mantissa(weight), exponent(weight)), mask=row < high)
    climb(head, out, scratch, UPPER, WIDTH)


@triton.jit
def _bundle_max(blob, lines, peaks, out, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr):
    i, line = tl.program_id(0).to(tl.int64), lines + tl.program_id(1) * FIELDS
    peaks += tl.load(line + AT_CLASS) + i * tl.load(line + CLASSES)
    scratch = tl.load(line + SETS + 1)
    out += tl.load(line + SETS + 2) + i * (scratch + tl.load(line + SETS + 3))
    head = blob + tl.load(line + SETS)
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        c = slots(head + tl.load(head + 2), row, high, WIDTH)
        at = places(head + tl.load(head + 1), row, high, scratch)
        tl.store(out + at, tl.max(tl.load(peaks + c, mask=c >= 0, other=float("-inf")), 1), mask=row < high)
    climb_max(head, out, scratch, UPPER, WIDTH)


@triton.jit
def _scan(
    blob, lines, bundles, start, end, alpha, beta, N, first,
    BACK_ROWS: tl.constexpr, BACK_UPPER: tl.constexpr, BACK_WIDTH: tl.constexpr, BACK_WHOLE: tl.constexpr,
    AHEAD_ROWS: tl.constexpr, AHEAD_UPPER: tl.constexpr, AHEAD_WIDTH: tl.constexpr, AHEAD_WHOLE: tl.constexpr,
):  # fmt: skip
    line = lines + tl.program_id(0) * FIELDS
    if tl.program_id(1) + first == 0:
        out = beta + tl.load(line + LEAVING + 2)
        _enter(line, end, out + N * tl.load(line + STATES), BACK_ROWS)
        if BACK_WHOLE:
            _sweep_whole(blob, line, bundles, out, N, LEAVING, True, BACK_ROWS, BACK_UPPER, BACK_WIDTH)
        else:
            _sweep(blob, line, bundles, out, N, LEAVING, True, BACK_ROWS, BACK_UPPER, BACK_WIDTH)
    else:
        out = alpha + tl.load(line + ENTERING + 2)
        _enter(line, start, out, AHEAD_ROWS)
        if AHEAD_WHOLE:
            _sweep_whole(blob, line, bundles, out, N, ENTERING, False, AHEAD_ROWS, AHEAD_UPPER, AHEAD_WIDTH)
        else:
            _sweep(blob, line, bundles, out, N, ENTERING, False, AHEAD_ROWS, AHEAD_UPPER, AHEAD_WIDTH)


@triton.jit
def _enter(line, edge, here, ROWS: tl.constexpr):
    """Write the messages at the end where a sweep begins, from their nats."""
    states = tl.load(line + STATES).to(tl.int32)
    edge += tl.load(line + AT_STATE)
    for begin in range(0, states, ROWS):
        s = begin + tl.arange(0, ROWS)
        tl.store(
            here + s, from_nats(tl.load(edge + s, mask=s < states, other=float("-inf"))), mask=s < states
        )
    tl.debug_barrier()


@triton.jit
def _sweep(
    blob, line, bundles, out, N,
    TREE: tl.constexpr, BACK: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Fill the messages of one row: out[then, s] = Σ over the arcs of s of bundle weight · out[here, other state]."""
    head, size = blob + tl.load(line + TREE), tl.load(line + TREE + 1)
    bundles += tl.load(line + SETS + 2)
    sets, high = tl.load(line + SETS + 1) + tl.load(line + SETS + 3), tl.load(head + 5)
    target, first, second = head + tl.load(head + 1), head + tl.load(head + 2), head + tl.load(head + 3)
    for n in range(N):
        i = N - 1 - n if BACK else n
        now = i if BACK else i + 1
        here = out + (i + 1) * size if BACK else out + i * size
        weight, scratch = bundles + i * sets, (N + 1 - now) * size
        for begin in range(0, high, ROWS):
            row = begin + tl.arange(0, ROWS)
            g = slots(first, row, high, WIDTH)
            other = slots(second, row, high, WIDTH)
            w = tl.load(weight + g, mask=g >= 0, other=ZERO)
            x = tl.load(here + other, mask=g >= 0, other=ZERO)
            at = places(target, row, high, scratch)
            sums = total(mantissa(w) * mantissa(x), exponent(w) + exponent(x))
            tl.store(out + now * size + at, sums, mask=row < high)
        climb(head, out + now * size, scratch, UPPER, WIDTH)


@triton.jit
def _sweep_whole(
    blob, line, bundles, out, N,
    TREE: tl.constexpr, BACK: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """`_sweep` for rows that fit one tile: the arcs stay in registers, and the next position's weights are loaded while
    this one's messages are summed."""
    head, size = blob + tl.load(line + TREE), tl.load(line + TREE + 1)
    bundles += tl.load(line + SETS + 2)
    sets, high = tl.load(line + SETS + 1) + tl.load(line + SETS + 3), tl.load(head + 5)
    row = tl.arange(0, ROWS)
    g = slots(head + tl.load(head + 2), row, high, WIDTH)
    other = slots(head + tl.load(head + 3), row, high, WIDTH)
    w = tl.load(bundles + ((N - 1) * sets if BACK else 0) + g, mask=g >= 0, other=ZERO)
    for n in range(N):
        i = N - 1 - n if BACK else n
        now = i if BACK else i + 1
        here = out + (i + 1) * size if BACK else out + i * size
        scratch = (N + 1 - now) * size
        following = tl.maximum(i - 1, 0) if BACK else tl.minimum(i + 1, N - 1)
        coming = tl.load(bundles + following * sets + g, mask=g >= 0, other=ZERO)
        x = tl.load(here + other, mask=g >= 0, other=ZERO)
        sums = total(mantissa(w) * mantissa(x), exponent(w) + exponent(x))
        tl.store(
            out + now * size + places(head + tl.load(head + 1), row, high, scratch), sums, mask=row < high
        )
        climb(head, out + now * size, scratch, UPPER, WIDTH)
        w = coming


@triton.jit
def _scan_max(
    blob, lines, bundles, end, out, N, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    line = lines + tl.program_id(0) * FIELDS
    head, size = blob + tl.load(line + LEAVING), tl.load(line + LEAVING + 1)
    out += tl.load(line + LEAVING + 2)
    bundles += tl.load(line + SETS + 2)
    sets, states = tl.load(line + SETS + 1) + tl.load(line + SETS + 3), tl.load(line + STATES).to(tl.int32)
    end += tl.load(line + AT_STATE)
    for begin in range(0, states, ROWS):
        s = begin + tl.arange(0, ROWS)
        edge = tl.load(end + s, mask=s < states, other=float("-inf"))
        tl.store(out + N * size + s, edge, mask=s < states)
    tl.debug_barrier()
    high = tl.load(head + 5)
    target, first, second = head + tl.load(head + 1), head + tl.load(head + 2), head + tl.load(head + 3)
    for n in range(N):
        i = N - 1 - n
        here, then, scratch = out + (i + 1) * size, out + i * size, (N + 1 - i) * size
        for begin in range(0, high, ROWS):
            row = begin + tl.arange(0, ROWS)
            g = slots(first, row, high, WIDTH)
            other = slots(second, row, high, WIDTH)
            w = tl.load(bundles + i * sets + g, mask=g >= 0, other=float("-inf"))
            x = tl.load(here + other, mask=g >= 0, other=float("-inf"))
            tl.store(then + places(target, row, high, scratch), tl.max(w + x, 1), mask=row < high)
        climb_max(head, then, scratch, UPPER, WIDTH)
