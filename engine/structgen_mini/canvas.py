"""What filling a canvas takes of a model: its denoiser, how its vocabulary spells text, and the rules' constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from structgen_engine.decoding.denoiser import Denoiser
from structgen_mini.constants import Constants


@dataclass(frozen=True, eq=False)
class Spelling:
    """A vocabulary, as far as a canvas asks.

    encode: the ids of a text; decode: the bytes that ids spell
    null_id: the zero-width token that fills slots; end_id, pad_id: what ends an answer and what follows it; −1 where
    the vocabulary has no such token
    """

    encode: Callable[[str], Sequence[int]]
    decode: Callable[[Sequence[int]], bytes]
    null_id: int = -1
    end_id: int = -1
    pad_id: int = -1


@dataclass(frozen=True, eq=False)
class Canvas:
    """A denoiser's first block, to be laid out in the spelling of its vocabulary."""

    denoiser: Denoiser
    spelling: Spelling
    constants: Constants
