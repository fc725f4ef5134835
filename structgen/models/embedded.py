"""The embedded model: structgen_mini with its own prompts and its own ways of filling a canvas."""

from __future__ import annotations

from pathlib import Path

from structgen.generation.prompts import OutlinePrompts
from structgen.model import Generator
from structgen.models.placement import Placement
from structgen.tokens.vocabulary import Vocabulary

NAME = "structgen-mini"
ABOUT = (
    "the embedded default, a small block-diffusion model that copies out of documents and knows little else"
)


def embedded(folder: Path | None, placement: Placement) -> Generator:
    """The embedded model, or one of its kind in a folder."""
    from structgen_engine.decoding.options import Schedule, StoppingRule
    from structgen_mini import mini_denoiser, mini_folder

    device = placement.only_device("the embedded model")
    vocabulary = Vocabulary.from_file((folder or mini_folder()) / "tokenizer.json")
    denoiser = mini_denoiser(folder, "cpu" if device == "auto" else device)
    return Generator(
        NAME,
        denoiser,
        vocabulary,
        OutlinePrompts(),
        denoiser.prompt_limit,
        scaffolds=True,
        copier=True,
        overlap=denoiser.overlap,
        temperature=Schedule(0.3, 0.3),
        pace=Schedule(0.0, 1.0),
        steps=6,
        stop=StoppingRule(entropy=0.1),
        threads=1,
        about=ABOUT,
    )
