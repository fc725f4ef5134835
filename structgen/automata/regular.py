"""From an expression to its minimal byte automaton."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from structgen.automata.boolean import difference, intersection
from structgen.automata.crawl import MAX_EDGES, crawl
from structgen.automata.kept import KEPT
from structgen.automata.nfa import FIRST_TOKEN, NO_CALLS, Call, Fragment, Nfa, NfaBuilder, symbol_count
from structgen.automata.tables import Table, tabulate
from structgen.errors import Unsupported
from structgen.grammar import TEXT, And, Expr, Grammar, Not


def compile_bytes(
    grammar: Grammar, tokens: Sequence[str] = (), null: str | None = None, most: int | None = None
) -> Table:
    """The minimal automaton of `grammar` over bytes, then the special `tokens` in order (symbols 256, 257, …).

    `null` names the zero-width token that Slack stands for; without one Slack is the empty string.
    Raises TooLarge where that takes more than `most` states at any time, other Unsupported where the grammar is
    recursive, InvalidSource where a name is unknown.
    """
    symbols = {name: FIRST_TOKEN + index for index, name in enumerate(tokens)}
    try:
        return Compiler(grammar, symbols, null, most=most).table(grammar.start)
    except RecursionError:
        raise Unsupported(
            "repetitions, intersections and complements stand in one another too deeply",
            remedy="lower the depth to which the source nests",
        ) from None


@dataclass(frozen=True, eq=False)
class Compiler:
    """One compilation: what is shared between an expression and the fragments inside it.

    symbols: of the special tokens; calls: the rules that are not written out but called
    most: states that an automaton may have before it is minimal, where that is less than there is room for
    """

    grammar: Grammar
    symbols: dict[str, int]
    null: str | None
    calls: Mapping[str, Call] = field(default_factory=lambda: NO_CALLS)
    fragments: dict[Expr, Fragment] = field(default_factory=dict)
    open_rules: list[str] = field(default_factory=list)
    most: int | None = None

    def builder(self, recurs: Callable[[Expr], bool] = KEPT.recurs) -> NfaBuilder:
        """An empty automaton that shares this compilation's fragments; texts that come up again are fragments too."""
        return NfaBuilder(
            self.grammar.rules,
            self.symbols,
            self.null,
            self.fragment,
            recurs,
            self.open_rules,
            self.calls,
            self.most,
        )

    def table(self, expr: Expr, recurs: Callable[[Expr], bool] = KEPT.recurs) -> Table:
        """The minimal automaton of `expr`."""
        if isinstance(expr, And):
            return intersection([self._text(part) for part in expr.parts], self._size)
        if isinstance(expr, Not):
            return difference(self._text(TEXT), self._text(expr.body), self._size)
        nfa = self._nfa(expr, recurs)
        crawled = crawl(nfa, most=self.most or MAX_EDGES)
        return tabulate(crawled, crawled.holding(nfa.finals > 0))

    def _nfa(self, expr: Expr, recurs: Callable[[Expr], bool]) -> Nfa:
        builder = self.builder(recurs)
        final = builder.state()
        return builder.finish(builder.build(expr, final), final)

    def fragment(self, expr: Expr) -> Fragment:
        """The same, compiled once, to splice in."""
        if expr not in self.fragments:
            textual = expr.facts.textual
            self.fragments[expr] = KEPT.fragment(expr, self._made) if textual else self._made(expr)
        return self.fragments[expr]

    def _made(self, expr: Expr) -> Fragment:
        return self.table(expr, lambda part: False).fragment()

    def _text(self, expr: Expr) -> Fragment:
        """The part of a Boolean operation: Slack inside it is the empty string, and every rule is written out."""
        return self._textual.fragment(expr)

    @cached_property
    def _textual(self) -> Compiler:
        if self.null is None and not self.calls:
            return self
        return replace(self, null=None, calls=NO_CALLS, fragments={})

    @property
    def _size(self) -> int:
        return symbol_count(self.symbols, self.calls)
