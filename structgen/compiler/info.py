"""What a constraint tells about itself: its size, and what compiling it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Info:
    """The size of a constraint and the cost of compiling it.

    regime: "expanded" (one table) or "lazy" (states and edges are those of the components, classes those met so far)
    depth: how many times a recursive rule may nest in itself, None if there is no limit
    components: number of automata that call each other, before they were expanded
    min_tokens: the length of the shortest answer in tokens; in the lazy regime an upper bound
    max_tokens: of the longest, padding aside; None if answers have any length, and in the lazy regime
    checked: JSON pointers of the keywords that the automaton cannot decide and that are checked while generating
    """

    regime: Literal["expanded", "lazy"]
    depth: int | None
    components: int
    states: int
    classes: int
    edges: int
    min_tokens: int
    byte_states: int
    milliseconds: float
    cached: bool
    checked: tuple[str, ...] = ()
    max_tokens: int | None = None
