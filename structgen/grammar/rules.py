"""A grammar: an expression to start from, the rules that it names, and what no automaton can tell of its texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from structgen.grammar.expr import Expr, Token, encoded


@dataclass(frozen=True)
class Detour:
    """How a text that fails a check may go on instead: it keeps its first `at` bytes, and what follows them does not
    begin with a string of `never`, an expression of text without references. `place` is the path to the part of the
    text that this is about."""

    at: int
    never: Expr
    place: tuple[str | int, ...] = ()


class Check(Protocol):
    """What no automaton can tell of the texts that a grammar's expressions accept."""

    @property
    def places(self) -> tuple[str, ...]:
        """JSON pointers of what is checked."""
        ...

    def __call__(self, text: str) -> Detour | None:
        """None where a text is well, and else how it has to go on."""
        ...


@dataclass(frozen=True)
class Grammar:
    """A start expression and the rules that its Refs name.

    check: of the texts that the expressions accept, None where all are well. It is no part of the automaton nor of the
    fingerprint; whoever generates has to ask it.
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
    seen: set[Expr] = set()
    waiting = [grammar.start, *grammar.rules.values()]
    while waiting:
        expr = waiting.pop()
        if expr not in seen and not expr.facts.textual:
            seen.add(expr)
            waiting += expr.children
    return sorted({expr.name for expr in seen if isinstance(expr, Token)})
