"""LLaDA: a language model that fills masked positions, block by block."""

from __future__ import annotations

from pathlib import Path

from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen.models.placement import Placement
from structgen.tokens.vocabulary import Vocabulary

TURN = (
    "<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
BUDGET = 512  # default tokens


def llada(path: Path, placement: Placement, name: str) -> Model:
    """The LLaDA model in a folder."""
    from structgen_engine.decoding.options import DecodingOptions
    from structgen_engine.decoding.policy import TopK
    from structgen_engine.models.llada import LladaDenoiser

    denoiser = LladaDenoiser.from_pretrained(
        path, device=placement.only_device("LLaDA", but="dtype"), dtype=placement.dtype or "bfloat16"
    )
    return Model(
        name,
        denoiser,
        Vocabulary.from_file(path / "tokenizer.json").narrowed(denoiser.vocabulary_size),
        ChatPrompts(TURN),
        denoiser.prompt_limit,
        blocks=BUDGET // denoiser.block_length,
        decoding=DecodingOptions(steps=denoiser.block_length, temperature=1.0, policy=TopK(1)),
        about="LLaDA, a language model that fills masked positions, block by block",
    )
