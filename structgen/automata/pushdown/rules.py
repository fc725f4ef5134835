"""Which rules of a grammar become automata of their own, and which are written out where they are used.

A rule on a cycle of rules must be called somewhere on that cycle, and a large rule that is used twice should be.
Everything else, small rules included, is written out, because tokens cross the border of a written-out rule at no cost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeVar

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import (
    And,
    Expr,
    Facts,
    Grammar,
    Not,
    Ref,
    Repeat,
    contains_empty,
    copies,
    written_size,
)

SMALL = 64  # bytes, characters and references up to which a body is written out wherever it is used

V = TypeVar("V")


@dataclass(frozen=True)
class RuleUse:
    """The rules that the start expression needs, and how each is compiled.

    called: the rules that become components, callees first; nullable: those of them that contain the empty string
    recursive: whether any rule refers to itself, directly or through others
    """

    called: tuple[str, ...]
    nullable: frozenset[str]
    recursive: bool


def analyse(grammar: Grammar, chosen: Collection[str] = ()) -> RuleUse:
    """Decide which rules are called; those `chosen` are called in any case.

    Raises InvalidSource if a rule is unknown, Unsupported for recursion inside an intersection or a complement.
    """
    book = _Book(grammar.rules)
    start = book.mentions(grammar.start)
    everything, _ = book.visit([*start.outside, *start.inside], inside=True)
    order, loops = book.visit(start.outside)
    inside = start.inside.union(*(book[name].inside for name in everything))
    _, hidden = book.visit(sorted(inside), inside=True)
    if hidden:
        raise Unsupported(
            f"the rule {min(hidden)!r} is recursive and stands inside an intersection or a complement",
            remedy="keep recursive rules out of intersections and exclusions",
        )
    uses: dict[str, int] = dict.fromkeys(order, 0)
    for mentioned in (start, *(book[name] for name in order)):
        for name, times in mentioned.outside.items():
            uses[name] += times
    called: list[str] = []
    sizes: dict[str, int] = dict.fromkeys(loops, 1)
    memo: dict[Expr, int] = {}
    for name in order:
        size = fold(grammar.rules[name], lambda expr, parts: _size(expr, parts, sizes), memo, _written)
        if name in loops or name in chosen or (uses[name] > 1 and size > SMALL):
            called.append(name)
            size = 1
        sizes[name] = size
    nullable = _nullable(everything, grammar.rules).intersection(called)
    return RuleUse(tuple(called), nullable, bool(loops))


def fold(
    expr: Expr, value: Callable[[Expr, list[V]], V], memo: dict[Expr, V], whole: Callable[[Facts], V]
) -> V:
    """`value` of an expression, given the values of its children; from the leaves up, each expression once.

    `whole` gives the value of an expression without references.
    """
    waiting = [expr]
    while waiting:
        node = waiting[-1]
        if node.facts.closed:
            memo[node] = whole(node.facts)
            waiting.pop()
            continue
        missing = [part for part in node.children if part not in memo]
        if not missing:
            memo[node] = value(node, [memo[part] for part in node.children])
            waiting.pop()
        waiting += missing
    return memo[expr]


@dataclass
class _Mentions:
    """The rules that an expression refers to: outside And and Not (1: once, 2: more than once), and inside them."""

    outside: dict[str, int] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)


@dataclass
class _Book:
    """The rules of a grammar and the rules that each refers to, looked up once."""

    rules: Mapping[str, Expr]
    pages: dict[str, _Mentions] = field(default_factory=dict)

    def __getitem__(self, name: str) -> _Mentions:
        if name not in self.pages:
            if name not in self.rules:
                raise InvalidSource(f"no rule is called {name!r}")
            self.pages[name] = self.mentions(self.rules[name])
        return self.pages[name]

    def mentions(self, expr: Expr) -> _Mentions:
        """The rules that an expression refers to."""
        found = _Mentions()
        seen: dict[tuple[Expr, bool], int] = {}
        waiting = [(expr, False, 1)]
        while waiting:
            expr, inside, times = waiting.pop()
            if expr.facts.closed:
                continue
            before = seen.get((expr, inside), 0)
            if before >= 2 - inside:  # one visit suffices inside, a second finds what occurs more than once
                continue
            seen[expr, inside] = before + times
            if isinstance(expr, Ref):
                if inside:
                    found.inside.add(expr.name)
                else:
                    found.outside[expr.name] = min(before + times, 2)
            inside = inside or isinstance(expr, And | Not)
            if isinstance(expr, Repeat) and copies(expr) > 1:
                times = 2
            waiting += [(part, inside, times) for part in reversed(expr.children)]
        return found

    def visit(self, names: Iterable[str], *, inside: bool = False) -> tuple[list[str], set[str]]:
        """The rules that `names` lead to, each after those it refers to, and the rules at which cycles close."""
        order: list[str] = []
        loops: set[str] = set()
        done: dict[str, bool] = {}  # False while a rule is open
        for root in names:
            path = [] if root in done else [(root, self._successors(root, inside))]
            while path:
                name, rest = path[-1]
                done.setdefault(name, False)
                for other in rest:
                    if other not in done:
                        path.append((other, self._successors(other, inside)))
                        break
                    if not done[other]:
                        loops.add(other)
                else:
                    done[name] = True
                    order.append(name)
                    path.pop()
        return order, loops

    def _successors(self, name: str, inside: bool) -> Iterable[str]:
        page = self[name]
        return iter([*page.outside, *sorted(page.inside)] if inside else list(page.outside))


def _size(expr: Expr, parts: list[int], sizes: Mapping[str, int]) -> int:
    return sizes.get(expr.name, 1) if isinstance(expr, Ref) else written_size(expr, parts)


def _nullable(order: Iterable[str], rules: Mapping[str, Expr]) -> frozenset[str]:
    """The rules that contain the empty string: a least fixed point, reached quickly because callees come first."""
    known: set[str] = set()
    before = -1
    while len(known) > before:
        before = len(known)
        memo: dict[Expr, bool] = {}
        for name in order:
            if fold(rules[name], lambda expr, parts: _empties(expr, parts, known), memo, _contains_empty):
                known.add(name)
    return frozenset(known)


def _empties(expr: Expr, parts: list[bool], known: set[str]) -> bool:
    return expr.name in known if isinstance(expr, Ref) else contains_empty(expr, parts)


_written = attrgetter("size")
_contains_empty = attrgetter("nullable")
