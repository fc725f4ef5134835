"""A grammar read directly, without an automaton: which texts it accepts, rules within rules included.

Slow and simple, and of no use beside the real thing but as a second opinion: the ends an expression can reach from a
place in the text, memoised. Rules never call themselves before they have read something, so this comes to an end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from structgen.grammar import (
    Alt,
    And,
    AnyOrder,
    Bytes,
    Chars,
    Expr,
    Grammar,
    Not,
    Ref,
    Repeat,
    Seq,
    Slack,
    StateGraph,
)

Ends = frozenset[int]
NOWHERE: Ends = frozenset()


class Recogniser:
    """Where expressions that start somewhere in one text can end."""

    def __init__(self, grammar: Grammar, text: str):
        self.rules, self.text = grammar.rules, text
        self.known: dict[tuple[Expr, int], Ends] = {}

    def ends(self, expr: Expr, start: int) -> Ends:
        """The places that `expr` can end at from `start`."""
        kind = type(expr)
        if kind is Bytes:
            piece = expr.value.decode()
            return frozenset([start + len(piece)]) if self.text.startswith(piece, start) else NOWHERE
        if kind is Chars:
            inside = start < len(self.text) and any(a <= ord(self.text[start]) <= b for a, b in expr.ranges)
            return frozenset([start + 1]) if inside else NOWHERE
        key = (expr, start)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = frozenset(self._ends(expr, start))
        return found

    def _ends(self, expr: Expr, start: int) -> Iterator[int]:
        match expr:
            case Ref(name):
                yield from self.ends(self.rules[name], start)
            case Seq(parts):
                places = {start}
                for part in parts:
                    places = {end for place in places for end in self.ends(part, place)}
                    if not places:
                        return
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
            case AnyOrder():
                yield from self._any_order(expr, start)
            case Slack():
                yield start
            case _:
                raise TypeError(f"{type(expr).__name__} is not about characters")

    def _run(self, expr: StateGraph, start: int) -> Iterator[int]:
        seen, waiting = {(0, start)}, [(0, start)]
        for state, place in waiting:
            if state in expr.accepting:
                yield place
            for source, label, target in expr.moves:
                after = {(target, end) for end in self.ends(label, place)} if source == state else set()
                waiting += after - seen
                seen |= after

    def _any_order(self, expr: AnyOrder, start: int) -> Iterator[int]:
        waiting, met = [(start, frozenset[int]())], set[tuple[int, frozenset[int]]]()
        while waiting:
            place, seen = waiting.pop()
            after = {(end, seen) for end in self.ends(expr.others, place)}
            for index in {*range(len(expr.parts))} - seen:
                after |= {(end, seen | {index}) for end in self.ends(expr.parts[index], place)}
            for end, done in after - met:
                met.add((end, done))
                if done >= {*range(expr.required)}:
                    yield from self.ends(expr.end, end)
                waiting += [(onward, done) for onward in self.ends(expr.between, end)]

    def _repeated(self, expr: Repeat, start: int) -> Iterator[int]:
        places, seen, count = {start}, set[int](), 0
        while places and (expr.high is None or count <= expr.high):
            if count >= expr.low:
                places -= seen if expr.high is None else set()
                seen |= places
            places = {end for place in places for end in self.ends(expr.body, place)}
            count += 1
        yield from seen


def recognises(grammar: Grammar, text: str) -> bool:
    """Whether the text is one of the grammar's."""
    with _deep():
        read = len(text) in Recogniser(grammar, text).ends(grammar.start, 0)
    return read and passes(grammar, text)


def passes(grammar: Grammar, text: str) -> bool:
    """Whether a text that the expressions accept passes the grammar's check."""
    return grammar.check is None or grammar.check(text) is None


def furthest(grammar: Grammar, text: str) -> int:
    """How much of the text some rule can read, in characters; one more than it has if the text is accepted."""
    with _deep():
        reader = Recogniser(grammar, text)
        if len(text) in reader.ends(grammar.start, 0) and passes(grammar, text):
            return len(text) + 1
        return max((max(ends) for ends in reader.known.values() if ends), default=0)


@contextmanager
def _deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
