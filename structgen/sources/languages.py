"""Questions about the texts that a grammar expression denotes, answered without building an automaton.

Lowering needs the answers: does a constant satisfy a pattern, is an intersection empty, which strings does a finite
expression contain. Expressions here are made of characters only: no Token, no Ref.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    NOTHING,
    TEXT,
    Alt,
    And,
    Bytes,
    Chars,
    Excerpt,
    Expr,
    Grammar,
    Not,
    Repeat,
    Seq,
    Slack,
    StateGraph,
    alt,
    any_of,
    both,
    chars_except,
    complement,
    holds,
    literal,
    repeat,
    seq,
)
from structgen.limits.budget import check

LONGEST = 100  # characters of strings that enter a prefix tree, which nests as deeply


def intersect(left: Expr, right: Expr) -> Expr:
    """`both`, simplified if that needs no automaton: TEXT is neutral, finite sides are filtered."""
    if left is TEXT or left is right:
        return right
    if right is TEXT:
        return left
    if _is_finite(left) and _is_finite(right):
        kept = set(_options(right))
        return alt(*(part for part in _options(left) if part in kept))
    if not (left.facts.textual and right.facts.textual):  # copies of a document that is not known yet
        return both(left, right)
    for finite, other in ((left, right), (right, left)):
        if _is_finite(finite):
            return alt(*(part for part in _options(finite) if contains(other, _text(part))))
        if isinstance(other, Not) and other.body is finite:
            return NOTHING
    return _counted(left, right) or both(left, right)


def _counted(left: Expr, right: Expr) -> Expr | None:
    """The intersection of a run of one set of characters and a bound on the length, as one run."""
    for run, length in ((left, right), (right, left)):
        if not (isinstance(run, Repeat) and isinstance(run.body, Chars)):
            continue
        if isinstance(length, Repeat) and length.body is ANY_CHAR:
            low = max(run.low, length.low)
            high = min((n for n in (run.high, length.high) if n is not None), default=None)
            return NOTHING if high is not None and low > high else repeat(run.body, low, high)
    return None


def opposite(expr: Expr) -> Expr:
    """All of TEXT except `expr`; the opposite of a bound on the length is the other lengths."""
    if expr is NOTHING:
        return TEXT
    if expr in _left_out:
        return _left_out[expr]
    if _is_finite(expr) and max(map(len, map(_text, _options(expr)))) <= LONGEST:
        return _all_but(expr)
    if isinstance(expr, Repeat) and expr.body is ANY_CHAR:
        shorter = repeat(ANY_CHAR, 0, expr.low - 1) if expr.low else NOTHING
        return alt(shorter, NOTHING if expr.high is None else repeat(ANY_CHAR, expr.high + 1))
    return complement(expr)


_left_out: WeakKeyDictionary[Expr, Expr] = WeakKeyDictionary()  # the strings that _all_but excludes


@lru_cache(maxsize=2000)
def _all_but(finite: Expr) -> Expr:
    """TEXT except a few strings, built along their prefix tree so that no complement is needed."""
    tree: dict[str, Any] = {}
    for part in _options(finite):
        node = tree
        for char in _text(part):
            node = node.setdefault(char, {})
        node[""] = True

    def rest(node: dict[str, Any]) -> Expr:
        inside = [(char, rest(child)) for char, child in node.items() if char]
        other = chars_except(any_of("".join(char for char, _ in inside)))
        known = [seq(literal(char), tail) for char, tail in inside]
        return alt(*([] if "" in node else [EMPTY]), seq(other, TEXT), *known)

    expr = rest(tree)
    _left_out[expr] = finite
    return expr


def without(left: Expr, right: Expr) -> Expr:
    """The strings of `left` that are not in `right`."""
    if right is NOTHING:
        return left
    if _is_finite(left) and _is_finite(right):
        dropped = set(_options(right))
        return alt(*(part for part in _options(left) if part not in dropped))
    return intersect(left, opposite(right))


@lru_cache(maxsize=20_000)
def empty(expr: Expr) -> bool:
    """Whether `expr` contains no string; decided by its automaton if its form is not enough."""
    if expr is NOTHING or isinstance(expr, Bytes | Chars | Excerpt | Repeat | StateGraph):
        return expr is NOTHING
    if not expr.facts.textual:  # copies of a document that is not known yet
        return False
    if isinstance(expr, Alt):
        return all(map(empty, expr.parts))
    if isinstance(expr, Seq) and not any(isinstance(part, And | Not | Seq | Alt) for part in expr.parts):
        return False
    if any(contains(expr, text) for text in _candidates(expr)):
        return False
    from structgen.automata import compile_bytes  # numba takes a moment to import

    return compile_bytes(Grammar(expr)).empty


@lru_cache(maxsize=20_000)
def _is_finite(expr: Expr) -> bool:
    """Whether `expr` consists of literals."""
    return isinstance(expr, Bytes | Alt) and all(isinstance(part, Bytes) for part in _options(expr))


def strings_of(expr: Expr) -> tuple[str, ...] | None:
    """The strings of a finite alternation of literals, or None for any other expression."""
    if all(isinstance(part, Bytes) for part in _options(expr)):
        return tuple(_text(part) for part in _options(expr))
    return None


def _options(expr: Expr) -> tuple[Expr, ...]:
    return expr.parts if isinstance(expr, Alt) else (expr,)


def _text(part: Expr) -> str:
    assert isinstance(part, Bytes)
    return part.value.decode()


def contains(expr: Expr, text: str) -> bool:
    """Whether `text` is one of the strings of `expr`."""
    return expr is TEXT or _contains(expr, text)


@lru_cache(maxsize=20_000)
def _contains(expr: Expr, text: str) -> bool:
    check()
    return len(text) in _EndFinder(text).ends(expr, 0)


def _candidates(expr: Expr) -> Iterator[str]:
    """Strings that are likely to be in `expr`: plain ones, and examples of its parts."""
    yield from _PLAIN
    for part in expr.parts if isinstance(expr, And) else (expr,):
        if not isinstance(part, Not):
            for pick in (0, -1):
                text = _example(part, pick)
                yield text
                yield from (text + more for more in ("a", "0", "~"))


_PLAIN = ("", "a", "z", "Z", "0", "~", "a1", "x-y", "zzzzzzzzzzzz", "\u0394")


def _example(expr: Expr, pick: int) -> str:
    """A short string of `expr` if it has no intersections; `pick` selects alternatives and characters."""
    match expr:
        case Bytes():
            return _text(expr)
        case Chars(ranges):
            return chr(ranges[pick][pick])
        case Seq(parts):
            return "".join(_example(part, pick) for part in parts)
        case Alt(parts) if parts:
            return _example(parts[pick], pick)
        case Repeat(body, low, _):
            return _example(body, pick) * min(low, 1000)
    return ""


class _EndFinder:
    """A matcher on one text: where an expression that starts at a position can end; memoised, without backtracking."""

    def __init__(self, text: str):
        self.text = text
        self.known: dict[tuple[Expr, int], frozenset[int]] = {}

    def ends(self, expr: Expr, start: int) -> frozenset[int]:
        key = (expr, start)
        if key not in self.known:
            self.known[key] = frozenset(self._ends(expr, start))
        return self.known[key]

    def _ends(self, expr: Expr, start: int) -> Iterator[int]:
        match expr:
            case Bytes(value):
                piece = value.decode()
                if self.text.startswith(piece, start):
                    yield start + len(piece)
            case Chars(ranges):
                if start < len(self.text) and any(a <= ord(self.text[start]) <= b for a, b in ranges):
                    yield start + 1
            case Seq(parts):
                places = {start}
                for part in parts:
                    places = {end for place in places for end in self.ends(part, place)}
                yield from places
            case Alt(parts):
                for part in parts:
                    yield from self.ends(part, start)
            case And(parts):
                yield from frozenset.intersection(*(self.ends(part, start) for part in parts))
            case Not(body):
                yield from set(range(start, len(self.text) + 1)) - self.ends(body, start)
            case Repeat():
                yield from self._repeated(expr, start)
            case StateGraph():
                yield from self._run(expr, start)
            case Excerpt():
                places = range(start, len(self.text) + 1)
                yield from (end for end in places if holds(expr, self.text[start:end].encode()))
            case Slack():
                yield start
            case _:
                raise TypeError(f"{type(expr).__name__} is not about characters")

    def _run(self, expr: StateGraph, start: int) -> Iterator[int]:
        moves: dict[int, list[tuple[Expr, int]]] = {}
        for source, label, target in expr.moves:
            moves.setdefault(source, []).append((label, target))
        waiting, accepting = [(0, start)], set(expr.accepting)
        seen = set(waiting)
        for state, place in waiting:
            if state in accepting:
                yield place
            for label, target in moves.get(state, ()):
                after = {(target, end) for end in self.ends(label, place)} - seen
                seen |= after
                waiting += after

    def _repeated(self, expr: Repeat, start: int) -> Iterator[int]:
        places, seen, count = frozenset({start}), set[int](), 0
        while places and (expr.high is None or count <= expr.high):
            if count >= expr.low:
                if places <= seen:
                    return
                seen |= places
                yield from places
            places = frozenset(end for place in places for end in self.ends(expr.body, place))
            count += 1
