"""A grammar: a start expression, the rules that it names, and a check of what no automaton can decide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Protocol

from structgen.grammar.build import alt, both, budget, complement, ref, repeat, seq
from structgen.grammar.expr import Alt, And, Budget, Expr, Not, Ref, Repeat, Seq, Token, encoded


@dataclass(frozen=True)
class Detour:
    """The way out for a text that fails a check: keep its first `at` bytes and continue differently.

    never: an expression of text without references; the continuation does not begin with any of its strings
    place: path to the part of the text that failed
    """

    at: int
    never: Expr
    place: tuple[str | int, ...] = ()


class Check(Protocol):
    """A check of the accepted texts of a grammar for something that no automaton can decide."""

    @property
    def places(self) -> tuple[str, ...]:
        """JSON pointers of the keywords that are checked."""
        ...

    def __call__(self, text: str) -> Detour | None:
        """None if the text passes; otherwise how it has to continue."""
        ...


@dataclass(frozen=True)
class Grammar:
    """A start expression and the rules that its Refs name.

    check: a check of the texts that the expressions accept, None if all pass. It is part of neither the automaton nor
        the fingerprint; the code that generates has to call it.
    """

    start: Expr
    rules: Mapping[str, Expr] = field(default_factory=dict)
    check: Check | None = field(default=None, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the structure, equal in every process."""
        digest = hashlib.blake2b(self.start.fingerprint, digest_size=16)
        for name in sorted(self.rules):
            digest.update(encoded(name) + self.rules[name].fingerprint)
        return digest.hexdigest()


def tokens_of(grammar: Grammar) -> list[str]:
    """The names of all special tokens in the grammar, sorted."""
    return sorted({expr.name for expr in beyond_text(grammar) if isinstance(expr, Token)})


def beyond_text(grammar: Grammar) -> set[Expr]:
    """All parts of the grammar that are not text alone."""
    seen: set[Expr] = set()
    waiting = [grammar.start, *grammar.rules.values()]
    while waiting:
        expr = waiting.pop()
        if expr not in seen and not expr.facts.textual:
            seen.add(expr)
            waiting += expr.children
    return seen


def renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    """The expression with its rules renamed; parts that occur several times are rebuilt once."""

    @cache
    def rebuilt(expr: Expr) -> Expr:
        if isinstance(expr, Ref):
            return ref(names[expr.name])
        if isinstance(expr, Repeat):
            return repeat(rebuilt(expr.body), expr.low, expr.high)
        if isinstance(expr, Not):
            return complement(rebuilt(expr.body))
        if isinstance(expr, Budget):
            return budget(rebuilt(expr.body), expr.tokens)
        for kind, build in ((Seq, seq), (Alt, alt), (And, both)):
            if isinstance(expr, kind):
                return build(*map(rebuilt, expr.parts))
        return expr

    return rebuilt(expr) if names else expr
