"""Models that fill layouts, around any denoiser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from structgen.generation.chooser import ProbeChooser
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts, spelling_of
from structgen.sources import as_source
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_mini import mini_folder
from structgen_mini.canvas import Canvas
from structgen_mini.constants import Constants
from structgen_mini.outline import Outline
from structgen_mini.writer import MiniWriter

CONSTANTS = Constants.read(mini_folder())
SLOTS = CONSTANTS.slots.usual
Overlap = Callable[[str, Sequence[str]], Sequence[float]]


def filler(denoiser: Denoiser, vocabulary: Vocabulary, overlap: Overlap | None = None) -> Model:
    """A model that fills layouts as the embedded one does, without copies."""
    writer = MiniWriter(Canvas(denoiser, spelling_of(vocabulary), CONSTANTS), overlap, copies=False)
    chooser = ProbeChooser(denoiser, writer.pinned)
    return Model("filler", denoiser, vocabulary, OutlinePrompts(), None, writer, chooser)


def outlined(source: Any) -> Outline:
    """The outline of a schema or a type, as the embedded model's package has it."""
    return Outline.of(as_source(source).outline().plain())  # type: ignore[attr-defined]


def canvas_of(model: Model) -> Canvas:
    """What a model fills."""
    assert isinstance(model.writer, MiniWriter)
    return model.writer.canvas
