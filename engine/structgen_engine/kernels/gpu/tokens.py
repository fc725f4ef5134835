"""From classes back to tokens: a token drawn inside a class or its best one, and a value for every token.

Axes: B batch, N block, V vocabulary, K classes, C chunks.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu import tables
from structgen_engine.kernels.gpu.classes import Scores
from structgen_engine.kernels.gpu.fields import (
    AT_CHUNK,
    AT_CLASS,
    CHUNK_AT,
    CHUNK_FIRST,
    CHUNK_SIZE,
    CHUNKS,
    CLASS_OF,
    CLASSES,
    FIELDS,
    KNOWN,
    WIDE,
)
from structgen_engine.kernels.gpu.layout import AlphabetLayout, power_of_two, warps
from structgen_engine.kernels.gpu.logits import held, single
from structgen_engine.kernels.gpu.paths import pick

SPAN = 4096  # tokens that one program of a full table writes


def draw(
    layout: AlphabetLayout,
    logits: Tensor,
    scores: Scores,
    settled: Tensor,
    labels: Tensor,
    uniforms: Tensor,
    temperature: Tensor,
    ids: Tensor,
) -> None:
    """Fill ids [B, N] int64: a settled token, or one drawn inside its class by first drawing a chunk.

    logits: [B, N, ≥ V]; settled, labels: [B, N] int64; uniforms: [B, N] float64 of any row stride; temperature: [B]
    """
    B, N = labels.shape
    _draw[(N, B)](
        layout.blob, layout.lines, logits, scores.top, scores.mass, settled, labels, uniforms, temperature, ids,
        N, uniforms.stride(0), *logits.stride(),
        PIECES=_pieces(layout), WIDTH=tables.WIDE, num_warps=warps(tables.WIDE),
    )  # fmt: skip


def top(
    layout: AlphabetLayout, logits: Tensor, scores: Scores, settled: Tensor, labels: Tensor, ids: Tensor
) -> None:
    """Fill ids [B, N] int64: a settled token, or the highest score in its class; among equals, the lowest id."""
    B, N = labels.shape
    _top[(N, B)](
        layout.blob, layout.lines, logits, scores.top, settled, labels, ids,
        N, *logits.stride(), PIECES=_pieces(layout), WIDTH=tables.WIDE, num_warps=warps(tables.WIDE),
    )  # fmt: skip


def weigh(
    layout: AlphabetLayout,
    logits: Tensor,
    peak: Tensor,
    shares: Tensor,
    settled: Tensor,
    temperature: Tensor,
    out: Tensor,
    *,
    unit: Tensor | None = None,
    least: float = float("-inf"),
) -> None:
    """Fill out [B, N, V of the logits], which may be the logits themselves, with a value for every token.

    The value is the marginal probability, 0 if refused; or, with unit [B] float64, unit times the log-marginal and at
    least `least`. peak: [ΣN·K] float64 nats; shares: [ΣN·K] float32, of `Marginals`
    """
    B, N, V = logits.shape
    units = temperature if unit is None else unit
    _weigh[(triton.cdiv(V, SPAN), N, B)](
        layout.blob, layout.lines, logits, peak, shares, settled, temperature, units, out, N, V, least,
        *logits.stride(), *out.stride(), PROBABILITIES=unit is None, SPAN=SPAN, num_warps=8,
    )  # fmt: skip


def _pieces(layout: AlphabetLayout) -> int:
    return power_of_two(layout.most_pieces)


@triton.jit
def _draw(
    blob, lines, logits, tops, masses, settled, labels, uniforms, temperature, ids, N, stride_u, stride_b, stride_n,
    stride_v, PIECES: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    line = lines + b * FIELDS
    token = tl.load(settled + b * N + i)
    if token < 0:
        c = tl.load(labels + b * N + i)
        low, high = (
            tl.load(blob + tl.load(line + CHUNK_FIRST) + c),
            tl.load(blob + tl.load(line + CHUNK_FIRST) + c + 1),
        )
        row = tl.load(line + AT_CHUNK) + i * tl.load(line + CHUNKS)
        degree = tl.load(temperature + b)
        scale = 1.0 / degree
        piece = tl.arange(0, PIECES)
        live = piece < high - low
        x = held(tl.load(tops + row + low + piece, mask=live, other=float("-inf")), degree)
        some = x > float("-inf")
        best = tl.max(x, 0)
        mass = tl.load(masses + row + low + piece, mask=some, other=0.0).to(tl.float64)
        share = tl.where(some, mass * tl.exp(tl.where(some, x - best, 0.0).to(tl.float64) * scale), 0.0)
        bound = tl.load(uniforms + b * stride_u + i) * tl.sum(share, 0)
        chosen = tl.maximum(pick(share, tl.load(uniforms + b * stride_u + i), piece), 0)
        before = tl.sum(tl.where(piece < chosen, share, 0.0), 0)
        own = tl.sum(tl.where(piece == chosen, share, 0.0), 0)
        left = tl.where(
            own > 0, (bound - before) / own, 0.0
        )  # position inside the chunk, as a fraction of its mass

        lane = tl.arange(0, WIDTH)
        at = low + chosen
        within = lane < tl.load(blob + tl.load(line + CHUNK_SIZE) + at, mask=high > low, other=0)
        table = (
            blob
            + tl.load(line + WIDE)
            + tl.load(blob + tl.load(line + CHUNK_AT) + at, mask=high > low, other=0)
        )
        t = tl.load(table + lane, mask=within, other=0).to(tl.int64)
        x = tl.load(logits + b * stride_b + i * stride_n + t * stride_v, mask=within, other=float("-inf"))
        x = held(single(x), degree)
        some = x > float("-inf")
        gap = tl.where(some, x - tl.max(x, 0), 0.0).to(tl.float64) * scale
        inside = tl.where(some, tl.exp(gap.to(tl.float32)), 0.0).to(tl.float64)
        token = tl.sum(tl.where(lane == pick(inside, left, lane), t, 0), 0)
    tl.store(ids + b * N + i, token)


@triton.jit
def _top(
    blob, lines, logits, tops, settled, labels, ids, N, stride_b, stride_n, stride_v,
    PIECES: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    line = lines + b * FIELDS
    token = tl.load(settled + b * N + i)
    if token < 0:
        c = tl.load(labels + b * N + i)
        low, high = (
            tl.load(blob + tl.load(line + CHUNK_FIRST) + c),
            tl.load(blob + tl.load(line + CHUNK_FIRST) + c + 1),
        )
        row = tl.load(line + AT_CHUNK) + i * tl.load(line + CHUNKS)
        piece = tl.arange(0, PIECES)
        x = tl.load(tops + row + low + piece, mask=piece < high - low, other=float("-inf"))
        best = tl.max(x, 0)
        at = low + tl.minimum(tl.min(tl.where(x == best, piece, PIECES), 0), tl.maximum(high - low - 1, 0))

        lane = tl.arange(0, WIDTH)
        within = lane < tl.load(blob + tl.load(line + CHUNK_SIZE) + at, mask=high > low, other=0)
        table = (
            blob
            + tl.load(line + WIDE)
            + tl.load(blob + tl.load(line + CHUNK_AT) + at, mask=high > low, other=0)
        )
        t = tl.load(table + lane, mask=within, other=0).to(tl.int64)
        x = tl.load(logits + b * stride_b + i * stride_n + t * stride_v, mask=within, other=float("-inf"))
        first = tl.min(tl.where(within & (single(x) == best), lane, WIDTH), 0)
        token = tl.sum(tl.where(lane == first, t, 0), 0)
    tl.store(ids + b * N + i, token)


@triton.jit
def _weigh(
    blob, lines, logits, peaks, shares, settled, temperature, units, out, N, V, least, stride_b, stride_n, stride_v,
    out_b, out_n, out_v, PROBABILITIES: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    line = lines + b * FIELDS
    v = tl.program_id(0) * SPAN + tl.arange(0, SPAN)
    known = v < tl.load(line + KNOWN)
    at = tl.load(line + AT_CLASS) + i * tl.load(line + CLASSES)
    c = tl.load(blob + tl.load(line + CLASS_OF) + v, mask=known, other=0)
    share = tl.load(shares + at + c, mask=c > 0, other=float("-inf"))
    allowed = share > float("-inf")
    exact = tl.load(temperature + b)
    degree = exact.to(tl.float32)
    pinned = tl.load(settled + b * N + i)
    if pinned < 0:
        high = (tl.load(peaks + at + c, mask=allowed, other=0.0) * exact).to(tl.float32)  # the logit itself
        source = logits + b * stride_b + i * stride_n + v.to(tl.int64) * stride_v
        x = held(single(tl.load(source, mask=allowed, other=float("-inf"))), exact)
        worth = tl.where(allowed, tl.minimum((x - high) / degree, 0.0) + share, float("-inf"))
    else:
        worth = tl.where(v == pinned, share, float("-inf"))
    value = tl.exp(worth) if PROBABILITIES else tl.maximum(worth * tl.load(units + b).to(tl.float32), least)
    place = out + b * out_b + i * out_n + v.to(tl.int64) * out_v
    tl.store(place, value.to(out.dtype.element_ty), mask=v < V)
