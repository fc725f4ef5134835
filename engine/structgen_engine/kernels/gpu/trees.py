"""Sums over segments of very different lengths, as trees of rows of equal width.

A segment holds the items that one result adds up, such as the arcs out of a state or the classes of a bundle. Most have
a handful of items and a few have hundreds, but a GPU needs the same work in every lane. Each segment is therefore cut
into rows of WIDTH items. One row is enough for a short segment; the row sums of a longer one are items of the next
level. Every level is one tile-wise pass. The table fixes the order of additions, so results are the same in every run.

Row sums that are not yet results are kept in a separate scratch area; the table refers to them as −1, −2, … where they
are written and as 0, 1, … where they are read.

The kernels of scans, posterior and bundles all consist of `slots`, a level 0 of their own, and `climb`.

Axes: R rows, n segments.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import triton
import triton.language as tl
from numpy.typing import NDArray

from structgen_engine.kernels.gpu.pairs import ZERO, exponent, mantissa, total

Ints = NDArray[Any]

SCRATCH = (
    2**18
)  # items, 2 MB, that the programs of a row keep for row sums; more only for the fewest programs
FEWEST = 16  # programs among which a row's positions are divided, however much scratch each needs
ITEMS, LEAST = tl.constexpr(SCRATCH), tl.constexpr(FEWEST)
HEAD = 4  # numbers before the level offsets in a packed tree


@dataclass(frozen=True, eq=False)
class Tree:
    """The rows of a tree, level by level.

    first, second: what each slot refers to, [R · width] and [rows of level 0 · width], −1 where empty

    out: [R], the number of a row's result, or −1 − x for row sum x; levels: [L + 1], where each level's rows begin;
    segments: number of results; partial: number of row sums
    """

    first: Ints
    second: Ints
    out: Ints
    levels: Ints
    segments: int
    partial: int

    def packed(self) -> Ints:
        """int32: number of levels, where out, first and second begin, the level offsets, then the three tables."""
        out_at = HEAD + len(self.levels)
        first_at = out_at + len(self.out)
        head = [len(self.levels) - 1, out_at, first_at, first_at + len(self.first)]
        return np.concatenate([head, self.levels, self.out, self.first, self.second]).astype(np.int32)


def tree(counts: Ints, first: Ints, second: Ints | None, width: int) -> Tree:
    """The tree over segments of counts[s] items each, which `first` and `second` hold segment by segment."""
    n, segments, levels, sums = len(counts), np.arange(len(counts)), [0], 0
    tables, outs = [], []
    items = first
    while True:
        rows = np.maximum(1, -(-counts // width))
        table = np.full((rows.sum(), width), -1, np.int64)
        at = _places(counts, rows, width)
        table.reshape(-1)[at] = items
        if not tables:
            pair = np.full(table.size, -1, np.int64)
            pair[at] = items if second is None else second
        long = rows > 1
        out = np.repeat(segments, rows)
        partial = np.repeat(long, rows)
        out[partial] = -1 - sums - np.arange(partial.sum())
        tables.append(table.reshape(-1))
        outs.append(out)
        levels.append(levels[-1] + len(table))
        if not long.any():
            return Tree(np.concatenate(tables), pair, np.concatenate(outs), np.array(levels), n, sums)
        items, segments, counts = -1 - out[partial], segments[long], rows[long]
        sums += len(items)


def _places(counts: Ints, rows: Ints, width: int) -> Ints:
    """The slots of the items of consecutive segments, if each segment begins on a new row."""
    begin = (rows.cumsum() - rows) * width
    return np.repeat(begin - (counts.cumsum() - counts), counts) + np.arange(counts.sum())


def groups(items: int, positions: int) -> int:
    """How many programs share a block's positions if each needs scratch for this many items of 8 bytes."""
    return min(positions, max(FEWEST, SCRATCH // max(items, 1)))


@triton.jit
def groups_of(items, positions):
    """`groups` in a kernel."""
    most = tl.full([], ITEMS, tl.int64) // tl.maximum(items, 1)
    return tl.minimum(positions, tl.maximum(most, LEAST))


@triton.jit
def slots(table, row, high, WIDTH: tl.constexpr):
    """[R, WIDTH]: what the slots of these rows [R] refer to, −1 where empty or where the row is not below `high`."""
    at = row[:, None] * WIDTH + tl.arange(0, WIDTH)[None, :]
    return tl.load(table + at, mask=(row < high)[:, None], other=-1)


@triton.jit
def places(table, row, high, scratch):
    """[R]: the offsets of these rows' results; `scratch` is the offset of the row sums, from the same origin."""
    at = tl.load(table + row, mask=row < high, other=0)
    return tl.where(at >= 0, at, scratch - 1 - at)


@triton.jit
def climb(head, values, scratch, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """Sum the pairs of every level after the first into `values`, where the first level's sums are already written."""
    for level in range(1, tl.load(head)):
        tl.debug_barrier()
        low, high = tl.load(head + 4 + level), tl.load(head + 5 + level)
        for begin in range(low, high, ROWS):
            row = begin + tl.arange(0, ROWS)
            item = slots(head + tl.load(head + 2), row, high, WIDTH)
            x = tl.load(values + scratch + item, mask=item >= 0, other=ZERO)
            at = places(head + tl.load(head + 1), row, high, scratch)
            tl.store(values + at, total(mantissa(x), exponent(x)), mask=row < high)
    tl.debug_barrier()


@triton.jit
def climb_max(head, values, scratch, ROWS: tl.constexpr, WIDTH: tl.constexpr):
    """The same for the maxima of float64 nats."""
    for level in range(1, tl.load(head)):
        tl.debug_barrier()
        low, high = tl.load(head + 4 + level), tl.load(head + 5 + level)
        for begin in range(low, high, ROWS):
            row = begin + tl.arange(0, ROWS)
            item = slots(head + tl.load(head + 2), row, high, WIDTH)
            x = tl.load(values + scratch + item, mask=item >= 0, other=float("-inf"))
            at = places(head + tl.load(head + 1), row, high, scratch)
            tl.store(values + at, tl.max(x, 1), mask=row < high)
    tl.debug_barrier()
