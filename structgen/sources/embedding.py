"""One grammar inside another: its rules get names of their own, so that they meet no rule of the same name."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, fields
from typing import Any

from structgen.grammar import Expr, Grammar, Nested, Ref, ref
from structgen.grammar.expr import interned

from .stackless import solved


def embedded(grammar: Grammar, prefix: str) -> tuple[Expr, dict[str, Expr]]:
    """The start of a grammar and its rules, all of which are called by the prefix and their name."""
    names = {name: prefix + name for name in grammar.rules}
    rules = {names[name]: renamed(rule, names) for name, rule in grammar.rules.items()}
    return renamed(grammar.start, names), rules


def renamed(expr: Expr, names: dict[str, str]) -> Expr:
    """The expression with other names for the rules it refers to."""

    def other(one: Expr) -> Expr | None:
        return ref(names.get(one.name, one.name)) if isinstance(one, Ref) else None

    return replaced(expr, other)


def replaced(expr: Expr, other: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with some of its parts exchanged, inner ones too; parts that are text alone stay."""

    def step(one: Expr) -> Generator[Expr, Expr, Expr]:
        if one.facts.textual:
            return one
        new = other(one)
        if new is not None:
            return new if isinstance(new, Ref) else (yield new)
        values: list[Any] = []
        for item in fields(one):
            values.append((yield from _value(getattr(one, item.name))))
        return interned(type(one), *values)

    return solved(step, expr)


def _value(value: Any) -> Generator[Expr, Expr, Any]:
    """One field of an expression, with the expressions in it replaced."""
    if isinstance(value, Expr):
        return (yield value)
    if isinstance(value, tuple):
        parts: list[Any] = []
        for part in value:
            parts.append((yield from _value(part)))
        return tuple(parts)
    return value


def flat(grammar: Grammar) -> Grammar:
    """The grammar without grammars inside: their rules become rules of the whole, called by a number and their name."""
    spread = _Spread()
    start = spread(grammar.start)
    rules = {name: spread(rule) for name, rule in grammar.rules.items()}
    return Grammar(start, {**rules, **spread.rules}, grammar.check)


@dataclass
class _Spread:
    """The grammars met so far, each with its start, and their rules."""

    rules: dict[str, Expr] = field(default_factory=dict)
    starts: dict[Nested, Expr] = field(default_factory=dict)

    def __call__(self, expr: Expr) -> Expr:
        """The expression, spread out."""
        return replaced(expr, lambda one: self._start(one) if isinstance(one, Nested) else None)

    def _start(self, one: Nested) -> Expr:
        if one not in self.starts:
            prefix = f"{len(self.starts) + 1}/"
            self.starts[one], rules = embedded(Grammar(one.start, dict(one.rules)), prefix)
            self.rules.update(rules)
        return self.starts[one]
