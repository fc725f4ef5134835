"""The parts of a model that generating needs: denoiser, vocabulary, prompts, and ways to write and choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, Self

from structgen.generation.chooser import Chooser
from structgen.generation.prompts import Fillable, Prompts
from structgen.generation.remote import Remote
from structgen.generation.request import Writer
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.options import DecodingOptions


class Finding(Protocol):
    """What was read of a document, field by field."""

    def __call__(self, pointer: str, places: Sequence[tuple[int, int]], /) -> float | None:
        """The log-probability that the field at a pointer is stated at one of some places, characters start … end − 1.

        None if the field was not read.
        """
        ...


@dataclass(frozen=True, eq=False)
class Runtime:
    """A denoiser with its vocabulary, its prompts and its defaults.

    prompt_limit: most prompt tokens that the model reads, None for no limit
    window: prompt tokens of a part of a document that is longer; None for the limit
    writer: how it fills blocks, None for an empty canvas; chooser: how it weighs answers, None for the probe
    decoding: default options; blocks: default budget in blocks
    threads: CPU threads that a command gives the model, None for torch's default
    form: how the model writes tool calls (see Tools)
    fills: whether it writes the text of a filled template, or an object of the values, around which the text is put
    concerns: whether a request concerns one of several tools, by their descriptions; None if the model itself decides
    doubt: the least support of a value, how much more it needs than a rival's, and how much a nat of `finds` adds to
    it; nats a token, None if unknown
    finds: reads a document for the fields of an outline; None if the model cannot
    remote: the model that writes whole texts elsewhere, None for one that runs here
    absent: how likely a document is not to state each field of a source, 0 … 1, by JSON pointer with * for the items of
    a list; None if the model cannot say
    calibration: temperature and shift that make the log-odds of a confidence those of being right, None if unknown
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
    window: int | None = None
    form: str = "json"
    fills: Literal["text", "object"] = "text"
    concerns: Callable[[str, Sequence[str]], bool] | None = None
    absent: Callable[[Fillable, str], Mapping[str, float]] | None = None
    calibration: tuple[float, float] | None = None
    doubt: tuple[float, float, float] | None = None
    finds: Callable[[Mapping[str, Any], str], Finding] | None = None
    remote: Remote | None = None

    def over(self, denoiser: Denoiser) -> Self:
        """The same runtime with another denoiser of this model: that of a row which shares its passes with others."""
        writer = self.writer and self.writer.over(denoiser)
        chooser = self.chooser and self.chooser.over(denoiser)
        return replace(self, denoiser=denoiser, writer=writer, chooser=chooser)
