"""Forward and backward: the weight of every prefix and of every suffix, in one launch for all rows and directions.

One program walks one row in one direction, and a third finds the heaviest suffixes. The messages of a position fit its
first-level cache, so a step is a gather, a sum in registers and a barrier. No program waits for another or for the
memory behind the caches.

Axes: B batch, N block, K classes, S states, G bundles.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.fields import (
    AT_CLASS,
    AT_STATE,
    CLASSES,
    ENTERING,
    FIELDS,
    LEAN,
    LEAVING,
    ROW_LENGTH,
    SETS,
    STATES,
)
from structgen_engine.kernels.gpu.layout import UPPER, AutomatonLayout, Tile
from structgen_engine.kernels.gpu.pairs import ZERO, exponent, from_nats, mantissa, total
from structgen_engine.kernels.gpu.trees import climb, climb_max, groups_of, places, slots

# the first direction and how many: prefixes are 1, suffixes 0, heaviest suffixes 2
BACKWARD, FORWARD, BOTH, HEAVIEST, ALL = (0, 1), (1, 1), (0, 2), (2, 1), (0, 3)
SUMS, PEAKS, SUMS_AND_PEAKS = (0, 1), (1, 1), (0, 2)  # of bundles, likewise
LEFT_OUT = tl.constexpr(8)  # added to a direction that a lean row does not take here
BUNDLED = 256  # rows of a tree of bundles that one program sums at once: with 512, registers spill


def bundle(
    layout: AutomatonLayout,
    log_sum: Tensor,
    peaks: Tensor,
    sums: Tensor,
    highest: Tensor,
    which: tuple[int, int] = SUMS_AND_PEAKS,
) -> None:
    """Fill `sums` with the pair of every bundle and `highest` with its highest score, or only one of them.

    log_sum, peaks: [ΣN·K] float64; sums: [sets] int64; highest: [sets] float64
    """
    first, number = which
    _bundle[(layout.positions, len(layout.lines), number)](
        layout.origin, layout.lines, log_sum, peaks, sums, highest, layout.positions, first,
        **_tile(layout, BUNDLED),
    )  # fmt: skip


def scan(
    layout: AutomatonLayout,
    bundles: Tensor,
    highest: Tensor,
    start: Tensor,
    end: Tensor,
    alpha: Tensor,
    beta: Tensor,
    best: Tensor,
    directions: tuple[int, int],
) -> None:
    """Fill alpha [entering] and beta [leaving], int64 pairs, and best [leaving] float64 nats, or only some of them.

    bundles: [sets] int64; highest: [sets] float64; start, end: [ΣS] float64 nats; best: heaviest suffixes
    """
    first, number = directions
    _scan[(len(layout.lines), number)](
        layout.origin, layout.lines, bundles, highest, start, end, alpha, beta, best, first,
        **_tile(layout, layout.tile.rows), WHOLE=layout.tile.whole,
    )  # fmt: skip


def _tile(layout: AutomatonLayout, most: int) -> dict[str, int]:
    tile = Tile(min(layout.tile.rows, most), False)
    return {"ROWS": tile.rows, "UPPER": UPPER, "WIDTH": tables.WIDTH, "num_warps": tile.warps}


@triton.jit(do_not_specialize=["first"])
def _bundle(
    origin, lines, log_sum, peaks, sums, highest, N, first,
    ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """The bundles of one position, or of several that take turns in this program's scratch."""
    own, line = tl.program_id(0).to(tl.int64), lines + tl.program_id(1) * FIELDS
    sets, partial = tl.load(line + SETS + 1), tl.load(line + SETS + 3)
    groups = groups_of(partial, N)
    if own < groups:
        for i in range(own, tl.load(line + ROW_LENGTH), groups):
            at_class = tl.load(line + AT_CLASS) + i * tl.load(line + CLASSES)
            at_set = tl.load(line + SETS + 2) + i * sets
            scratch = (N - i) * sets + own * partial
            head = origin + tl.load(line + SETS)
            if tl.program_id(2) + first == 0:
                _bundle_sums(head, log_sum + at_class, sums + at_set, scratch, ROWS, UPPER, WIDTH)
            else:
                _bundle_peaks(head, peaks + at_class, highest + at_set, scratch, ROWS, UPPER, WIDTH)


@triton.jit
def _bundle_sums(head, log_sum, out, scratch, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr):
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        c = slots(head + tl.load(head + 2), row, high, WIDTH)
        weight = from_nats(tl.load(log_sum + c, mask=c >= 0, other=float("-inf")))
        at = places(head + tl.load(head + 1), row, high, scratch)
        tl.store(out + at, total(mantissa(weight), exponent(weight)), mask=row < high)
    climb(head, out, scratch, UPPER, WIDTH)


@triton.jit
def _bundle_peaks(head, peaks, out, scratch, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr):
    high = tl.load(head + 5)
    for begin in range(0, high, ROWS):
        row = begin + tl.arange(0, ROWS)
        c = slots(head + tl.load(head + 2), row, high, WIDTH)
        at = places(head + tl.load(head + 1), row, high, scratch)
        x = tl.load(peaks + c, mask=c >= 0, other=float("-inf"))
        tl.store(out + at, tl.max(x, 1), mask=row < high)
    climb_max(head, out, scratch, UPPER, WIDTH)


@triton.jit(do_not_specialize=["first"])
def _scan(
    origin, lines, bundles, highest, start, end, alpha, beta, best, first,
    ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr, WHOLE: tl.constexpr,
):  # fmt: skip
    line = lines + tl.program_id(0) * FIELDS
    N = tl.load(line + ROW_LENGTH).to(tl.int32)
    direction = tl.program_id(1) + first + tl.load(line + LEAN) * LEFT_OUT
    if direction == 0:
        out = beta + tl.load(line + LEAVING + 2)
        enter(line, end, out + N * tl.load(line + STATES), ROWS)
        if WHOLE:
            _sweep_whole(origin, line, bundles, out, N, LEAVING, True, ROWS, UPPER, WIDTH)
        else:
            sweep(origin, line, bundles, out, N, LEAVING, True, ROWS, UPPER, WIDTH)
    elif direction == 1:
        out = alpha + tl.load(line + ENTERING + 2)
        enter(line, start, out, ROWS)
        if WHOLE:
            _sweep_whole(origin, line, bundles, out, N, ENTERING, False, ROWS, UPPER, WIDTH)
        else:
            sweep(origin, line, bundles, out, N, ENTERING, False, ROWS, UPPER, WIDTH)
    elif direction == 2:
        out = best + tl.load(line + LEAVING + 2)
        enter_max(line, end, out + N * tl.load(line + STATES), ROWS)
        sweep_max(origin, line, highest, out, N, ROWS, UPPER, WIDTH)


@triton.jit
def enter(line, edge, here, ROWS: tl.constexpr):
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
def sweep(
    origin, line, bundles, out, N,
    TREE: tl.constexpr, BACK: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Fill the messages of one row: out[then, s] = Σ over the arcs of s of bundle weight · out[here, other state]."""
    head, size = origin + tl.load(line + TREE), tl.load(line + TREE + 1)
    bundles += tl.load(line + SETS + 2)
    sets, high = tl.load(line + SETS + 1), tl.load(head + 5)
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
    origin, line, bundles, out, N,
    TREE: tl.constexpr, BACK: tl.constexpr, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """`sweep` for rows that fit one tile: the arcs stay in registers, and the next position's weights are loaded while
    this one's messages are summed."""
    head, size = origin + tl.load(line + TREE), tl.load(line + TREE + 1)
    bundles += tl.load(line + SETS + 2)
    sets, high = tl.load(line + SETS + 1), tl.load(head + 5)
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
def enter_max(line, edge, here, ROWS: tl.constexpr):
    """`enter` for nats."""
    states = tl.load(line + STATES).to(tl.int32)
    edge += tl.load(line + AT_STATE)
    for begin in range(0, states, ROWS):
        s = begin + tl.arange(0, ROWS)
        tl.store(here + s, tl.load(edge + s, mask=s < states, other=float("-inf")), mask=s < states)
    tl.debug_barrier()


@triton.jit
def sweep_max(
    origin, line, bundles, out, N, ROWS: tl.constexpr, UPPER: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    """Fill the heaviest suffixes of one row, whose last ones are there already."""
    head, size = origin + tl.load(line + LEAVING), tl.load(line + LEAVING + 1)
    bundles += tl.load(line + SETS + 2)
    sets, high = tl.load(line + SETS + 1), tl.load(head + 5)
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
