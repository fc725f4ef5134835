"""From classes back to tokens: a token drawn inside a class or its best one, and a value for every token.

Axes: B batch, N block, V vocabulary, K classes, C chunks.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import math
from dataclasses import dataclass

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
    PLACE,
    RAISED,
    ROW_LENGTH,
    SOURCE,
    TARGET,
    WIDE,
)
from structgen_engine.kernels.gpu.layout import AlphabetLayout, power_of_two, warps
from structgen_engine.kernels.gpu.logits import held, lifted, single
from structgen_engine.kernels.gpu.paths import Walks, pick

SPAN = 4096  # tokens that one program of a full table writes
SILENT = math.log(
    1e-12
)  # nats: where a class's best token has less, a table of 16-bit marginals holds 0, unread
PIECES = 128  # chunks of a class that are looked at together, or more if one has more


DRAWN, HIGHEST, DRAWN_AND_HIGHEST = (0, 1), (1, 1), (0, 2)  # the first kind of token and how many
SEEN = tl.constexpr(256)  # positions whose entropies are read together


@dataclass(frozen=True, eq=False)
class Chosen:
    """What becomes of a step's draw and best block, row by row of the host's tables.

    ids, best: [H, N] int64; status: [B] int32, FINE, EMPTY or DIVERGED; instead: [B, N] int64, the ids of rows that are
    not fine
    """

    ids: Tensor
    best: Tensor
    status: Tensor
    instead: Tensor


@dataclass(frozen=True, eq=False)
class Handing:
    """A tile of a host's canvases that gets a step's results: those of rows `first` to `first` + its height.

    width: positions of its canvases; results: best and drawn tokens [B, N] int64, and entropies [B, N] float32
    tables: the tile's for these, [height · width]; written: whether it has a table of marginals
    """

    first: int
    width: int
    results: tuple[Tensor, Tensor, Tensor]
    tables: tuple[Tensor, Tensor, Tensor]
    written: bool


FINE, EMPTY, DIVERGED = 0, 1, 2


def choose(
    layout: AlphabetLayout,
    logits: Tensor,
    scores: Scores,
    settled: Tensor,
    walks: Walks,
    uniforms: Tensor,
    temperature: Tensor,
    entropy: Tensor,
    out: Chosen,
    which: tuple[int, int] = DRAWN_AND_HIGHEST,
    *,
    guarded: bool = True,
) -> None:
    """Fill the draw and the best block with tokens: settled ones, or inside a class one drawn or the highest.

    Among equals the lowest id is the highest. A draw first picks a chunk. Guarded: rows whose entropy holds NaN or
    whose log Z is −inf get `instead`.
    logits: [H, N, ≥ V]; settled: [B, N] int64; uniforms: [B, N] float64 of any row stride; entropy: [H, N]
    """
    first, number = which
    _choose[(layout.positions, len(layout.lines), number)](
        layout.origin, layout.lines, logits, scores.top, scores.mass, settled, walks.labels, walks.best_labels,
        uniforms, temperature, entropy, walks.log_partition, out.ids, out.best, out.status, out.instead,
        layout.positions, uniforms.stride(0), *logits.stride(), first, GUARDED=guarded,
        PIECES=max(PIECES, power_of_two(layout.most("pieces"))), WIDTH=tables.WIDE, num_warps=warps(tables.WIDE),
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
    handing: Handing | None = None,
) -> None:
    """Fill the batch's rows of out [H, N, V of the logits], which may be the logits, with a value for every token.

    The value is the marginal probability, 0 if refused; or, with unit [H] of any float type, unit times the
    log-marginal and at least `least`. For marginals of 16 bits, a class without a noticeable share is not read.
    peak: [ΣN·K] float64 nats; shares: [ΣN·K] float32, of `Marginals`
    handing: a tile that gets some rows of the results, marginals among them unless it has no table for them
    """
    V, N, B = logits.shape[2], layout.positions, len(layout.lines)
    tile = handing or Handing(0, N, (shares,) * 3, (shares,) * 3, written=True)
    blocks = triton.cdiv(V, SPAN) if tile.written else 1
    units = temperature if unit is None else unit
    floor = SILENT if unit is None and out.dtype.itemsize < 4 else -math.inf
    _weigh[(blocks, min(N, tile.width), B)](
        layout.origin, layout.lines, logits, peak, shares, settled, temperature, units, out, N, V, least, floor,
        *logits.stride(), *out.stride(), *tile.results, *tile.tables, tile.first, tile.width,
        PROBABILITIES=unit is None, HANDED=handing is not None, WRITTEN=tile.written, SPAN=SPAN, num_warps=8,
    )  # fmt: skip


@triton.jit(do_not_specialize=["first"])
def _choose(
    origin, lines, logits, tops, masses, settled, labels, best_labels, uniforms, temperature, entropy, log_partition,
    ids, best, status, instead, N, stride_u, stride_b, stride_n, stride_v, first,
    GUARDED: tl.constexpr, PIECES: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(0).to(tl.int64), tl.program_id(1).to(tl.int64)
    line = lines + b * FIELDS
    at, place = b * N + i, tl.load(line + PLACE)
    within = i < tl.load(line + ROW_LENGTH)
    token = tl.where(within, tl.load(settled + at), 0)
    degree = tl.load(temperature + place).to(tl.float64)
    source = logits + tl.load(line + SOURCE) * stride_b + i * stride_n
    tops += tl.load(line + AT_CHUNK) + i * tl.load(line + CHUNKS)
    masses += tl.load(line + AT_CHUNK) + i * tl.load(line + CHUNKS)
    drawing = tl.program_id(2) + first == 0
    if token < 0:
        if drawing:
            c, u = tl.load(labels + at), tl.load(uniforms + b * stride_u + i)
            token = _inside(origin, line, source, tops, masses, c, u, degree, stride_v, PIECES, WIDTH)
        else:
            c = tl.load(best_labels + at)
            token = _top(origin, line, source, tops, c, degree, stride_v, PIECES, WIDTH)
    if GUARDED:
        wrong = _diverged(entropy + place * N, tl.load(line + ROW_LENGTH).to(tl.int32))
        empty = (tl.load(log_partition + b) == float("-inf")).to(tl.int32)
        state = tl.where(wrong > 0, 2, empty)
        tl.store(status + b, state)  # all programs of a row write the same
        token = tl.where(state > 0, tl.load(instead + at), token)
    if drawing:
        tl.store(ids + place * N + i, token, mask=within)
    else:
        tl.store(best + place * N + i, token, mask=within)


@triton.jit
def _diverged(entropy, N):
    """Whether any of these entropies [N] is NaN."""
    wrong = 0
    for begin in range(0, N, SEEN):
        i = begin + tl.arange(0, SEEN)
        x = tl.load(entropy + i, mask=i < N, other=0.0)
        wrong += tl.max((x != x).to(tl.int32), 0)
    return wrong


@triton.jit
def _inside(
    origin, line, source, tops, masses, c, u, degree, stride_v, PIECES: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    """A token drawn inside class c: first a chunk of it, then a token in that chunk."""
    low = tl.load(origin + tl.load(line + CHUNK_FIRST) + c)
    high = tl.load(origin + tl.load(line + CHUNK_FIRST) + c + 1)
    scale = 1.0 / degree
    piece = tl.arange(0, PIECES)
    live = piece < high - low
    x = held(tl.load(tops + low + piece, mask=live, other=float("-inf")), degree)
    some = x > float("-inf")
    best = tl.max(x, 0)
    mass = tl.load(masses + low + piece, mask=some, other=0.0).to(tl.float64)
    share = tl.where(some, mass * tl.exp(tl.where(some, x - best, 0.0).to(tl.float64) * scale), 0.0)
    bound = u * tl.sum(share, 0)
    chosen = tl.maximum(pick(share, u, piece), 0)
    before = tl.sum(tl.where(piece < chosen, share, 0.0), 0)
    own = tl.sum(tl.where(piece == chosen, share, 0.0), 0)
    left = tl.where(own > 0, (bound - before) / own, 0.0)  # place inside the chunk, as a fraction of its mass
    lane = tl.arange(0, WIDTH)
    t, within = _tokens(origin, line, low + chosen, high > low, lane)
    x = single(tl.load(source + t * stride_v, mask=within, other=float("-inf")))
    x = held(tl.where(within, lifted(x, degree, tl.load(line + RAISED) > 0), float("-inf")), degree)
    some = x > float("-inf")
    gap = tl.where(some, x - tl.max(x, 0), 0.0).to(tl.float64) * scale
    inside = tl.where(some, tl.exp(gap.to(tl.float32)), 0.0).to(tl.float64)
    return tl.sum(tl.where(lane == pick(inside, left, lane), t, 0), 0)


@triton.jit
def _top(origin, line, source, tops, c, degree, stride_v, PIECES: tl.constexpr, WIDTH: tl.constexpr):
    """The token of class c with the highest logit; among equals, the lowest id."""
    low = tl.load(origin + tl.load(line + CHUNK_FIRST) + c)
    high = tl.load(origin + tl.load(line + CHUNK_FIRST) + c + 1)
    piece = tl.arange(0, PIECES)
    x = tl.load(tops + low + piece, mask=piece < high - low, other=float("-inf"))
    best = tl.max(x, 0)
    at = low + tl.minimum(tl.min(tl.where(x == best, piece, PIECES), 0), tl.maximum(high - low - 1, 0))
    lane = tl.arange(0, WIDTH)
    t, within = _tokens(origin, line, at, high > low, lane)
    x = single(tl.load(source + t * stride_v, mask=within, other=float("-inf")))
    x = lifted(x, degree, tl.load(line + RAISED) > 0)
    first = tl.min(tl.where(within & (x == best), lane, WIDTH), 0)
    return tl.sum(tl.where(lane == first, t, 0), 0)


@triton.jit
def _tokens(origin, line, chunk, some, lane):
    """The tokens of a chunk [WIDTH] int64, and which lanes hold one."""
    within = lane < tl.load(origin + tl.load(line + CHUNK_SIZE) + chunk, mask=some, other=0)
    begin = tl.load(origin + tl.load(line + CHUNK_AT) + chunk, mask=some, other=0)
    table = origin + tl.load(line + WIDE) + begin
    return tl.load(table + lane, mask=within, other=0).to(tl.int64), within


@triton.jit(do_not_specialize=["first"])
def _weigh(
    origin, lines, logits, peaks, shares, settled, temperature, units, out, N, V, least, floor,
    stride_b, stride_n, stride_v, out_b, out_n, out_v, best, drawn, entropy, to_best, to_drawn, to_entropy,
    first, width,
    PROBABILITIES: tl.constexpr, HANDED: tl.constexpr, WRITTEN: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    i, b = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64)
    line = lines + b * FIELDS
    row = tl.load(line + TARGET) - first
    if i < tl.load(line + ROW_LENGTH):
        if HANDED and tl.program_id(0) == 0:
            source, target = tl.load(line + PLACE) * N + i, row * width + i
            tl.store(to_best + target, tl.load(best + source))
            tl.store(to_drawn + target, tl.load(drawn + source))
            tl.store(to_entropy + target, tl.load(entropy + source))
        if WRITTEN:
            v = tl.program_id(0) * SPAN + tl.arange(0, SPAN)
            pinned = tl.load(settled + b * N + i)
            value = _value(
                origin, line, i, v, logits, peaks, shares, pinned, temperature, units, least, floor,
                stride_b, stride_n, stride_v, PROBABILITIES,
            )  # fmt: skip
            target = out + row * out_b + i * out_n + v.to(tl.int64) * out_v
            tl.store(target, value.to(out.dtype.element_ty), mask=v < V)


@triton.jit
def _value(
    origin, line, i, v, logits, peaks, shares, pinned, temperature, units, least, floor,
    stride_b, stride_n, stride_v, PROBABILITIES: tl.constexpr,
):  # fmt: skip
    """The values of tokens v [SPAN] at position i."""
    at = tl.load(line + AT_CLASS) + i * tl.load(line + CLASSES)
    c = tl.load(origin + tl.load(line + CLASS_OF) + v, mask=v < tl.load(line + KNOWN), other=0)
    share = tl.load(shares + at + c, mask=c > 0, other=float("-inf"))
    allowed = share > floor
    place = tl.load(line + PLACE)
    exact = tl.load(temperature + place).to(tl.float64)
    degree = exact.to(tl.float32)
    if pinned < 0:
        high = (tl.load(peaks + at + c, mask=allowed, other=0.0) * exact).to(tl.float32)  # the logit itself
        source = logits + tl.load(line + SOURCE) * stride_b + i * stride_n + v.to(tl.int64) * stride_v
        x = single(tl.load(source, mask=allowed, other=float("-inf")))
        x = held(lifted(x, exact, tl.load(line + RAISED) > 0), exact)
        worth = tl.where(allowed, tl.minimum((x - high) / degree, 0.0) + share, float("-inf"))
    else:
        worth = tl.where((v == pinned) & allowed, share, float("-inf"))
    worth = tl.where(worth == worth, worth, float("-inf"))  # NaN, which the status of the row tells
    nats = tl.maximum(worth * tl.load(units + place).to(tl.float32), least)
    return tl.exp(worth) if PROBABILITIES else nats
