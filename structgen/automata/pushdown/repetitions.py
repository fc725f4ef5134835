"""Long counted repetitions as chains of calls: one copy of the body instead of one for each count.

Written out, x{0,32767} has 32,767 copies of x, each with all the states that a character takes in UTF-8 and escapes.
If there will be no single table anyway, one copy suffices: the body becomes a component, and counting is a chain of
calls of it. Required copies stay written out while they are short, because the shortest texts lead through them and
their tokens are counted within components (`lazy/distances.py`).
"""

from __future__ import annotations

from dataclasses import replace

from structgen.grammar import Alt, And, Bytes, Chars, Expr, Grammar, Not, Repeat, Seq, alt, ref, repeat, seq
from structgen.grammar import copies as copies_of
from structgen.grammar.utf8 import byte_sequences

LONG = 500  # states up to which all copies of a body are written out
FEW = 4  # states of a body up to which a call gains nothing


def called_bodies(grammar: Grammar) -> tuple[Grammar, frozenset[str]]:
    """An equal grammar whose long repetitions repeat references, and the names of these rules, which must be called.

    Expressions inside intersections and complements are left unchanged, because those are determinised as a whole.
    """
    counted = _CountedBodies()
    start = counted.rewritten(grammar.start)
    rules = {name: counted.rewritten(expr) for name, expr in grammar.rules.items()}
    if not counted.bodies:
        return grammar, frozenset()
    return replace(grammar, start=start, rules={**rules, **counted.bodies}), frozenset(counted.bodies)


class _CountedBodies:
    """A rewriter of expressions, each once; `bodies` collects the rules to be called."""

    def __init__(self) -> None:
        self.bodies: dict[str, Expr] = {}
        self._names: dict[Expr, str] = {}
        self._memo: dict[Expr, tuple[Expr, int]] = {}

    def rewritten(self, expr: Expr) -> Expr:
        """The expression with calls; no recursion, as expressions may be deeper than Python's stack."""
        memo, waiting = self._memo, [expr]
        while waiting:
            node = waiting[-1]
            inside = () if isinstance(node, And | Not) else node.children
            missing = [part for part in inside if part not in memo]
            if not missing:
                memo[node] = self._node(node, [memo[part] for part in inside])
                waiting.pop()
            waiting += missing
        return memo[expr][0]

    def _node(self, node: Expr, parts: list[tuple[Expr, int]]) -> tuple[Expr, int]:
        """The expression over rewritten parts, and roughly how many states it takes when written out."""
        states = sum(size for _, size in parts)
        match node:
            case Seq():
                return seq(*(part for part, _ in parts)), states
            case Alt():
                return alt(*(part for part, _ in parts)), states
            case Repeat(_, low, high):
                return self._repeat(*parts[0], low, high, copies_of(node))
            case Chars(ranges):
                tails = {
                    tuple(sequence[at:])
                    for span in ranges
                    for sequence in byte_sequences(*span)
                    for at in range(1, len(sequence))
                }
                return node, 1 + len(tails)
            case Bytes(value):
                return node, len(value)
        return node, node.facts.size

    def _repeat(self, body: Expr, states: int, low: int, high: int | None, copies: int) -> tuple[Expr, int]:
        if states < FEW or copies <= 2 or states * copies <= LONG:
            return repeat(body, low, high), states * copies
        if body not in self._names:
            name = self._names[body] = f"{len(self._names)} times"
            self.bodies[name] = body
        call = ref(self._names[body])
        first = body if states * low <= LONG else call
        more = repeat(body) if high is None else repeat(call, 0, high - low)
        return seq(repeat(first, low, low), more), copies
