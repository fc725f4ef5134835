"""What generating needs of a model: a denoiser with its vocabulary, its form of prompts and its ways of decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from structgen.generation.prompts import Prompts
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.options import Schedule, StoppingRule
from structgen_engine.decoding.policy import Policy


@dataclass(frozen=True, eq=False)
class Runtime:
    """A denoiser with its vocabulary and its form of prompts.

    prompt_limit: the most prompt tokens the model reads, None for no limit
    blocks: blocks of budget where the caller names none
    steps: refinement steps a block at most, where the caller names none
    threads: of the CPU, that a command gives the model; None for as many as torch takes
    temperature, pace, policy: of decoding; see `structgen_engine.decoding.loop.decode`
    """

    name: str
    denoiser: Denoiser
    vocabulary: Vocabulary
    prompts: Prompts
    prompt_limit: int | None = None
    scaffolds: bool = False  # whether the model was trained to fill scaffolds
    copier: bool = False  # whether text and numbers in slots are copies of the document's as a rule
    overlap: Callable[[str, Sequence[str]], Sequence[float]] | None = (
        None  # of a text with each of some others, 0 … 1
    )
    blocks: int = 4
    temperature: Schedule = Schedule()  # noqa: RUF009  (frozen)
    pace: Schedule | None = None
    steps: int = 16
    stop: StoppingRule | None = None
    policy: Policy | None = None
    threads: int | None = None

    @property
    def null_id(self) -> int:
        """The zero-width token that fills slots, −1 where the vocabulary has none."""
        null = self.vocabulary.null
        return -1 if null is None else self.vocabulary.special[null]
