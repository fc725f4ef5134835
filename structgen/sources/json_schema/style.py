"""How JSON is written: the white space between tokens, the order of members, and the places for slack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal

from structgen.grammar import EMPTY, SLACK, Expr, alt, any_of, literal, optional, repeat, seq, star

from .syntax import JSON_SYNTAX, Syntax

Whitespace = Literal["flexible", "compact"]
Order = Literal["declared", "any"]

MOST_INDENTED = 4  # levels that are indented; what is nested deeper has the indentation of the last
INDENT = 4  # spaces of a level, at most: what printers of JSON write

_SPACE = seq(literal(" "), SLACK)
_ANY = star(alt(any_of(" \t\n\r"), SLACK))  # what may be read
_BESIDE = seq(SLACK, optional(_SPACE))


@dataclass(frozen=True)
class Style:
    """The style in which JSON is written.

    whitespace: "flexible" allows white space between any two tokens, "compact" none
    order: the order of the members of objects: "declared" as a schema names them, followed by others, or "any"
    spelling: the syntax, JSON or another one
    whole: whether any amount of white space may stand where some may, as in what is read. What is generated has at most
        a new line and an indentation before members, elements and closing brackets, and a space after colons: a model
        that is unsure would fill its blocks with blanks, and no value is lost.
    depth: how deep what is written is nested, for its indentation: 4 spaces a level at most, and 16 in all
    """

    whitespace: Whitespace = "flexible"
    order: Order = "declared"
    spelling: Syntax = JSON_SYNTAX
    whole: bool = False
    depth: int = MOST_INDENTED

    def for_reading(self) -> Style:
        """The style of what is read."""
        return replace(self, whole=True)

    def at(self, depth: int) -> Style:
        """The style of what is nested this deep."""
        return replace(self, depth=min(depth, MOST_INDENTED))

    @cached_property
    def gap(self) -> Expr:
        """The white space allowed before a member or an element."""
        return self._space(_line(self.depth))

    @cached_property
    def end(self) -> Expr:
        """The white space allowed before a closing bracket."""
        return self._space(_line(self.depth - 1))

    @cached_property
    def comma(self) -> Expr:
        """The separator of members and elements."""
        return seq(self._space(SLACK), self.spelling.comma, self.gap)

    @cached_property
    def colon(self) -> Expr:
        """The separator of a key and its value."""
        return seq(self._space(SLACK), self.spelling.colon, self._space(_BESIDE))

    def _space(self, generated: Expr) -> Expr:
        if not self.spelling.gaps:
            return EMPTY
        if self.whitespace == "compact":
            return SLACK
        return _ANY if self.whole else generated


@cache
def _line(depth: int) -> Expr:
    """At most a new line and the spaces of so many levels, and one space in any case."""
    return seq(SLACK, optional(seq(literal("\n"), SLACK)), repeat(_SPACE, 0, max(1, depth * INDENT)))
