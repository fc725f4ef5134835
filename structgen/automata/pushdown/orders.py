"""Parts in any order, each at most once: one state that remembers the set of parts already read.

Forty members in any order make 2⁴⁰ sets, far too many to list, and few of them are ever met. A component automaton
therefore gets one state, the *hub*, where any part may be called, and the set of called parts is kept with it as bits.
A component may have a *mark*: a call of it sets a bit, which must not be set before, or requires bits to be set, as the
end requires those of the required parts. The hub with the set m has the number hub + S·m, for S states; sets are
created when a call needs them (`Frames`).

    {  ──first "a":…──→ hub ──, "b":…──→ hub ──}──→ ◉        the edges set the bits a and b; } requires both

The distance to the end depends on the set only through the missing parts, as a sum over them. For the state before the
first part, and for the hub before any part, that sum is a path through the automaton: each required part in turn. This
path is written down and marked as *walked*: it is used to find shortest paths only, and never reads a symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from typing import TYPE_CHECKING

import numpy as np

from structgen.grammar import NOTHING, Alt, AnyOrder, Expr, Grammar, Repeat, Seq, alt, ref, repeat, seq, star

if TYPE_CHECKING:
    from structgen.automata.pushdown.automaton import Pushdown


@dataclass(frozen=True)
class Mark:
    """A mark says what the call of a component does to its caller's set.

    gives: the bit that it sets, −1 for none; asks: bits that must be set before; walked: for shortest paths only
    """

    gives: int = -1
    asks: frozenset[int] = frozenset()
    walked: bool = False


UNMARKED = Mark()


def parts_called(grammar: Grammar) -> tuple[Grammar, dict[str, Mark]]:
    """An equal grammar with rules in place of parts in any order, and the marks of these rules, all to be called."""
    if not any(expr.facts.ordered for expr in (grammar.start, *grammar.rules.values())):
        return grammar, {}
    found = _Parts()
    start = found.rewritten(grammar.start)
    rules = {name: found.rewritten(expr) for name, expr in grammar.rules.items()}
    if not found.marks:
        return grammar, {}
    return replace(grammar, start=start, rules={**rules, **found.rules}), found.marks


@dataclass(eq=False)
class _Parts:
    """A rewriter of expressions, each once; `rules` collects the rules to be called, `marks` their marks."""

    rules: dict[str, Expr] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    _bits: dict[Expr, int] = field(default_factory=dict)  # equal parts of different objects share a bit
    _names: dict[tuple[Expr, Mark], str] = field(default_factory=dict)
    _memo: dict[Expr, Expr] = field(default_factory=dict)

    def rewritten(self, expr: Expr) -> Expr:
        """The expression with calls; no recursion, as expressions may be deeper than Python's stack."""
        memo, waiting = self._memo, [expr]
        while waiting:
            node = waiting[-1]
            inside = node.children if isinstance(node, Seq | Alt | Repeat | AnyOrder) else ()
            missing = [part for part in inside if part not in memo]
            if not missing:
                parts = [memo[part] for part in inside]
                same = not isinstance(node, AnyOrder) and all(map(is_, parts, inside))
                memo[node] = node if same else self._node(node, parts)
                waiting.pop()
            waiting += missing
        return memo[expr]

    def _node(self, node: Expr, inside: list[Expr]) -> Expr:
        match node:
            case Seq():
                return seq(*inside)
            case Alt():
                return alt(*inside)
            case Repeat(_, low, high):
                return repeat(inside[0], low, high)
            case AnyOrder(parts, required, _, _, _):
                others, between, end = inside[len(parts) :]
                return self._called(self._set(inside[: len(parts)], required, others, between, end), UNMARKED)
        return node

    def _set(self, parts: list[Expr], required: int, others: Expr, between: Expr, end: Expr) -> Expr:
        """The component of parts in any order: first part, hub with all others, end; and the paths to walk."""
        bits = [self._bits.setdefault(part, len(self._bits)) for part in parts]
        marks = [Mark(bit) for bit in bits]
        first = [self._called(part, mark) for part, mark in zip(parts, marks, strict=True)]
        more = [self._called(seq(between, part), mark) for part, mark in zip(parts, marks, strict=True)]
        if others is not NOTHING:
            first.append(self._called(others, UNMARKED))
            more.append(self._called(seq(between, others), UNMARKED))
        last = self._called(end, Mark(asks=frozenset(bits[:required])))
        if not required:
            return seq(alt(*first), star(alt(*more)), last)
        walked = Mark(walked=True)
        way = [self._called(seq(between, part), walked) for part in parts[:required]]
        close = self._called(end, walked)
        onward = seq(star(alt(*more)), alt(last, seq(*way, close)))
        return alt(seq(alt(*first), onward), seq(self._called(parts[0], walked), *way[1:], close))

    def _called(self, expr: Expr, mark: Mark) -> Expr:
        key = expr, mark
        if key not in self._names:
            name = self._names[key] = f"{len(self._names)} in any order"
            self.rules[name], self.marks[name] = expr, mark
        return ref(self._names[key])


def tables(marks: Sequence[Mark]) -> dict[str, np.ndarray]:
    """The marks of components as the arrays of a Pushdown."""
    bits = 1 + max(mark.gives for mark in marks)
    asks = np.zeros((len(marks), bits), np.bool_)
    for component, mark in enumerate(marks):
        asks[component, sorted(mark.asks)] = True
    return {
        "gives": np.array([mark.gives for mark in marks], np.int32),
        "asks": asks,
        "walked": np.array([mark.walked for mark in marks], np.bool_),
    }


class Frames:
    """The states of an automaton paired with sets of bits: state q with the set m has the number q + S·m."""

    def __init__(self, automaton: Pushdown) -> None:
        self.states = automaton.states
        self._calls = automaton.all_calls()
        self._gives = automaton.gives.tolist() or [-1] * automaton.components
        self._asks = [_bits(row) for row in automaton.asks] or [0] * automaton.components
        self._walked = automaton.walked.tolist() or [False] * automaton.components
        if not len(automaton.gives):  # most automata have no marks: calls are looked up directly
            self._hub, self._first = [False] * self.states, self._calls
            return
        self._hub = [any(self._gives[c] >= 0 for c, _ in calls) for calls in self._calls]
        self._first = [self._find(state) for state in range(self.states)]

    def calls(self, state: int) -> list[tuple[int, int]]:
        """The (callee, back) of every call that may be made."""
        return self._first[state] if state < self.states else self._find(state)

    def hub(self, state: int) -> bool:
        """Whether the set of a state decides what it may call."""
        return self._hub[state % self.states]

    def _find(self, state: int) -> list[tuple[int, int]]:
        done, base = divmod(state, self.states)
        found = []
        for callee, back in self._calls[base]:
            gives = 1 << self._gives[callee] if self._gives[callee] >= 0 else 0
            if not (self._walked[callee] or done & gives or self._asks[callee] & ~done):
                found.append((callee, back + self.states * (done | gives) if self._hub[back] else back))
        return found

    def missing(self, state: int) -> list[int]:
        """The components still to be called from a state with its set; the end comes last."""
        done, base = divmod(state, self.states)
        calls = self._calls[base]
        end = next((callee for callee, _ in calls if self._asks[callee]), None)
        if end is None:
            return []
        left = self._asks[end] & ~done
        needed = (c for c, _ in calls if self._gives[c] >= 0 and left >> self._gives[c] & 1)
        return [*needed, end]


def _bits(row: np.ndarray) -> int:
    return sum(1 << bit for bit in np.flatnonzero(row).tolist())


def marks_of(names: Sequence[str], marks: Mapping[str, Mark]) -> tuple[Mark, ...]:
    """The marks of the root and of the components with these names; empty if no call is marked."""
    return (UNMARKED, *(marks.get(name, UNMARKED) for name in names)) if marks else ()
