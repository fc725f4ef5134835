"""How JSON is written: the white space between tokens, the order of members, and the places for slack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from structgen.grammar import EMPTY, SLACK, Expr, alt, any_of, seq, star

from .syntax import JSON_SYNTAX, Syntax

Whitespace = Literal["flexible", "compact"]
Order = Literal["declared", "any"]

_GAPS: dict[str, Expr] = {"flexible": star(alt(any_of(" \t\n\r"), SLACK)), "compact": SLACK}


@dataclass(frozen=True)
class Style:
    """The style in which JSON is written.

    whitespace: "flexible" allows white space between any two tokens, "compact" none
    order: the order of the members of objects: "declared" as a schema names them, followed by others, or "any"
    spelling: the syntax, JSON or another one
    """

    whitespace: Whitespace = "flexible"
    order: Order = "declared"
    spelling: Syntax = JSON_SYNTAX

    @property
    def gap(self) -> Expr:
        """The texts allowed between two tokens."""
        return _GAPS[self.whitespace] if self.spelling.gaps else EMPTY

    @cached_property
    def comma(self) -> Expr:
        """The separator of members and elements."""
        return seq(self.gap, self.spelling.comma, self.gap)

    @cached_property
    def colon(self) -> Expr:
        """The separator of a key and its value."""
        return seq(self.gap, self.spelling.colon, self.gap)
