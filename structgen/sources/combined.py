"""Sources made of other sources: an expression whose parts are sources, strings and expressions of `sg.grammar`.

sg.compile(sg.library["iso-date"] + " to " + sg.library["iso-date"])
"""

from __future__ import annotations

from dataclasses import dataclass, field

from structgen.errors import InvalidSource
from structgen.grammar import Combines, Grammar

from .embedding import flat
from .productive import references


@dataclass(frozen=True, eq=False)
class Combined(Combines):
    """The texts of an expression, or of a grammar with rules; parsing returns the text."""

    grammar: Grammar = field(repr=False)

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
