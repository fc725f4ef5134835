"""A grammar: a start expression, the rules that it names, and a check of what no automaton can decide."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from structgen.grammar.build import literal, ref, token
from structgen.grammar.expr import Expr, Token, encoded
from structgen.grammar.rewrite import Rewriting


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
    markup: special tokens that stand in a text by their names; a vocabulary that lacks one spells its name
    """

    start: Expr
    rules: Mapping[str, Expr] = field(default_factory=dict)
    check: Check | None = field(default=None, compare=False)
    markup: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the structure, equal in every process."""
        digest = hashlib.blake2b(self.start.fingerprint, digest_size=16)
        for name in sorted(self.rules):
            digest.update(encoded(name) + self.rules[name].fingerprint)
        return digest.hexdigest()


def spelled_out(grammar: Grammar, known: Container[str]) -> Grammar:
    """The grammar with the names of its markup spelled wherever no token of that name is known."""
    missing = {token(name): literal(name) for name in grammar.markup if name not in known}
    if not missing:
        return grammar
    rewrite = Rewriting(missing)
    rules = {name: rewrite(rule) for name, rule in grammar.rules.items()}
    return Grammar(rewrite(grammar.start), rules, grammar.check, grammar.markup)


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

    return Rewriting({ref(old): ref(new) for old, new in names.items()})(expr) if names else expr
