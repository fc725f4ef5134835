"""A model as the rules that fill its canvas see it: a denoiser, its spelling, readings of texts, and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from structgen_engine.decoding.denoiser import Denoiser
from structgen_mini.constants import Constants
from structgen_mini.sitting import Sitting


@dataclass(frozen=True, eq=False)
class Spelling:
    """A vocabulary, reduced to what filling a canvas needs.

    encode: the ids of a text; decode: the bytes that ids spell
    null_id: the zero-width token that fills slots; end_id, pad_id: the token that ends an answer and the one that
    follows it; −1 if the vocabulary has no such token
    escapes: the ids of backslashes and control characters, which a JSON string escapes
    """

    encode: Callable[[str], Sequence[int]]
    decode: Callable[[Sequence[int]], bytes]
    null_id: int = -1
    end_id: int = -1
    pad_id: int = -1
    escapes: Sequence[int] = ()


# each value as JSON spells it, and the characters start … end − 1 that state it
Found = Mapping[str, Sequence[tuple[int, int]]]


class ListedPart(Protocol):
    """A member of a series: characters start … end − 1 of a text, and those of its cells if it is divided."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def cells(self) -> Sequence[tuple[int, int]]: ...


@dataclass(frozen=True, eq=False)
class ListedSeries:
    """Parts of a text that are alike, in order.

    kind: "marked" lines, rows of a "table", "pairs" of a name and a value, "records" of several such lines, "plain"
    lines, or members of an "enumeration"; head: the part that names the columns, if there is one
    """

    kind: str
    parts: Sequence[ListedPart]
    head: ListedPart | None = None


@dataclass(frozen=True, eq=False)
class Readings:
    """What a text states: numbers (`whole`: those without a fraction), dates, times of day, both together, series.

    truths: `true` or `false` of a text that is a word for it and nothing else
    """

    numbers: Callable[[str], Found]
    whole: Callable[[str], Found]
    dates: Callable[[str], Found]
    times: Callable[[str], Found]
    moments: Callable[[str], Found]
    truths: Callable[[str], Found]
    series: Callable[[str], Sequence[ListedSeries]]


@dataclass(frozen=True, eq=False)
class Canvas:
    """A denoiser with what is needed to lay out and fill its first block.

    denoiser: reads canvases of any length up to its block
    """

    denoiser: Denoiser
    spelling: Spelling
    readings: Readings
    constants: Constants

    def reading(self, prompt: Sequence[int]) -> Canvas:
        """The canvas of a denoiser that encodes this prompt once, for all looks and for the writing."""
        return replace(self, denoiser=Sitting(self.denoiser, prompt))

    def cut(self, length: int) -> Canvas:
        """The canvas cut to a length: what stands behind a layout is padding, which costs and says nothing."""
        denoiser = self.denoiser
        if length >= denoiser.block_length:
            return self
        sitting = denoiser if isinstance(denoiser, Sitting) else Sitting(denoiser)
        return replace(self, denoiser=sitting.cut(length))
