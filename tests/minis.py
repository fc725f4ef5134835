"""Toy models that fill layouts: any denoiser, with constants of their own, so that new weights change no test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from structgen.generation.chooser import ProbeChooser
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts, readings, spelling_of
from structgen.sources import as_source
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser, RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions
from structgen_mini import mini_folder
from structgen_mini.canvas import Canvas
from structgen_mini.constants import (
    Alternatives,
    Confidence,
    Constants,
    Copies,
    Counting,
    Doubting,
    Layouts,
    Listings,
    ReadingNats,
    Slots,
    SlotSizes,
)
from structgen_mini.outline import Outline
from structgen_mini.writer import MiniWriter

SLOTS = SlotSizes(
    string=14,
    item_string=10,
    integer=6,
    item_integer=4,
    number=8,
    boolean=1,
    date=10,
    time=9,
    date_time=20,
    email=14,
    any=16,
    nullable=2,
    items=5,
    nested_items=2,
)
SNUG = replace(SLOTS, string=8, item_string=6, integer=4, item_integer=3, number=6, email=10, any=8)
CONSTANTS = Constants(
    Slots(usual=SLOTS, snug=SNUG),
    Layouts(canvases=4, growth=2, attempts=6),
    Copies(
        penalty=6.0,
        over=1.0,
        crowding=3.0,
        away=4.0,
        unstated=2.0,
        line=1.0,
        gap=2.0,
        word=0.02,
        record_words=80,
        choices=20_000,
        short=2,
    ),
    ReadingNats(span=1.0, option=1.0, most=12.0, offered=3, absent=0.5),
    Counting(whole=3.4, alone=0.4, torn=2.4, certainty=0.055, least=200.0),
    Listings(likely=0.6, likely_map=0.25, named=6.0, part=15.0, cell=100.0, read=0.5, absent=0.5, item=0.3),
    Alternatives(keenness=20.0),
    Confidence(temperature=3.6, shift=0.66),
    Doubting(least=-2.6, margin=1.0, reading=0.3),
)
Overlap = Callable[[str, Sequence[str]], Sequence[float]]


def filler(
    denoiser: Denoiser,
    vocabulary: Vocabulary,
    overlap: Overlap | None = None,
    *,
    copies: bool = False,
    constants: Constants = CONSTANTS,
) -> Model:
    """A model that fills layouts as the embedded one does."""
    writer = MiniWriter(
        Canvas(denoiser, spelling_of(vocabulary), readings(), constants), overlap, copies=copies
    )
    chooser = ProbeChooser(denoiser, writer.pinned)
    return Model("filler", denoiser, vocabulary, OutlinePrompts(), None, writer, chooser)


def toy(overlap: Overlap | None = None, **options: Any) -> Model:
    """A filler that knows nothing: its logits are small noise. It spells as the embedded model does."""
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 256, vocabulary.size, scale=0.1)
    return filler(denoiser, vocabulary, overlap, **options)


def hasty() -> Model:
    """A filler that knows nothing and takes one step for a short block, so that an answer takes milliseconds."""
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 64, vocabulary.size, scale=0.1)
    constants = replace(CONSTANTS, layouts=Layouts(canvases=1, growth=2, attempts=1))
    return replace(
        filler(denoiser, vocabulary, constants=constants), decoding=DecodingOptions(steps=1), blocks=1
    )


def outlined(source: Any) -> Outline:
    """The outline of a schema or a type, as the embedded model's package has it."""
    return Outline.of(as_source(source).outline().plain())  # type: ignore[attr-defined]


def canvas_of(model: Model) -> Canvas:
    """What a model fills."""
    assert isinstance(model.writer, MiniWriter)
    return model.writer.canvas
