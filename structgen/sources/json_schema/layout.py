"""White space between JSON tokens, and where a scaffold may leave positions unused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...errors import InvalidSource
from ...grammar import SLACK, Expr, alt, any_of, literal, seq, star

Whitespace = Literal["flexible", "compact"]

_GAPS: dict[str, Expr] = {"flexible": star(alt(any_of(" \t\n\r"), SLACK)), "compact": SLACK}


@dataclass(frozen=True)
class Layout:
    """How JSON tokens are set: "flexible" allows white space between any two, "compact" none."""

    whitespace: Whitespace = "flexible"

    def __post_init__(self) -> None:
        if self.whitespace not in _GAPS:
            raise InvalidSource(f"whitespace is 'flexible' or 'compact', not {self.whitespace!r}")

    @property
    def gap(self) -> Expr:
        """What may stand between two tokens."""
        return _GAPS[self.whitespace]

    @cached_property
    def comma(self) -> Expr:
        """The separator of members and elements."""
        return seq(self.gap, literal(","), self.gap)

    @cached_property
    def colon(self) -> Expr:
        """The separator of a key and its value."""
        return seq(self.gap, literal(":"), self.gap)
