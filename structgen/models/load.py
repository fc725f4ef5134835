"""`load`: a model by its name on the Hugging Face Hub, by folder, or the embedded one."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structgen.cache import cache_folder
from structgen.errors import InvalidOption, ModelNotFound, StructgenError
from structgen.generation.prompts import ChatPrompts, OutlinePrompts
from structgen.model import Generator
from structgen.models.hub import fetched, is_hub_name
from structgen.tokens.vocabulary import Vocabulary

EMBEDDED = "structgen-mini"
DIFFUSION_GEMMA, LLADA = "diffusion_gemma", "llada"
LLADA_TURN = (
    "<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
LLADA_BUDGET = 512  # tokens where the caller names none
CAUSAL_BUDGET = 512  # tokens where the caller names none; a causal model's blocks are short
ABOUT_EMBEDDED = (
    "the embedded default, a small block-diffusion model that copies out of documents and knows little else"
)


@dataclass(frozen=True)
class Placement:
    """Where and how a model is loaded; None for what the caller left open."""

    device: str = "auto"
    dtype: str | None = None
    device_map: str | Mapping[str, Any] | None = None
    thinking: bool = False

    def only_device(self, family: str, *, but: str = "") -> str:
        """The device; InvalidOption where more was asked of a family that has no such choice, `but` this one."""
        for option in ("dtype", "device_map", "thinking"):
            if option != but and getattr(self, option):
                raise InvalidOption(f"{family} has no option {option}: leave it out")
        return self.device


def load(
    name: str | Path | None = None,
    *,
    device: str = "auto",
    dtype: str | None = None,
    device_map: str | Mapping[str, Any] | None = None,
    thinking: bool = False,
    revision: str | None = None,
) -> Generator:
    """A model with its verbs.

    name: nothing for the embedded model (offline, CPU); a folder or a .gguf file of weights; or a name on the
    Hugging Face Hub such as "google/diffusiongemma-26B-A4B-it", at a `revision` if one is given
    device: "cpu", "cuda", …, or "auto" for the first GPU if there is one
    For DiffusionGemma: dtype of the weights (for LLaDA too), as stored unless given; device_map, to spread them over
    devices as accelerate does; thinking, whether answers may begin with a thought, which is not part of the text

    Raises ModelNotFound where there is nothing, or nothing that structgen can run, at that name, and InvalidOption
    where there is no such device or option.
    """
    _check_device(device)
    placement = Placement(device, dtype, device_map, thinking)
    if name is None:
        return _embedded(None, placement)
    if not isinstance(name, str | os.PathLike):
        raise ModelNotFound(f"a model is named by a string or a path, not {type(name).__name__}")
    try:
        return _at(_local(name, revision), placement, name)
    except StructgenError:
        raise
    except Exception as error:  # whatever weights of another origin can break
        raise ModelNotFound(
            f"the model in {name} cannot be loaded: {type(error).__name__}: {error}"
        ) from error


def _check_device(device: str) -> None:
    import torch

    if device == "auto":
        return
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError):
        raise InvalidOption(f'{device!r} is no device: name one as "cpu", "cuda" or "auto"') from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise InvalidOption(f'the device {device!r} is not available here: take "cpu" or "auto"')


def _local(name: str | Path, revision: str | None) -> Path:
    """Where the files lie; what has the form owner/name and is no folder is looked up on the Hub."""
    path = Path(name)
    if path.exists() or isinstance(name, Path) or not is_hub_name(str(name)):
        return path
    return fetched(str(name), revision)


def _at(path: Path, placement: Placement, asked: str | Path) -> Generator:
    """The model in a folder or a .gguf file; called by the name of its file, or by its name on the Hub."""
    name = path.name if Path(asked).exists() else str(asked)
    if path.suffix == ".gguf" and path.is_file():
        return _causal(path, placement, name)
    if not path.is_dir():
        raise ModelNotFound(
            f"no model folder or .gguf file at {str(path)!r}, and a model on the Hugging Face Hub is named owner/name; "
            "without a name the embedded model is loaded"
        )
    kind = _model_type(path)
    if kind == EMBEDDED:
        return _embedded(path, placement)
    if kind == DIFFUSION_GEMMA:
        return _diffusion_gemma(path, placement, name)
    if kind == LLADA:
        return _llada(path, placement, name)
    return _causal(path, placement, name)


def _model_type(folder: Path) -> str:
    """The model_type that the folder's config.json names."""
    try:
        config = json.loads((folder / "config.json").read_text())
        return str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelNotFound(
            f"{folder} holds no model: it has no config.json that names a model_type"
        ) from None


def _embedded(folder: Path | None, placement: Placement) -> Generator:
    from structgen_engine.decoding.loop import Schedule, StoppingRule
    from structgen_mini import mini_denoiser, mini_folder

    device = placement.only_device("the embedded model")
    vocabulary = Vocabulary.from_file((folder or mini_folder()) / "tokenizer.json")
    denoiser = mini_denoiser(folder, "cpu" if device == "auto" else device)
    return Generator(
        EMBEDDED,
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
        about=ABOUT_EMBEDDED,
    )


def _diffusion_gemma(path: Path, placement: Placement, name: str) -> Generator:
    from structgen_engine.models.diffusion_gemma import DiffusionGemmaDenoiser, NotLoadable, chat_template

    try:
        denoiser = DiffusionGemmaDenoiser.from_pretrained(
            path, device=placement.device, dtype=placement.dtype or "auto", device_map=placement.device_map
        )
    except NotLoadable as error:
        raise ModelNotFound(f"the model in {path} cannot be loaded: {error}") from None
    vocabulary = Vocabulary.from_file(path / "tokenizer.json").narrowed(denoiser.vocabulary_size)
    sampling, template = denoiser.sampling, chat_template(path, thinking=placement.thinking)
    return Generator(
        name,
        denoiser,
        vocabulary.prefaced(template, thinking=placement.thinking),
        ChatPrompts(template),
        denoiser.prompt_limit,
        temperature=sampling.temperature,
        steps=sampling.steps,
        policy=sampling.policy,
        about="DiffusionGemma, a block-diffusion language model that follows instructions",
    )


def _llada(path: Path, placement: Placement, name: str) -> Generator:
    from structgen_engine.decoding.loop import Schedule
    from structgen_engine.decoding.policy import TopK
    from structgen_engine.models.llada import LladaDenoiser

    denoiser = LladaDenoiser.from_pretrained(
        path, device=placement.only_device("LLaDA", but="dtype"), dtype=placement.dtype or "bfloat16"
    )
    return Generator(
        name,
        denoiser,
        Vocabulary.from_file(path / "tokenizer.json").narrowed(denoiser.vocabulary_size),
        ChatPrompts(LLADA_TURN),
        denoiser.prompt_limit,
        blocks=LLADA_BUDGET // denoiser.block_length,
        temperature=Schedule(1.0, 1.0),
        steps=denoiser.block_length,
        policy=TopK(1),
        about="LLaDA, a language model that fills masked positions, block by block",
    )


def _causal(path: Path, placement: Placement, name: str) -> Generator:
    from structgen_engine.models.causal import CausalDenoiser

    device = placement.only_device("a causal language model")

    denoiser, tokenizer_file, template = CausalDenoiser.from_pretrained(
        path, _tokenizer_folder(path), device=device
    )
    vocabulary = Vocabulary.from_file(tokenizer_file)
    about = "a causal language model read as a parallel denoiser, a slow baseline"
    return Generator(
        name,
        denoiser,
        vocabulary,
        ChatPrompts(template),
        denoiser.prompt_limit,
        blocks=CAUSAL_BUDGET // denoiser.block_length,
        about=about,
    )


def _tokenizer_folder(path: Path) -> Path:
    """Where the tokenizer of these weights is kept; a folder that is soon forgotten where nothing is cached."""
    folder = cache_folder() or Path(tempfile.mkdtemp())
    status = path.stat()
    key = hashlib.blake2b(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode(), digest_size=16)
    return folder / "tokenizer" / key.hexdigest()
