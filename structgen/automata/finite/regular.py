"""From an expression to its minimal byte automaton."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from structgen.automata.finite.boolean import difference, intersection
from structgen.automata.finite.crawl import MAX_EDGES, crawl
from structgen.automata.finite.excerpts import pieces
from structgen.automata.finite.fragments import FRAGMENTS
from structgen.automata.finite.marked import MarkedBuilder, TokenMarks
from structgen.automata.finite.nfa import (
    FIRST_TOKEN,
    NO_CALLS,
    CallSymbol,
    Fragment,
    Nfa,
    NfaBuilder,
    symbol_count,
    too_large,
)
from structgen.automata.finite.table import Table, tabulate
from structgen.errors import Unsupported
from structgen.grammar import TEXT, And, Excerpt, Expr, Grammar, Not


def compile_bytes(
    grammar: Grammar,
    tokens: Sequence[str] = (),
    null: str | None = None,
    most: int | None = None,
    marks: TokenMarks | None = None,
) -> Table:
    """The minimal automaton of `grammar` over bytes, then the special `tokens` in order (symbols 256, 257, …).

    `null` names the zero-width token that Slack stands for; without one Slack is the empty string. `marks` are needed
    if the grammar speaks of tokens; the automaton then reads them before and after every token.
    Raises TooLarge if that takes more than `most` states at any time, another Unsupported if the grammar is recursive,
    InvalidSource if a name is unknown.
    """
    symbols = {name: FIRST_TOKEN + index for index, name in enumerate(tokens)}
    try:
        return Compiler(grammar, symbols, null, most=most, marks=marks).table(grammar.start)
    except RecursionError:
        raise Unsupported(
            "repetitions, intersections and complements stand in one another too deeply",
            remedy="lower the depth to which the source nests",
        ) from None


@dataclass(frozen=True, eq=False)
class Compiler:
    """A compilation, which holds what an expression shares with the fragments inside it.

    symbols: symbol of each special token; calls: the rules that are called instead of written out
    most: a limit on the states of an automaton before it is minimal, below the limit that memory sets
    """

    grammar: Grammar
    symbols: dict[str, int]
    null: str | None
    calls: Mapping[str, CallSymbol] = field(default_factory=lambda: NO_CALLS)
    fragments: dict[Expr, Fragment] = field(default_factory=dict)
    open_rules: list[str] = field(default_factory=list)
    most: int | None = None
    marks: TokenMarks | None = None

    def builder(self, apart: bool = True) -> NfaBuilder:
        """An empty builder that shares this compilation's fragments; if `apart`, longer texts become fragments too."""
        given = (
            self.grammar.rules,
            self.symbols,
            self.null,
            self.fragment,
            apart,
            self.open_rules,
            self.calls,
            self.most,
        )
        if self.marks is None:
            return NfaBuilder(*given)
        return MarkedBuilder(*given, marks=self.marks, counted=self._counted)

    def table(self, expr: Expr) -> Table:
        """The minimal automaton of `expr`."""
        return self._built_marked(expr)[0] if self.marks else self._built(expr, apart=True)[0]

    def _counted(self, expr: Expr) -> Fragment:
        """The automaton of what a budget counts, with the marks of tokens everywhere."""
        table, peak = self._built_marked(expr)
        return table.fragment(peak)

    def _built(self, expr: Expr, apart: bool) -> tuple[Table, int]:
        """The minimal automaton, and the largest number of states at any time before it was minimal."""
        if isinstance(expr, And):
            return intersection([self._text(part) for part in expr.parts], self._size, self._most)
        if isinstance(expr, Not):
            return difference(self._text(TEXT), self._text(expr.body), self._size, self._most)
        if isinstance(expr, Excerpt):
            crawled, accepting = pieces(expr, self._size, self._most)
            return tabulate(crawled, accepting), len(accepting)
        builder = self.builder(apart)
        final = builder.state()
        return self._determined(builder, builder.finish(builder.build(expr, final), final))

    def _built_marked(self, expr: Expr) -> tuple[Table, int]:
        """The same, where marks of tokens may stand everywhere."""
        builder = self.builder()
        assert isinstance(builder, MarkedBuilder)
        final = builder.state()
        return self._determined(builder, builder.finish_marked(builder.build(expr, final), final))

    def _determined(self, builder: NfaBuilder, nfa: Nfa) -> tuple[Table, int]:
        crawled = crawl(nfa, most=self._most)
        return tabulate(crawled, crawled.holding(nfa.finals > 0)), max(builder.peak, crawled.size)

    def fragment(self, expr: Expr) -> Fragment:
        """The minimal automaton as a fragment to splice in, compiled once.

        A cached fragment is refused if compiling it again would be: the limits must not depend on earlier compilations.
        """
        if expr not in self.fragments:
            self.fragments[expr] = (
                FRAGMENTS.fragment(expr, self._made) if expr.facts.textual else self._made(expr)
            )
        piece = self.fragments[expr]
        if piece.peak > self._most:
            raise too_large(self._most, "states")
        return piece

    def _made(self, expr: Expr) -> Fragment:
        table, peak = self._built(expr, apart=False)
        return table.fragment(peak)

    def _text(self, expr: Expr) -> Fragment:
        """The fragment of an operand of a Boolean operation: Slack is the empty string, every rule is written out."""
        return self._textual.fragment(expr)

    @cached_property
    def _textual(self) -> Compiler:
        if self.null is None and not self.calls:
            return self
        return replace(self, null=None, calls=NO_CALLS, fragments={})

    @property
    def _size(self) -> int:
        return symbol_count(self.symbols, self.calls)

    @property
    def _most(self) -> int:
        return self.most or MAX_EDGES
