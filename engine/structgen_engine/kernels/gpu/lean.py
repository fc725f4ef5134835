"""Rows with thousands of states, whose messages would take a hundred megabytes: they are kept for a few positions.

The backward sweep keeps every STRIDE-th message. From these marks a window of messages is computed again, window by
window from the left, while the forward sweep passes through it; what the posterior needs of both and the draw are made
on the way (checkpointing: Griewank 1992). The heaviest block is found in the same way. This takes half as many sweeps
again, and one program for a row does it all, so it is for rows that need it.

A row's part of `beta` holds a window, its row sums and the marks; its part of `alpha` two messages and their row sums.

Axes: B batch, N block, K classes, S states, G bundles.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.fields import (
    AT_CLASS,
    AT_STATE,
    CLASSES,
    EDGE_COUNT,
    EDGES,
    ENTERING,
    FIELDS,
    JOINT,
    LEAN,
    LEAVING,
    ROW_LENGTH,
    SETS,
    STATES,
)
from structgen_engine.kernels.gpu.layout import STRIDE, UPPER, AutomatonLayout, Tile
from structgen_engine.kernels.gpu.paths import Walks, best_entry, drawn, entry, followed
from structgen_engine.kernels.gpu.posterior import over_arcs
from structgen_engine.kernels.gpu.scans import enter, enter_max, sweep, sweep_max

SPAN = 256  # edges that are read together


def run(
    layout: AutomatonLayout,
    bundles: tuple[Tensor, Tensor],
    scores: tuple[Tensor, Tensor],
    ends: tuple[Tensor, Tensor],
    messages: tuple[Tensor, Tensor, Tensor],
    joint: Tensor,
    uniforms: Tensor,
    out: Walks,
) -> None:
    """For lean rows: what bundles join at each position, a joint draw with log Z, and the heaviest path.

    bundles: sums and peaks; scores: log_sum and peaks of classes; ends: start and end; messages: alpha, beta, heaviest
    """
    tile = Tile.holding(STRIDE * tables.WIDTH * 512)
    _lean[(len(layout.lines), 2)](
        layout.origin, layout.lines, *bundles, *scores, *ends, *messages, joint, uniforms,
        out.labels, out.best_labels, out.log_partition, out.weight, layout.positions, uniforms.stride(0),
        STRIDE=STRIDE, SPAN=SPAN, ROWS=tile.rows, UPPER=UPPER, WIDTH=tables.WIDTH, num_warps=tile.warps,
    )  # fmt: skip


@triton.jit
def _lean(
    origin, lines, bundles, highest, log_sum, peaks, start, end, alpha, beta, heaviest, joint, uniforms,
    labels, best_labels, log_partition, weight, N, stride,
    STRIDE: tl.constexpr, SPAN: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    line = lines + b * FIELDS
    if tl.load(line + LEAN) > 0:
        if tl.program_id(1) == 0:
            _sums(
                origin, line, b, bundles, log_sum, start, end, alpha, beta, joint, uniforms + b * stride,
                labels, log_partition, N, STRIDE, SPAN, ROWS, UPPER, WIDTH,
            )  # fmt: skip
        else:
            _peaks(
                origin, line, b, highest, peaks, start, end, heaviest, best_labels, weight, N,
                STRIDE, SPAN, ROWS, UPPER, WIDTH,
            )  # fmt: skip


@triton.jit
def _sums(
    origin, line, b, bundles, log_sum, start, end, ahead, window, joint, uniforms, labels, log_partition, N,
    STRIDE: tl.constexpr, SPAN: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    size, sets, classes = tl.load(line + STATES), tl.load(line + SETS + 1), tl.load(line + CLASSES)
    window += tl.load(line + LEAVING + 2)
    marks = window + size * (STRIDE + 1) + tl.load(line + LEAVING + 3)
    length = tl.load(line + ROW_LENGTH).to(tl.int32)
    windows = (length + STRIDE - 1) // STRIDE
    enter(line, end, marks + windows * size, ROWS)
    for k in range(windows):
        w = windows - 1 - k
        count = tl.minimum(STRIDE, length - w * STRIDE)
        _copy(marks + (w + 1) * size, window + count * size, size, ROWS)
        sweep(origin, line, bundles + w * STRIDE * sets, window, count, LEAVING, True, ROWS, UPPER, WIDTH)
        _copy(window, marks + w * size, size, ROWS)
    ahead += tl.load(line + ENTERING + 2)
    enter(line, start, ahead, ROWS)
    state, log_z = entry(start + tl.load(line + AT_STATE), marks, size.to(tl.int32), tl.load(uniforms))
    tl.store(log_partition + b, log_z)
    offsets = origin + tl.load(line + EDGES)
    label = offsets + size + 1
    target = label + tl.load(line + EDGE_COUNT)
    arcs, among = origin + tl.load(line + JOINT), tl.load(line + JOINT + 1)
    joint += tl.load(line + JOINT + 2)
    log_sum += tl.load(line + AT_CLASS)
    for w in range(windows):
        count = tl.minimum(STRIDE, length - w * STRIDE)
        _copy(marks + (w + 1) * size, window + count * size, size, ROWS)
        sweep(origin, line, bundles + w * STRIDE * sets, window, count, LEAVING, True, ROWS, UPPER, WIDTH)
        for j in range(count):
            i = w * STRIDE + j
            after = window + (j + 1) * size
            over_arcs(arcs, ahead, after, joint + i * among, (N - i) * among, ROWS, UPPER, WIDTH)
            uniform = tl.load(uniforms + i + 1)
            c, state = drawn(
                offsets, label, target, log_sum + i * classes, after - size, after, state, uniform, SPAN
            )
            tl.store(labels + b * N + i, c)
            sweep(origin, line, bundles + i * sets, ahead, 1, ENTERING, False, ROWS, UPPER, WIDTH)
            _copy(ahead + size, ahead, size, ROWS)


@triton.jit
def _peaks(
    origin, line, b, highest, peaks, start, end, window, labels, weight, N,
    STRIDE: tl.constexpr, SPAN: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    size, sets, classes = tl.load(line + STATES), tl.load(line + SETS + 1), tl.load(line + CLASSES)
    window += tl.load(line + LEAVING + 2)
    marks = window + size * (STRIDE + 1) + tl.load(line + LEAVING + 3)
    length = tl.load(line + ROW_LENGTH).to(tl.int32)
    windows = (length + STRIDE - 1) // STRIDE
    enter_max(line, end, marks + windows * size, ROWS)
    for k in range(windows):
        w = windows - 1 - k
        count = tl.minimum(STRIDE, length - w * STRIDE)
        _copy(marks + (w + 1) * size, window + count * size, size, ROWS)
        sweep_max(origin, line, highest + w * STRIDE * sets, window, count, ROWS, UPPER, WIDTH)
        _copy(window, marks + w * size, size, ROWS)
    state, top = best_entry(start + tl.load(line + AT_STATE), marks, size.to(tl.int32))
    tl.store(weight + b, top)
    offsets = origin + tl.load(line + EDGES)
    label = offsets + size + 1
    target = label + tl.load(line + EDGE_COUNT)
    peaks += tl.load(line + AT_CLASS)
    for w in range(windows):
        count = tl.minimum(STRIDE, length - w * STRIDE)
        _copy(marks + (w + 1) * size, window + count * size, size, ROWS)
        sweep_max(origin, line, highest + w * STRIDE * sets, window, count, ROWS, UPPER, WIDTH)
        for j in range(count):
            i = w * STRIDE + j
            after = window + (j + 1) * size
            c, state = followed(offsets, label, target, peaks + i * classes, after, state, SPAN)
            tl.store(labels + b * N + i, c)


@triton.jit
def _copy(source, target, size, ROWS: tl.constexpr):
    """Copy a message [S]."""
    tl.debug_barrier()
    for begin in range(0, size, ROWS):
        s = begin + tl.arange(0, ROWS)
        tl.store(target + s, tl.load(source + s, mask=s < size, other=0), mask=s < size)
    tl.debug_barrier()
