"""DiffusionGemma: a block-diffusion language model that follows instructions."""

from __future__ import annotations

from pathlib import Path

from structgen.errors import ModelNotFound
from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen.models.placement import Placement
from structgen.sources.tools.forms import family_form
from structgen.tokens.vocabulary import Vocabulary


def diffusion_gemma(path: Path, placement: Placement, name: str) -> Model:
    """The DiffusionGemma model in a folder."""
    from structgen_engine.decoding.options import DecodingOptions
    from structgen_engine.models.diffusion_gemma import DiffusionGemmaDenoiser, NotLoadable, chat_template

    try:
        denoiser = DiffusionGemmaDenoiser.from_pretrained(
            path, device=placement.device, dtype=placement.dtype or "auto", device_map=placement.device_map
        )
    except NotLoadable as error:
        raise ModelNotFound(f"the model in {path} cannot be loaded: {error}") from None
    vocabulary = Vocabulary.from_file(path / "tokenizer.json").narrowed(denoiser.vocabulary_size)
    sampling, template = denoiser.sampling, chat_template(path, thinking=placement.thinking)
    return Model(
        name,
        denoiser,
        vocabulary.prefaced(template, thinking=placement.thinking),
        ChatPrompts(template),
        denoiser.prompt_limit,
        decoding=DecodingOptions(
            steps=sampling.steps, temperature=sampling.temperature, policy=sampling.policy
        ),
        form=family_form(vocabulary.special),
        about="DiffusionGemma, a block-diffusion language model that follows instructions",
    )
