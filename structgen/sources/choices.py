"""One of a few given strings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from structgen.errors import InvalidSource
from structgen.grammar import Combines, Grammar, alt, literal


@dataclass(frozen=True)
class Choices(Combines):
    """A source of exactly one of `values`, which are distinct non-empty strings; parsing returns it."""

    values: Sequence[str]

    def __post_init__(self) -> None:
        listed = isinstance(self.values, Iterable) and not isinstance(self.values, str | Mapping)
        if not listed or not all(isinstance(value, str) for value in self.values):
            raise InvalidSource("a choice is a list of strings")
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise InvalidSource("a choice needs at least one string")
        if "" in self.values:
            raise InvalidSource(f"option {self.values.index('')} of the choice is empty")
        twice = [value for i, value in enumerate(self.values) if value in self.values[:i]]
        if twice:
            raise InvalidSource(f"the choice names {twice[0]!r} twice")

    def lower(self) -> Grammar:
        """The options, as a grammar."""
        return Grammar(alt(*map(literal, self.values)))

    def parse(self, text: str) -> str:
        """The text itself, which is one of the options."""
        return text
