"""What generating needs of a model: a denoiser with its vocabulary, its form of prompts and its ways of writing."""

from __future__ import annotations

from dataclasses import dataclass

from structgen.generation.chooser import Chooser
from structgen.generation.prompts import Prompts
from structgen.generation.request import Writer
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.options import DecodingOptions


@dataclass(frozen=True, eq=False)
class Runtime:
    """A denoiser with its vocabulary and its form of prompts.

    prompt_limit: the most prompt tokens the model reads, None for no limit
    writer: how it fills blocks, None for an empty canvas; chooser: how it weighs answers, None for the probe
    decoding: its options where the caller names none; blocks: of budget where the caller names none
    threads: of the CPU, that a command gives the model; None for as many as torch takes
    """

    name: str
    denoiser: Denoiser
    vocabulary: Vocabulary
    prompts: Prompts
    prompt_limit: int | None = None
    writer: Writer | None = None
    chooser: Chooser | None = None
    decoding: DecodingOptions = DecodingOptions()  # noqa: RUF009  (frozen)
    blocks: int = 4
    threads: int | None = None
