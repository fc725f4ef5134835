"""From an expression to its minimal byte automaton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from structgen.automata.boolean import difference, intersection
from structgen.automata.crawl import crawl
from structgen.automata.nfa import FIRST_TOKEN, Fragment, NfaBuilder
from structgen.automata.tables import Table, tabulate
from structgen.errors import Unsupported
from structgen.grammar import TEXT, And, Expr, Grammar, Not


def compile_bytes(grammar: Grammar, tokens: Sequence[str] = (), null: str | None = None) -> Table:
    """The minimal automaton of `grammar` over bytes, then the special `tokens` in order (symbols 256, 257, …).

    `null` names the zero-width token that Slack stands for; without one Slack is the empty string.
    Raises Unsupported where the grammar is recursive or too large, InvalidSource where a name is unknown.
    """
    symbols = {name: FIRST_TOKEN + index for index, name in enumerate(tokens)}
    try:
        return _Compiler(grammar, symbols, null).table(grammar.start)
    except RecursionError:
        raise Unsupported(
            "repetitions, intersections and complements stand in one another too deeply",
            remedy="lower the depth to which the source nests",
        ) from None


@dataclass(frozen=True, eq=False)
class _Compiler:
    """One compilation: what is shared between an expression and the fragments inside it."""

    grammar: Grammar
    symbols: dict[str, int]
    null: str | None
    fragments: dict[Expr, Fragment] = field(default_factory=dict)
    open_rules: list[str] = field(default_factory=list)

    def table(self, expr: Expr) -> Table:
        if isinstance(expr, And):
            return intersection([self._text(part) for part in expr.parts], self._size)
        if isinstance(expr, Not):
            return difference(self._text(TEXT), self._text(expr.body), self._size)
        builder = NfaBuilder(self.grammar.rules, self.symbols, self.null, self.fragment, self.open_rules)
        final = builder.state()
        nfa = builder.finish(builder.build(expr, final), final)
        crawled = crawl(nfa)
        owner = np.repeat(np.arange(len(crawled.delta)), np.diff(crawled.offsets))
        accepting = np.zeros(len(crawled.delta), bool)
        accepting[owner[nfa.finals[crawled.members] > 0]] = True
        return tabulate(crawled, accepting)

    def fragment(self, expr: Expr) -> Fragment:
        if expr not in self.fragments:
            self.fragments[expr] = self.table(expr).fragment()
        return self.fragments[expr]

    def _text(self, expr: Expr) -> Fragment:
        """The part of a Boolean operation: Slack inside it is the empty string."""
        return self._textual.fragment(expr)

    @cached_property
    def _textual(self) -> _Compiler:
        return self if self.null is None else replace(self, null=None, fragments={})

    @property
    def _size(self) -> int:
        return FIRST_TOKEN + len(self.symbols)
