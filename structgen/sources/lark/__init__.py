"""Grammars in Lark's notation, as Lark, llguidance and XGrammar read it.

    start: "SELECT" column ("," column)* "FROM" NAME
    column: NAME | "count" "(" NAME ")"
    NAME: /[a-z_]+/
    %ignore " "

A rule has a name in lower case, a terminal one in upper case. A terminal is matched as a whole: what `%ignore`
names may stand after every terminal of a rule, never inside one. The text is what `start` derives; every reading of
it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from structgen.errors import InvalidSource
from structgen.grammar import Combines, Grammar

from ..reading import Capture
from .captures import by_name, captures
from .lowering import Lowered, lowered


@dataclass(frozen=True)
class Lark(Combines):
    """Text that the rule `start` derives; parsing returns the text.

    source: the grammar; grammars: others that it names as @name, each a source or a grammar in the same notation.
    Errors name the line and column and show the line.
    """

    source: str
    grammars: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.source, str):
            raise InvalidSource(f"a grammar is a string, not {type(self.source).__name__}")
        for name, grammar in self.grammars.items():
            if not isinstance(grammar, str) and not hasattr(grammar, "lower"):
                raise InvalidSource(f"the grammar @{name} is neither a string nor a source such as Regex")

    @cached_property
    def _lowered(self) -> Lowered:
        return lowered(self.source, self.grammars)

    @cached_property
    def _whole(self) -> Lowered:
        return lowered(self.source, self.grammars, whole=True) if self._lowered.bounded else self._lowered

    def lower(self) -> Grammar:
        """The texts that the rule `start` derives."""
        return self._lowered.grammar()

    def whole(self) -> Grammar:
        """The same with any amount of white space in the JSON of %json and of given sources."""
        return self._whole.grammar()

    def parse(self, text: str) -> str:
        """The text itself."""
        return text

    def captures(self, text: str) -> dict[str, list[Capture]]:
        """What the rules with `capture` stand for in a text, by name; none if the grammar does not derive the text."""
        return by_name(self.captured(text))

    def captured(self, text: str) -> list[tuple[str, Capture]]:
        """The same as pairs, in the order in which the pieces end."""
        return captures(self.whole(), self._whole.regions, text)
