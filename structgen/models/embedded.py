"""The embedded model: structgen_mini with its own prompts and its own writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structgen.generation.chooser import ProbeChooser
from structgen.generation.prompts import Fillable, Prompt
from structgen.limits.first_run import announce
from structgen.model import Model
from structgen.models.placement import Placement
from structgen.reading.series import series
from structgen.reading.stated import dates, moments, signed_numbers, times
from structgen.reading.truths import truths
from structgen.sources.tools import Tools
from structgen.tokens.vocabulary import Vocabulary

if TYPE_CHECKING:
    from structgen.generation.runtime import Finding
    from structgen_mini.canvas import Readings, Spelling
    from structgen_mini.reader.stored import StoredReader

NAME = "structgen-mini"
WINDOW = 512  # tokens, the longest prompt in training
ABOUT = (
    "the embedded default, a small block-diffusion model that copies out of documents and knows little else"
)

# The largest share of a tool's description, in words of a similar meaning, that a request must have to concern it: of
# BFCL's questions, 98 % have more with some tool; a third of its irrelevant ones, and most small talk, have less.
CONCERNED = 0.45


@dataclass(frozen=True)
class OutlinePrompts:
    """The prompts that the embedded model expects."""

    def extraction(self, source: Fillable, document: str) -> Prompt:
        """An outline of the requested value, then the document."""
        from structgen_mini.outline import Outline
        from structgen_mini.prompt import prompt_text

        return (prompt_text(Outline.of(source.outline().plain()), document),)

    def calls(self, source: Tools, request: str) -> Prompt:
        """An outline of all replies, then the request."""
        return self.extraction(source, request)

    def filling(self, source: Fillable, template: str, context: str) -> Prompt:
        """An outline of the values, then the context."""
        return self.extraction(source, context)

    def plain(self, prompt: str) -> Prompt:
        """The prompt, unchanged."""
        return (prompt,)


def embedded(folder: Path | None, placement: Placement) -> Model:
    """The embedded model, or one of its kind in a folder."""
    from structgen_engine.decoding.options import DecodingOptions, Schedule, StoppingRule
    from structgen_mini import mini_denoiser, mini_folder
    from structgen_mini.canvas import Canvas
    from structgen_mini.constants import Constants
    from structgen_mini.outline import Outline
    from structgen_mini.reader.stored import stored_reader
    from structgen_mini.rehearsal import rehearse
    from structgen_mini.writer import MiniWriter

    device = placement.only_device("the embedded model")
    files = folder or mini_folder()
    vocabulary = Vocabulary.from_file(files / "tokenizer.json")
    denoiser = mini_denoiser(folder, "cpu" if device == "auto" else device)
    constants = Constants.read(files)
    canvas = Canvas(denoiser, spelling_of(vocabulary), readings(), constants)
    overlap = denoiser.overlap
    reader = stored_reader(files)
    writer = MiniWriter(canvas, overlap, reader=reader)
    options = DecodingOptions(
        steps=6,
        temperature=Schedule(0.3, 0.3),
        pace=Schedule(0.0, 1.0),
        stop=StoppingRule(entropy=0.1, sure=0.01),
    )
    announce()
    rehearse(canvas, options)
    return Model(
        NAME,
        denoiser,
        vocabulary,
        OutlinePrompts(),
        denoiser.prompt_limit,
        writer,
        ProbeChooser(denoiser, writer.pinned),
        options,
        threads=1,
        concerns=None
        if overlap is None
        else lambda text, described: max(overlap(text, described)) >= CONCERNED,
        window=WINDOW,
        fills="object",
        absent=None
        if reader is None
        else lambda source, document: reader(Outline.of(source.outline().plain()), document).absent,
        calibration=(constants.confidence.temperature, constants.confidence.shift),
        doubt=(constants.doubt.least, constants.doubt.margin, constants.doubt.reading),
        finds=None if reader is None else partial(finding, reader),
        about=ABOUT,
    )


def finding(reader: StoredReader, outline: Mapping[str, Any], document: str) -> Finding:
    """What the reader finds of the fields of an outline in a document."""
    from structgen_mini.outline import Outline

    asked = Outline.of(outline)
    reading = reader(asked, document)

    def found(pointer: str, places: Sequence[tuple[int, int]]) -> float | None:
        field = reading.of(asked, pointer)
        return (
            None if field is None or not field.views or not places else float(field.nats(tuple(places)).max())
        )

    return found


def weights_file() -> Path:
    """The path of the embedded model's weights."""
    from structgen_mini import mini_folder

    return mini_folder() / "model.safetensors"


def most_prompt_tokens() -> int:
    """The longest prompt that the embedded model reads, in tokens."""
    from structgen_mini.denoiser import PROMPT_LIMIT

    return PROMPT_LIMIT


def spelling_of(vocabulary: Vocabulary) -> Spelling:
    """The parts of the vocabulary that a canvas needs."""
    from structgen_mini.canvas import Spelling

    special = vocabulary.special
    null, end, pad = (
        -1 if name is None else special[name] for name in (vocabulary.null, vocabulary.end, vocabulary.pad)
    )
    pieces = map(vocabulary.spelling, range(vocabulary.size))
    escapes = [index for index, piece in enumerate(pieces) if any(one < 32 or one == 92 for one in piece)]
    return Spelling(vocabulary.encode, vocabulary.decode, null, end, pad, escapes)


def readings() -> Readings:
    """What a canvas needs to know of a document's statements."""
    from structgen_mini.canvas import ListedSeries, Readings

    def listed(text: str) -> list[ListedSeries]:
        return [ListedSeries(one.kind, one.parts, one.head) for one in series(text)]

    return Readings(
        partial(signed_numbers, whole=False),
        partial(signed_numbers, whole=True),
        dates,
        times,
        moments,
        truths,
        listed,
    )
