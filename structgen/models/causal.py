"""Causal language models of transformers, used as parallel denoisers: a slow baseline."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from structgen.cache import cache_folder
from structgen.generation.chooser import LikelihoodChooser
from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen.models.placement import Placement
from structgen.sources.tools.forms import family_form
from structgen.tokens.vocabulary import Vocabulary

BUDGET = 512  # default tokens; a causal model's blocks are short


def causal(path: Path, placement: Placement, name: str) -> Model:
    """The causal language model in a folder or a .gguf file."""
    from structgen_engine.models.causal import CausalDenoiser

    device = placement.only_device("a causal language model")

    denoiser, tokenizer_file, template = CausalDenoiser.from_pretrained(
        path, _tokenizer_folder(path), device=device
    )
    vocabulary = Vocabulary.from_file(tokenizer_file)
    about = "a causal language model read as a parallel denoiser, a slow baseline"
    return Model(
        name,
        denoiser,
        vocabulary,
        ChatPrompts(template),
        denoiser.prompt_limit,
        chooser=LikelihoodChooser(denoiser),
        blocks=BUDGET // denoiser.block_length,
        form=family_form(vocabulary.special, _chat_template(path)),
        about=about,
    )


def _chat_template(path: Path) -> str:
    """The source of the chat template in a checkpoint's folder; empty if it has none."""
    for name in ("chat_template.jinja", "tokenizer_config.json"):
        if (path / name).is_file():
            return (path / name).read_text(encoding="utf-8")
    return ""


def _tokenizer_folder(path: Path) -> Path:
    """The folder for the tokenizer of these weights; a temporary one if the cache is off."""
    folder = cache_folder() or Path(tempfile.mkdtemp())
    status = path.stat()
    key = hashlib.blake2b(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode(), digest_size=16)
    return folder / "tokenizer" / key.hexdigest()
