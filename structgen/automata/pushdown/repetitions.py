"""Long counted repetitions as chains of calls, and copies of a document as calls: one copy of the body, not many.

Written out, x{0,32767} has 32,767 copies of x, each with all the states that a character takes in UTF-8 and escapes.
If there will be no single table anyway, one copy suffices: the body becomes a component, and counting is a chain of
calls of it. Required copies stay written out while they are short, because the shortest texts lead through them and
their tokens are counted within components (`lazy/distances.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from structgen.grammar import Alt, And, Chars, Excerpt, Expr, Grammar, Not, Repeat, Seq, alt, ref, repeat, seq
from structgen.grammar import copies as copies_of
from structgen.grammar.utf8 import byte_sequences

LONG = 500  # states up to which all copies of a body are written out
FEW = 4  # states of a body up to which a call gains nothing

DETERMINISED = (And, Not)
V = TypeVar("V")


def called_bodies(grammar: Grammar) -> tuple[Grammar, frozenset[str]]:
    """An equal grammar whose long repetitions repeat references, and the names of these rules, which must be called.

    Expressions inside intersections and complements are left unchanged, because those are determinised as a whole.
    """
    sizes: dict[Expr, int] = {}
    copied = any(expr.facts.copied for expr in (grammar.start, *grammar.rules.values()))
    if not copied and not any(
        _is_long(node, _folded(node.body, _written_out, sizes)) for node in _repetitions(grammar)
    ):
        return grammar, frozenset()
    counted = _CountedBodies()
    start = counted.rewritten(grammar.start)
    rules = {name: counted.rewritten(expr) for name, expr in grammar.rules.items()}
    if not counted.bodies:
        return grammar, frozenset()
    return replace(grammar, start=start, rules={**rules, **counted.bodies}), frozenset(counted.bodies)


def _repetitions(grammar: Grammar) -> Iterator[Repeat]:
    """The repetitions with more than two copies outside intersections and complements, each once."""
    seen: set[Expr] = set()
    waiting = [grammar.start, *grammar.rules.values()]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            if isinstance(node, Repeat) and copies_of(node) > 2:
                yield node
            waiting += _inside(node)


def _inside(node: Expr) -> tuple[Expr, ...]:
    """The parts that may be rewritten."""
    return () if isinstance(node, DETERMINISED) else node.children


def _folded(expr: Expr, value: Callable[[Expr, list[V]], V], memo: dict[Expr, V]) -> V:
    """`value` of an expression, given those of its parts; no recursion, as it may be deeper than Python's stack."""
    waiting = [expr]
    while waiting:
        node = waiting[-1]
        inside = _inside(node)
        missing = [part for part in inside if part not in memo]
        if not missing:
            memo[node] = value(node, [memo[part] for part in inside])
            waiting.pop()
        waiting += missing
    return memo[expr]


def _written_out(node: Expr, parts: list[int]) -> int:
    """Roughly how many states an expression takes, given those of its parts."""
    match node:
        case Seq() | Alt():
            return sum(parts)
        case Repeat():
            return parts[0] * copies_of(node)
        case Chars(ranges):
            return _character(ranges)
    return node.facts.size


@lru_cache(maxsize=4096)
def _character(ranges: tuple[tuple[int, int], ...]) -> int:
    """The states of one character: the first, and one for each way in which its UTF-8 may go on."""
    sequences = [sequence for span in ranges for sequence in byte_sequences(*span)]
    return 1 + len({sequence[at:] for sequence in sequences for at in range(1, len(sequence))})


def _is_long(node: Repeat, states: int) -> bool:
    """Whether the body, which takes so many states, is called instead of copied."""
    copies = copies_of(node)
    return states >= FEW and copies > 2 and states * copies > LONG


class _CountedBodies:
    """A rewriter of expressions, each once; `bodies` collects the rules to be called."""

    def __init__(self) -> None:
        self.bodies: dict[str, Expr] = {}
        self._names: dict[Expr, str] = {}
        self._memo: dict[Expr, tuple[Expr, int]] = {}

    def rewritten(self, expr: Expr) -> Expr:
        """The expression with calls."""
        return _folded(expr, self._node, self._memo)[0]

    def _node(self, node: Expr, parts: list[tuple[Expr, int]]) -> tuple[Expr, int]:
        """The expression over rewritten parts, and roughly how many states it takes when written out."""
        if isinstance(node, Repeat):
            return self._repeat(node, *parts[0])
        states = _written_out(node, [size for _, size in parts])
        if isinstance(node, Excerpt) and states > LONG:  # the pieces of a document: one copy for all places
            return self._called(node), 1
        match node:
            case Seq():
                return seq(*(part for part, _ in parts)), states
            case Alt():
                return alt(*(part for part, _ in parts)), states
        return node, states

    def _repeat(self, node: Repeat, body: Expr, states: int) -> tuple[Expr, int]:
        low, high, copies = node.low, node.high, copies_of(node)
        if not _is_long(node, states):
            return repeat(body, low, high), states * copies
        call = self._called(body)
        first = body if states * low <= LONG else call
        more = repeat(body) if high is None else repeat(call, 0, high - low)
        return seq(repeat(first, low, low), more), copies

    def _called(self, body: Expr) -> Expr:
        """A reference to the rule of a body."""
        if body not in self._names:
            name = self._names[body] = f"{len(self._names)} times"
            self.bodies[name] = body
        return ref(self._names[body])
