"""A value that a text states, and where."""

from __future__ import annotations

from typing import NamedTuple


class Statement(NamedTuple):
    """A value that a text may state, as JSON spells it, and the characters start … end − 1 that state it."""

    value: str
    start: int
    end: int
