"""`load`: a model by name, by folder, or the embedded one."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from structgen.cache import cache_folder
from structgen.errors import InvalidOption, ModelNotFound, StructgenError
from structgen.generator import Generator
from structgen.prompt import ChatPrompts, OutlinePrompts
from structgen.vocabulary import Vocabulary

EMBEDDED = "structgen-mini"
CAUSAL_BUDGET = 512  # tokens where the caller names none; a causal model's blocks are short
ABOUT_EMBEDDED = (
    "the embedded default, a small block-diffusion model that copies out of documents and knows nothing"
)


def load(name: str | Path | None = None, *, device: str = "auto") -> Generator:
    """A model with its verbs.

    name: nothing for the embedded model (offline, CPU); a folder or a .gguf file of weights
    device: "cpu", "cuda", …, or "auto" for the first GPU if there is one

    Raises ModelNotFound where there is nothing, or nothing that structgen can run, at that name, and InvalidOption
    where there is no such device.
    """
    _check_device(device)
    if name is None:
        return _embedded(None, device)
    if not isinstance(name, str | os.PathLike):
        raise ModelNotFound(f"a model is named by a string or a path, not {type(name).__name__}")
    try:
        return _at(Path(name), device)
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


def _at(path: Path, device: str) -> Generator:
    """The model in a folder or a .gguf file."""
    if path.suffix == ".gguf" and path.is_file():
        return _causal(path, device)
    if not path.is_dir():
        raise ModelNotFound(
            f"no model folder or .gguf file at {str(path)!r}, and names on the Hugging Face Hub are not looked up yet; "
            "without a name the embedded model is loaded"
        )
    kind = _model_type(path)
    if kind == EMBEDDED:
        return _embedded(path, device)
    return _causal(path, device)


def _model_type(folder: Path) -> str:
    """The model_type that the folder's config.json names."""
    try:
        config = json.loads((folder / "config.json").read_text())
        return str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelNotFound(
            f"{folder} holds no model: it has no config.json that names a model_type"
        ) from None


def _embedded(folder: Path | None, device: str) -> Generator:
    from structgen_engine.decode import Schedule
    from structgen_engine.models.mini import MiniDenoiser, load_mini, mini_folder

    denoiser = MiniDenoiser(load_mini(folder, device="cpu" if device == "auto" else device))
    vocabulary = Vocabulary.from_file((folder or mini_folder()) / "tokenizer.json")
    return Generator(
        EMBEDDED,
        denoiser,
        vocabulary,
        OutlinePrompts(),
        denoiser.prompt_limit,
        scaffolds=True,
        temperature=Schedule(0.3, 0.3),
        pace=Schedule(0.0, 1.0),
        about=ABOUT_EMBEDDED,
    )


def _causal(path: Path, device: str) -> Generator:
    from structgen_engine.models.causal import CausalDenoiser

    denoiser, tokenizer_file, template = CausalDenoiser.from_pretrained(
        path, _tokenizer_folder(path), device=device
    )
    vocabulary = Vocabulary.from_file(tokenizer_file)
    about = "a causal language model read as a parallel denoiser, a slow baseline"
    return Generator(
        path.name,
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
