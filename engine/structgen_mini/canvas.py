"""A model as the rules that fill its canvas see it: a denoiser, its spelling, readings of texts, and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from structgen_engine.decoding.denoiser import Denoiser
from structgen_mini.constants import Constants


@dataclass(frozen=True, eq=False)
class Spelling:
    """A vocabulary, reduced to what filling a canvas needs.

    encode: the ids of a text; decode: the bytes that ids spell
    null_id: the zero-width token that fills slots; end_id, pad_id: the token that ends an answer and the one that
    follows it; −1 if the vocabulary has no such token
    """

    encode: Callable[[str], Sequence[int]]
    decode: Callable[[Sequence[int]], bytes]
    null_id: int = -1
    end_id: int = -1
    pad_id: int = -1


Found = Mapping[str, Sequence[int]]  # each value as JSON spells it, and where its statements begin


@dataclass(frozen=True, eq=False)
class Readings:
    """What a text states: its numbers (`whole`: those without a fraction), its dates and its times of day."""

    numbers: Callable[[str], Found]
    whole: Callable[[str], Found]
    dates: Callable[[str], Found]
    times: Callable[[str], Found]


@dataclass(frozen=True, eq=False)
class Canvas:
    """A denoiser with what is needed to lay out and fill its first block."""

    denoiser: Denoiser
    spelling: Spelling
    readings: Readings
    constants: Constants
