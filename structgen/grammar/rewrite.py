"""Rewriting expressions: some leaves are replaced by others, and everything around them is built again."""

from __future__ import annotations

from collections.abc import Mapping

from structgen.grammar.build import alt, any_order, automaton, both, budget, complement, repeat, seq
from structgen.grammar.expr import Alt, And, AnyOrder, Budget, Expr, Not, Repeat, Seq, StateGraph


class Rewriting:
    """A map of expressions that replaces leaves; parts that occur several times are rebuilt once."""

    def __init__(self, replaced: Mapping[Expr, Expr]) -> None:
        self._known = dict(replaced)

    def __call__(self, expr: Expr) -> Expr:
        """The expression with its leaves replaced; deep nesting does not exhaust the stack."""
        known, waiting = self._known, [expr]
        while waiting:
            top = waiting[-1]
            missing = [] if top in known or top.facts.textual else [p for p in top.children if p not in known]
            if not missing:
                waiting.pop()
                if top not in known:
                    known[top] = top if top.facts.textual else self._rebuilt(top)
            waiting += missing
        return known[expr]

    def _rebuilt(self, expr: Expr) -> Expr:
        """The expression of its rewritten parts."""
        parts = [self._known[part] for part in expr.children]
        match expr:
            case Seq():
                return seq(*parts)
            case Alt():
                return alt(*parts)
            case And():
                return both(*parts)
            case Not():
                return complement(*parts)
            case Repeat(_, low, high):
                return repeat(parts[0], low, high)
            case Budget(_, tokens):
                return budget(parts[0], tokens)
            case StateGraph(moves, accepting):
                labelled = zip(moves, parts, strict=True)
                return automaton(
                    [(source, part, target) for (source, _, target), part in labelled], accepting
                )
            case AnyOrder(listed, required):
                count = len(listed)
                return any_order(parts[:count], required, *parts[count:])
        return expr
