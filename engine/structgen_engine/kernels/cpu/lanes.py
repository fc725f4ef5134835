"""Vectors of sixteen positions as numba values, because numba has no vector types; LLVM fits them to any processor.

A `Lanes` value holds one float32 of each of sixteen rows of the logits, so one token costs one load, however the
classes lie in the vocabulary. `tile` makes such vectors: it transposes a square of sixteen rows.

    row 0   a0 a1 a2 …                      token 0   a0 b0 c0 …  p0
    row 1   b0 b1 b2 …          tile        token 1   a1 b1 c1 …  p1
     …                         ─────▶        …
    row 15  p0 p1 p2 …                      token 15  a15 b15 …  p15

Every operation is one LLVM instruction or a few (`exp2`, `tile`). NaN: see `above` and `below`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import PrimitiveModel
from numba.core.extending import register_model
from numba.extending import intrinsic

emitted: Any = intrinsic  # a function that writes its own LLVM code; checkers cannot know its signature

LANES = 16
LINE = 64  # bytes of a cache line
LEAST = -126.0  # below it, 2^x is no normal float32

FLOAT, WORD, SIZE = ir.FloatType(), ir.IntType(32), ir.IntType(64)
FLOATS, WORDS = ir.VectorType(FLOAT, LANES), ir.VectorType(WORD, LANES)

# 2^x on [−1/2, 1/2], lowest power first: a minimax fit (Remez) with 2^0 = 1, 9.2e-8 relative before rounding
POWERS = (1.0, 0.69314697760, 0.24022242085, 0.05550733744, 0.00967151266, 0.00132647269)
ROUNDING = 1.5 * 2.0**23  # added to a small float32, it leaves the nearest whole number in the lowest bits


class LanesType(types.Type):  # type: ignore[misc]
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES_TYPE = LanesType()


@register_model(LanesType)
class _LanesModel(PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, FLOATS)


def _all(value: float, kind: ir.VectorType = FLOATS) -> ir.Constant:
    return ir.Constant(kind, [ir.Constant(kind.element, value)] * LANES)


def _places(numbers: Sequence[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(WORD, len(numbers)), list(numbers))


def _at(context: Any, builder: Any, kind: Any, array: Any, index: Any, element: ir.Type) -> Any:
    """A pointer to `element` at a flat index of an array."""
    start = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(start, [index]), ir.PointerType(element))


def _fused(builder: Any, x: Any, y: Any, z: Any) -> Any:
    kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v16f32"), [x, y, z])


def _operation(count: int, build: Callable[..., Any], doc: str) -> Any:
    """An intrinsic from `count` Lanes to Lanes."""
    signature = LANES_TYPE(*[LANES_TYPE] * count)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, *values)

    def one(typing: Any, x: Any) -> Any:
        return signature, generate

    def two(typing: Any, x: Any, y: Any) -> Any:
        return signature, generate

    def three(typing: Any, x: Any, y: Any, z: Any) -> Any:
        return signature, generate

    typed = (one, two, three)[count - 1]
    typed.__doc__ = doc
    return emitted(typed)


def _exp2(builder: Any, x: Any) -> Any:
    shifted = builder.fadd(x, _all(ROUNDING))
    rest = builder.fsub(x, builder.fsub(shifted, _all(ROUNDING)))
    value = _all(POWERS[-1])
    for power in POWERS[-2::-1]:
        value = _fused(builder, value, rest, _all(power))
    exponent = builder.shl(builder.bitcast(shifted, WORDS), _all(23, WORDS))
    return builder.bitcast(builder.add(builder.bitcast(value, WORDS), exponent), FLOATS)


def _clamped(builder: Any, x: Any, bound: Any) -> Any:
    low = builder.fneg(bound)
    inside = builder.select(builder.fcmp_ordered("<", x, low), low, x)
    inside = builder.select(builder.fcmp_ordered(">", inside, bound), bound, inside)
    finite = builder.fcmp_ordered("==", builder.fsub(x, x), _all(0.0))
    return builder.select(finite, inside, x)


def _larger(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", x, y), x, y)


def _smaller(builder: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", x, y), x, y)


def _counted(builder: Any, x: Any) -> Any:
    impossible = builder.fcmp_ordered("==", x, _all(float("-inf")))
    return builder.select(impossible, _all(0.0), _all(1.0))


def _where(builder: Any, mark: Any, x: Any, y: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", mark, _all(float("-inf"))), x, y)


add = _operation(2, lambda builder, x, y: builder.fadd(x, y), "x + y")
sub = _operation(2, lambda builder, x, y: builder.fsub(x, y), "x − y")
mul = _operation(2, lambda builder, x, y: builder.fmul(x, y), "x · y")
fma = _operation(3, _fused, "x · y + z, rounded once")
above = _operation(2, _larger, "x where it is larger than y, else y; y where one of them is NaN")
below = _operation(2, _smaller, "x where it is smaller than y, else y; y where one of them is NaN")
clamped = _operation(2, _clamped, "x, clamped to ±bound where it is finite")
counted = _operation(1, _counted, "0 where x is −inf, else 1")
where = _operation(3, _where, "x where the mark is above −inf, else y")
exp2 = _operation(1, _exp2, "2^x for x in [LEAST, 127], 2.2e-7 relative; NaN of NaN")


@emitted
def splat(typing: Any, x: Any) -> Any:
    """The same float32 in every lane."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nothing = ir.Constant(FLOATS, ir.Undefined)
        first = builder.insert_element(nothing, values[0], ir.Constant(WORD, 0))
        return builder.shuffle_vector(first, nothing, _places([0] * LANES))

    return LANES_TYPE(types.float32), generate


@emitted
def every(typing: Any, x: Any, y: Any) -> Any:
    """Whether x ≤ y in all lanes; NaN is not."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        bits = builder.bitcast(builder.fcmp_ordered("<=", *values), ir.IntType(LANES))
        return builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(LANES), 2**LANES - 1))

    return types.boolean(LANES_TYPE, LANES_TYPE), generate


@emitted
def load(typing: Any, array: Any, at: Any) -> Any:
    """Sixteen neighbours of a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        found = builder.load(_at(context, builder, signature.args[0], values[0], values[1], FLOATS))
        found.align = 4
        return found

    return LANES_TYPE(array, types.intp), generate


@emitted
def store(typing: Any, array: Any, at: Any, x: Any) -> Any:
    """Put sixteen neighbours into a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        put = builder.store(values[2], _at(context, builder, signature.args[0], values[0], values[1], FLOATS))
        put.align = 4
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES_TYPE), generate


@emitted
def prefetch(typing: Any, array: Any, at: Any) -> Any:
    """Ask for a cache line of a flat array, which will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        byte = ir.PointerType(ir.IntType(8))
        place = builder.bitcast(
            _at(context, builder, signature.args[0], values[0], values[1], ir.IntType(8)), byte
        )
        kind = ir.FunctionType(ir.VoidType(), [byte, WORD, WORD, WORD])
        call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        builder.call(call, [place, *(ir.Constant(WORD, number) for number in (0, 2, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@emitted
def tile(typing: Any, logits: Any, rows: Any, column: Any, out: Any, at: Any) -> Any:
    """Write LINE bytes of sixteen rows of flat logits token by token to `out`, and return the maximum of each row.

    logits: float32, or bfloat16 as int16; rows: [16] int64, where each row starts; out: float32
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, starts, target = signature.args[0], signature.args[1], signature.args[3]
        places = context.make_array(starts)(context, builder, values[1]).data
        rows = []
        for row in range(LANES):
            start = builder.load(builder.gep(places, [ir.Constant(SIZE, row)]))
            rows.append(_at(context, builder, source, values[0], builder.add(start, values[2]), FLOAT))
        tokens = _transposed(builder, rows)
        if source.dtype == types.int16:
            pairs = [builder.bitcast(token, WORDS) for token in tokens]
            halves = [
                half
                for pair in pairs
                for half in (
                    builder.shl(pair, _all(16, WORDS)),
                    builder.and_(pair, _all(-(2**16), WORDS)),
                )
            ]
            tokens = [builder.bitcast(half, FLOATS) for half in halves]
        highest = tokens[0]
        for number, token in enumerate(tokens):
            highest = _larger(builder, token, highest)
            index = builder.add(values[4], ir.Constant(SIZE, number * LANES))
            put = builder.store(token, _at(context, builder, target, values[3], index, FLOATS))
            put.align = 4
        return highest

    return LANES_TYPE(logits, rows, types.intp, out, types.intp), generate


@emitted
def untile(typing: Any, scores: Any, at: Any, out: Any, rows: Any, column: Any) -> Any:
    """The inverse of `tile`: write LINE bytes of sixteen rows from tokens that lie one after the other in `scores`.

    out: float32, or bfloat16 as int16, to which numbers are rounded; rows: [16] int64, where each row of it starts
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, target, starts = signature.args[0], signature.args[2], signature.args[3]
        narrow = target.dtype == types.int16

        def tokens(first: int) -> list[Any]:
            places = range(first, LANES * (2 if narrow else 1), 2 if narrow else 1)
            return [
                _at(
                    context,
                    builder,
                    source,
                    values[0],
                    builder.add(values[1], ir.Constant(SIZE, LANES * place)),
                    FLOAT,
                )
                for place in places
            ]

        lines = _transposed(builder, tokens(0))
        if narrow:
            halves = zip(lines, _transposed(builder, tokens(1)), strict=True)
            lines = [
                builder.or_(
                    builder.lshr(_rounded(builder, even), _all(16, WORDS)),
                    builder.and_(_rounded(builder, odd), _all(-(2**16), WORDS)),
                )
                for even, odd in halves
            ]
        begins = context.make_array(starts)(context, builder, values[3]).data
        for row, line in enumerate(lines):
            begin = builder.load(builder.gep(begins, [ir.Constant(SIZE, row)]))
            place = _at(context, builder, target, values[2], builder.add(begin, values[4]), line.type)
            builder.store(line, place).align = 2
        return context.get_dummy_value()

    return types.void(scores, types.intp, out, rows, types.intp), generate


def _rounded(builder: Any, x: Any) -> Any:
    """The bits of float32 numbers, rounded to even at the sixteenth, so that the upper half is the nearest bfloat16."""
    bits = builder.bitcast(x, WORDS)
    odd = builder.and_(builder.lshr(bits, _all(16, WORDS)), _all(1, WORDS))
    return builder.add(builder.add(bits, _all(0x7FFF, WORDS)), odd)


def _transposed(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Sixteen vectors, one for each float32 column, from pointers to sixteen rows.

    Loads of four columns from rows k, k + 4, k + 8 and k + 12 already do half of the work. They go row by row, because
    rows of a model's logits lie a power of two apart and share one set of the cache.
    """
    four = ir.VectorType(FLOAT, 4)

    def quarter(row: int, q: int) -> Any:
        found = builder.load(
            builder.bitcast(builder.gep(rows[row], [ir.Constant(SIZE, 4 * q)]), ir.PointerType(four))
        )
        found.align = 2
        return found

    def joined(x: Any, y: Any) -> Any:
        return builder.shuffle_vector(x, y, _places(range(2 * x.type.count)))

    def mixed(x: Any, y: Any, pattern: Sequence[int]) -> Any:
        lanes = [4 * m + i if i < 4 else LANES + 4 * m + i - 4 for m in range(4) for i in pattern]
        return builder.shuffle_vector(x, y, _places(lanes))

    parts = [
        [
            joined(joined(quarter(k, q), quarter(k + 4, q)), joined(quarter(k + 8, q), quarter(k + 12, q)))
            for q in range(4)
        ]
        for k in range(4)
    ]
    columns = []
    for q in range(4):
        a, b, c, d = (parts[k][q] for k in range(4))
        for pattern in ((0, 4, 1, 5), (2, 6, 3, 7)):
            left, right = mixed(a, b, pattern), mixed(c, d, pattern)
            columns += [mixed(left, right, (0, 1, 4, 5)), mixed(left, right, (2, 3, 6, 7))]
    return columns
