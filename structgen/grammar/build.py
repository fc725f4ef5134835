"""The constructors of expressions, which keep the algebra small.

`seq` flattens, `alt` drops NOTHING, `repeat(x, 1, 1)` is `x`: expressions with the same meaning mostly get the same
structure, and then they are one object.
"""

from __future__ import annotations

from collections.abc import Iterable

from structgen.grammar.expr import (
    Alt,
    And,
    AnyOrder,
    Budget,
    Bytes,
    Chars,
    Expr,
    Not,
    Part,
    Ref,
    Repeat,
    Seq,
    Slack,
    StateGraph,
    Token,
    TokenSet,
    as_expr,
    interned,
)

MANY = 32  # up to this many alternatives `either` merges those of its parts
LONG = 1000  # from this many parts on `seq` does not flatten a nested sequence
SURROGATES = (0xD800, 0xDFFF)
MAX_CODE_POINT = 0x10FFFF

EMPTY: Expr = interned(Bytes, b"")
NOTHING: Expr = interned(Alt, ())
SLACK: Expr = interned(Slack)


def literal(text: str | bytes) -> Expr:
    """Exactly `text`, in UTF-8."""
    return interned(Bytes, text.encode() if isinstance(text, str) else bytes(text))


def char_ranges(ranges: Iterable[tuple[int, int]]) -> Expr:
    """One character whose code point lies in any of the inclusive `ranges`; surrogates are excluded."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(ranges)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return interned(Chars, tuple(merged)) if merged else NOTHING


def _without_surrogates(ranges: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    for low, high in ranges:
        for part in (
            (max(low, 0), min(high, SURROGATES[0] - 1)),
            (max(low, SURROGATES[1] + 1), min(high, MAX_CODE_POINT)),
        ):
            if part[0] <= part[1]:
                yield part


def chars(*pairs: str) -> Expr:
    """One character from ranges written as two-character strings: chars("az", "__")."""
    return char_ranges((ord(pair[0]), ord(pair[-1])) for pair in pairs)


def any_of(characters: str) -> Expr:
    """One of these characters."""
    return char_ranges((ord(c), ord(c)) for c in characters)


def chars_except(expr: Expr) -> Expr:
    """One character that is not in `expr`, which must be made by `chars` or be NOTHING."""
    if not isinstance(expr, Chars) and expr is not NOTHING:
        raise ValueError(f"chars_except needs a set of characters, not {expr}")
    gaps, start = [], 0
    for low, high in expr.ranges if isinstance(expr, Chars) else ():
        gaps.append((start, low - 1))
        start = high + 1
    return char_ranges([(low, high) for low, high in [*gaps, (start, MAX_CODE_POINT)] if low <= high])


def token(name: str) -> Expr:
    """The special token called `name`."""
    return interned(Token, name)


def token_set(ranges: Iterable[tuple[int, int]], *, negated: bool = False) -> Expr:
    """One token whose id is in the inclusive ranges or, if `negated`, in none of them."""
    return interned(TokenSet, tuple(sorted(ranges)), negated)


def budget(body: Expr, tokens: int) -> Expr:
    """`body` in at most `tokens` tokens."""
    return body if body in (EMPTY, NOTHING) else interned(Budget, body, tokens)


def seq(*parts: Part) -> Expr:
    """Parts in order; neighbouring literals are joined.

    A very long part that is a sequence is not flattened: when a sequence is built from its end, part by part, copying
    it each time would be quadratic.
    """
    flat: list[Expr] = []
    for part in parts:
        if not isinstance(part, Expr):
            part = as_expr(part)
        if part is NOTHING:
            return NOTHING
        if part is EMPTY:
            continue
        items = part.parts if isinstance(part, Seq) and len(part.parts) < LONG else (part,)
        first, last = items[0], flat[-1] if flat else None
        if isinstance(first, Bytes) and isinstance(last, Bytes):  # within a sequence they are joined already
            flat[-1] = literal(last.value + first.value)
            items = items[1:]
        flat += items
    if not flat:
        return EMPTY
    return flat[0] if len(flat) == 1 else interned(Seq, tuple(flat))


def alt(*parts: Part) -> Expr:
    """Any of the parts, without duplicates."""
    flat: dict[Expr, None] = {}
    for part in parts:
        one = part if isinstance(part, Expr) else as_expr(part)
        flat.update(dict.fromkeys(one.parts if isinstance(one, Alt) else (one,)))
    return next(iter(flat)) if len(flat) == 1 else interned(Alt, tuple(flat))


def either(first: Expr, rest: Expr) -> Expr:
    """`first` or `rest`, where a wide `rest` is not flattened.

    A thousand tails, each of which contains the next, then have a thousand alternatives and not half a million.
    """
    wide = isinstance(rest, Alt) and len(rest.parts) > MANY and first is not NOTHING
    return interned(Alt, (first, rest)) if wide else alt(first, rest)


def repeat(body: Part, low: int = 0, high: int | None = None) -> Expr:
    """`body` from `low` to `high` times (None: without limit).

    (x{a,b}){c,d} becomes x{ac,bd} if that adds no count; otherwise each text could be read in many ways.
    """
    if low < 0 or (high is not None and high < low):
        raise ValueError(f"a repetition of {low} to {high} times")
    if not isinstance(body, Expr):
        body = as_expr(body)
    if high == 0 or body is EMPTY:
        return EMPTY
    if body is NOTHING:
        return NOTHING if low else EMPTY
    if (low, high) == (1, 1) or body is SLACK:
        return body
    if isinstance(body, Repeat) and (low == high or _touch(body, low)):
        most = None if high is None or body.high is None else body.high * high
        return repeat(body.body, body.low * low, most)
    return interned(Repeat, body, low, high)


def _touch(body: Repeat, times: int) -> bool:
    """Whether the counts of `times` repetitions and of one more leave no gap; then those of more leave none either."""
    most = times * body.high if body.high is not None else 0 if not times else None
    return most is None or (times + 1) * body.low <= most + 1


def star(body: Part) -> Expr:
    """`body` any number of times."""
    return repeat(body, 0, None)


def optional(body: Part) -> Expr:
    """`body` or the empty string."""
    return repeat(body, 0, 1)


def separated(item: Part, separator: Part, low: int = 0, high: int | None = None) -> Expr:
    """`low` to `high` items with separators between them."""
    if high == 0:
        return EMPTY
    rest = repeat(seq(separator, item), max(low - 1, 0), None if high is None else high - 1)
    return seq(item, rest) if low else optional(seq(item, rest))


def any_order(parts: Iterable[Expr], required: int, others: Expr, between: Expr, end: Expr) -> Expr:
    """Parts in any order, each at most once; see AnyOrder. Neither a part nor `end` may be empty."""
    listed = tuple(parts)
    if len({*listed} - {NOTHING}) < len([part for part in listed if part is not NOTHING]):
        raise ValueError("a part that stands in any order stands there twice")
    if NOTHING in listed[:required] or end is NOTHING:
        return NOTHING
    listed = tuple(part for part in listed if part is not NOTHING)
    return interned(AnyOrder, listed, required, others, between, end) if listed else NOTHING


def both(*parts: Part) -> Expr:
    """The intersection of all parts; TEXT if there are none."""
    flat: dict[Expr, None] = {}
    for part in parts:
        one = part if isinstance(part, Expr) else as_expr(part)
        flat.update(dict.fromkeys(one.parts if isinstance(one, And) else (one,)))
    if not flat:
        return TEXT
    if NOTHING in flat:
        return NOTHING
    return next(iter(flat)) if len(flat) == 1 else interned(And, tuple(flat))


def complement(body: Part) -> Expr:
    """All text except `body`."""
    body = as_expr(body)
    return body.body if isinstance(body, Not) else interned(Not, body)


def difference(left: Part, right: Part) -> Expr:
    """The strings that `left` contains and `right` does not."""
    return both(left, complement(right))


def automaton(moves: Iterable[tuple[int, Expr, int]], accepting: Iterable[int]) -> Expr:
    """The strings that lead from state 0 to one of `accepting`; states that lead nowhere are dropped."""
    rows = [row for row in moves if row[1] is not NOTHING]
    sources: dict[int, list[int]] = {}
    for source, _, target in rows:
        sources.setdefault(target, []).append(source)
    waiting = list(accepting)
    alive = set(waiting)
    while waiting:
        new = set(sources.get(waiting.pop(), ())) - alive
        alive |= new
        waiting += new
    rows = [row for row in rows if row[2] in alive]
    return interned(StateGraph, tuple(rows), tuple(sorted(accepting))) if 0 in alive else NOTHING


def ref(name: str) -> Expr:
    """The rule called `name`."""
    return interned(Ref, name)


ANY_CHAR = char_ranges([(0, MAX_CODE_POINT)])
TEXT = star(ANY_CHAR)
