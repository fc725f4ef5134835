"""Class scores: one pass over the logits, chunk by chunk, after which the chunks of each class are joined.

The tokens of a class ascend, so that a wide chunk of a dominant class reads nearly consecutive logits; in any order, a
row of logits passes through the second-level cache only once. A program keeps its token ids in registers for POSITIONS
rows of logits.

Axes: B batch, N block, V vocabulary, K classes, C chunks.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.fields import (
    AT_CHUNK,
    AT_CLASS,
    CHUNK_FIRST,
    CHUNKS,
    CLASS_OF,
    CLASSES,
    FIELDS,
    KNOWN,
    NARROW,
    PLACE,
    RAISED,
    ROW_LENGTH,
    SOURCE,
    WIDE,
)
from structgen_engine.kernels.gpu.layout import AlphabetLayout, warps
from structgen_engine.kernels.gpu.logits import held, lifted, single

POSITIONS = 4
GROUP = tl.constexpr(16)  # classes per program when chunks are joined, and chunks of each class read at once


@dataclass(frozen=True, eq=False)
class Scores:
    """The class scores of a batch, in flat tables.

    Chunk tables are ΣN·C float32, top in raw logits, mass and moment under the temperature; class tables are ΣN·K
    float64 nats, count int32.
    """

    top: Tensor
    mass: Tensor
    moment: Tensor
    found: Tensor
    log_sum: Tensor
    entropy: Tensor
    peak: Tensor
    count: Tensor

    @classmethod
    def empty(cls, layout: AlphabetLayout) -> Scores:
        """Tables of the right sizes, not yet filled."""
        N, device = layout.positions, layout.lines.device
        chunks, classes = N * layout.chunks, N * layout.classes
        new = torch.empty
        return cls(
            *(new(chunks, device=device) for _ in range(3)),
            new(chunks, dtype=torch.int32, device=device),
            *(new(classes, dtype=torch.float64, device=device) for _ in range(3)),
            new(classes, dtype=torch.int32, device=device),
        )


def score(layout: AlphabetLayout, logits: Tensor, settled: Tensor, temperature: Tensor, out: Scores) -> None:
    """Fill `out` from logits [H, ≥ N, ≥ V] of any strides, of which the batch's rows lie at their places.

    settled: [B, N] int64, −1 open; temperature: [H] of any float type
    """
    parts = out.top, out.mass, out.moment, out.found
    N, B = layout.positions, len(layout.lines)
    given = layout.origin, layout.lines, logits, settled, temperature
    for field, width, rows in (
        (WIDE, tables.WIDE, layout.most("wide")),
        (NARROW, tables.NARROW, layout.most("narrow")),
    ):
        if rows:
            height = tables.WIDE // width
            grid = triton.cdiv(rows, height), triton.cdiv(N, POSITIONS), B
            _chunks[grid](
                *given,
                *parts,
                N,
                *logits.stride(),
                TABLE=field,
                WIDTH=width,
                ROWS=height,
                POSITIONS=POSITIONS,
            )
    _join[(triton.cdiv(layout.most("classes"), GROUP.value), N, B)](
        *given[:2],
        settled,
        temperature,
        *parts,
        out.log_sum,
        out.entropy,
        out.peak,
        out.count,
        N,
        num_warps=warps(256),
    )


@triton.jit
def _chunks(
    origin, lines, logits, settled, temperature, top, mass, moment, found, N, stride_b, stride_n, stride_v,
    TABLE: tl.constexpr, WIDTH: tl.constexpr, ROWS: tl.constexpr, POSITIONS: tl.constexpr,
):  # fmt: skip
    """For ROWS chunks at POSITIONS positions: the highest logit, Σ exp d, Σ d·exp d with d = (x − top) / temperature,
    and how many are not −inf. Below −87 nats exp d stays at 1e-38, which is negligible beside the 1 of the maximum."""
    b = tl.program_id(2).to(tl.int64)
    line = lines + b * FIELDS
    rows = tl.load(line + TABLE + 2)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    if tl.program_id(0) * ROWS < rows:
        slot = row[:, None] * WIDTH + tl.arange(0, WIDTH)[None, :]
        live = row < rows
        token = tl.load(origin + tl.load(line + TABLE) + slot, mask=live[:, None], other=-1).to(tl.int64)
        chunk = tl.load(origin + tl.load(line + TABLE + 1) + row, mask=live, other=0)
        place = tl.load(line + PLACE)
        degree = tl.load(temperature + place).to(tl.float64)
        raised = tl.load(line + RAISED) > 0
        scale = (1.0 / degree).to(tl.float32)
        for p in range(POSITIONS):
            i = tl.program_id(1) * POSITIONS + p
            if i < tl.load(line + ROW_LENGTH):  # noqa: SIM102  (nothing is loaded beyond the row)
                if tl.load(settled + b * N + i) < 0:
                    source = logits + tl.load(line + SOURCE) * stride_b + i.to(tl.int64) * stride_n
                    x = single(tl.load(source + token * stride_v, mask=token >= 0, other=float("-inf")))
                    x = tl.where(token >= 0, lifted(x, degree, raised), float("-inf"))
                    possible = tl.sum((x != float("-inf")).to(tl.int32), 1)
                    high = tl.max(x, 1)
                    shift = tl.where(high == float("-inf"), 0.0, held(high, degree))  # no logits, or only NaN
                    d = (held(x, degree) - shift[:, None]) * scale
                    d = tl.where(d < -87.0, -87.0, d)  # NaN stays NaN
                    e = tl.exp(d)
                    at = tl.load(line + AT_CHUNK) + i.to(tl.int64) * tl.load(line + CHUNKS) + chunk
                    tl.store(top + at, high, mask=live)
                    tl.store(mass + at, tl.sum(e, 1), mask=live)
                    tl.store(moment + at, tl.sum(e * d, 1), mask=live)
                    tl.store(found + at, possible, mask=live)


@triton.jit
def _join(
    origin, lines, settled, temperature, top, mass, moment, found, log_sum, entropy, peak, count, N
):  # fmt: skip
    """Fill the class tables of GROUP classes at one position from their chunks; a settled token is certain."""
    i, b = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    line = lines + b * FIELDS
    classes = tl.load(line + CLASSES)
    c = tl.program_id(0) * GROUP + tl.arange(0, GROUP)
    live = c < classes
    out = tl.load(line + AT_CLASS) + i * classes + c
    beyond = i >= tl.load(line + ROW_LENGTH)
    pinned = tl.load(settled + b * N + i)
    if (pinned >= 0) | beyond:
        known = (pinned >= 0) & (pinned < tl.load(line + KNOWN)) & (beyond == 0)
        own = tl.load(origin + tl.load(line + CLASS_OF) + tl.where(known, pinned, 0))
        own = tl.where(known, own, 0)
        certain = (c == own) & (own > 0)
        value = tl.where(certain, 0.0, float("-inf")).to(tl.float64)
        tl.store(log_sum + out, value, mask=live)
        tl.store(peak + out, value, mask=live)
        tl.store(entropy + out, tl.zeros_like(value), mask=live)
        tl.store(count + out, certain.to(tl.int32), mask=live)
    else:
        first = origin + tl.load(line + CHUNK_FIRST) + c
        low = tl.load(first, mask=live, other=0)
        high = tl.load(first + 1, mask=live, other=0)
        row = tl.load(line + AT_CHUNK) + i * tl.load(line + CHUNKS)
        most = tl.max(high - low, 0)
        best = tl.full([GROUP], float("-inf"), tl.float32)
        for j in range(0, most, GROUP):
            k = low[:, None] + j + tl.arange(0, GROUP)[None, :]
            x = tl.load(top + row + k, mask=k < high[:, None], other=float("-inf"))
            best = tl.maximum(best, tl.max(x, 1))
        degree = tl.load(temperature + tl.load(line + PLACE)).to(tl.float64)
        scale = (1.0 / degree).to(tl.float32)
        shift = tl.where(best == float("-inf"), 0.0, held(best, degree))
        weight = tl.zeros([GROUP], tl.float32)
        slope = tl.zeros([GROUP], tl.float32)
        number = tl.zeros([GROUP], tl.int32)
        for j in range(0, most, GROUP):
            k = low[:, None] + j + tl.arange(0, GROUP)[None, :]
            within = k < high[:, None]
            n = tl.load(found + row + k, mask=within, other=0)
            filled = within & (n > 0)
            x = tl.load(top + row + k, mask=filled, other=float("-inf"))
            gap = (tl.where(x == float("-inf"), 0.0, held(x, degree)) - shift[:, None]) * scale
            gap = tl.where(gap < -87.0, -87.0, gap)
            share = tl.where(filled, tl.exp(gap), 0.0)
            m = tl.load(mass + row + k, mask=filled, other=0.0)
            weight += tl.sum(share * m, 1)
            slope += tl.sum(share * (tl.load(moment + row + k, mask=filled, other=0.0) + gap * m), 1)
            number += tl.sum(n, 1)
        some = number > 0
        level = shift.to(tl.float64) / degree
        safe = tl.where(some, weight, 1.0)
        spread = tl.log(safe.to(tl.float64))
        doubt = spread - (slope / safe).to(tl.float64)
        tl.store(peak + out, tl.where(some, level, float("-inf")), mask=live)
        tl.store(log_sum + out, tl.where(some, level + spread, float("-inf")), mask=live)
        tl.store(entropy + out, tl.where(some & (doubt > 0.0), doubt, 0.0), mask=live)
        tl.store(count + out, number, mask=live)
