"""Sources made of other sources: an expression whose parts are sources, strings and expressions of `sg.grammar`.

sg.compile(sg.library["iso-date"] + " to " + sg.library["iso-date"])
"""

from __future__ import annotations

from dataclasses import dataclass, field

from structgen.errors import InvalidSource
from structgen.grammar import Combines, Expr, Grammar, Nested

from .embedding import embedded, replaced
from .productive import references


@dataclass(frozen=True, eq=False)
class Combined(Combines):
    """The texts of an expression, or of a grammar with rules; parsing returns the text."""

    grammar: Grammar

    def lower(self) -> Grammar:
        """The texts, with the rules of every grammar inside under names of their own."""
        whole = flat(self.grammar)
        for rule in (whole.start, *whole.rules.values()):
            for name in sorted(references(rule) - whole.rules.keys()):
                raise InvalidSource(
                    f"the grammar names {name!r}, for which there is no rule; pass Grammar(start, rules)"
                )
        return whole

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


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
