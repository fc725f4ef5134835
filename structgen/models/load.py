"""`load`: a model by its name on the Hugging Face Hub, by folder, or the embedded one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from structgen.collector import resting
from structgen.errors import InvalidOption, ModelNotFound, StructgenError
from structgen.model import Model
from structgen.models.causal import causal
from structgen.models.diffusion_gemma import diffusion_gemma
from structgen.models.embedded import NAME, embedded
from structgen.models.hosted import MAX_DISTANCE, PREFIX, hosted
from structgen.models.hub import fetched, is_hub_name
from structgen.models.llada import llada
from structgen.models.placement import Placement

DIFFUSION_GEMMA, LLADA = "diffusion_gemma", "llada"


def load(
    name: str | Path | None = None,
    *,
    device: str = "auto",
    dtype: str | None = None,
    device_map: str | Mapping[str, Any] | None = None,
    thinking: bool = False,
    revision: str | None = None,
    model: str | None = None,
    max_distance: float = MAX_DISTANCE,
) -> Model:
    """A model with its verbs.

    name: omitted for the embedded model (offline, CPU); a folder or a .gguf file of weights; or a name on the
        Hugging Face Hub such as "google/diffusiongemma-26B-A4B-it", at a `revision` if one is given
    device: "cpu", "cuda", …, or "auto" for the first GPU if there is one
    dtype: of the weights of DiffusionGemma or LLaDA; as stored by default
    device_map: how to spread DiffusionGemma over devices, as in accelerate
    model: the name of a model at an endpoint of OpenAI's protocol, which is named "openai:https://host/v1"; its key is
        read from STRUCTGEN_API_KEY, or OPENAI_API_KEY and NVIDIA_API_KEY for the hosts of these companies
    max_distance: how far a hosted model's reply may be from the nearest valid text, in letters replaced
    thinking: whether DiffusionGemma's answers may begin with a thought, which is not part of the text

    Raises ModelNotFound if there is no model of that name that structgen can run, and InvalidOption if there is no such
    device or option.
    """
    if isinstance(name, str) and name.startswith(PREFIX):
        return hosted(name, model, max_distance)
    if model is not None:
        raise InvalidOption('model names a model at an endpoint: load "openai:https://host/v1"')
    _check_device(device)
    placement = Placement(device, dtype, device_map, thinking)
    if name is None:
        with resting():
            return embedded(None, placement)
    if not isinstance(name, str | os.PathLike):
        raise ModelNotFound(f"a model is named by a string or a path, not {type(name).__name__}")
    try:
        with resting():
            return _at(_local(name, revision), placement, name)
    except StructgenError:
        raise
    except Exception as error:  # weights of unknown origin can break anything
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
    """The path of the files; a name of the form owner/name that is not a folder is looked up on the Hub."""
    path = Path(name)
    if path.exists() or isinstance(name, Path) or not is_hub_name(str(name)):
        return path
    return fetched(str(name), revision)


def _at(path: Path, placement: Placement, asked: str | Path) -> Model:
    """The model in a folder or a .gguf file, named after its file or by its name on the Hub."""
    name = path.name if Path(asked).exists() else str(asked)
    if path.suffix == ".gguf" and path.is_file():
        return causal(path, placement, name)
    if not path.is_dir():
        raise ModelNotFound(
            f"no model folder or .gguf file at {str(path)!r}, and a model on the Hugging Face Hub is named owner/name; "
            "without a name the embedded model is loaded"
        )
    kind = _model_type(path)
    if kind == NAME:
        return embedded(path, placement)
    if kind == DIFFUSION_GEMMA:
        return diffusion_gemma(path, placement, name)
    if kind == LLADA:
        return llada(path, placement, name)
    return causal(path, placement, name)


def _model_type(folder: Path) -> str:
    """The model_type that the folder's config.json names."""
    try:
        config = json.loads((folder / "config.json").read_text())
        return str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelNotFound(
            f"{folder} holds no model: it has no config.json that names a model_type"
        ) from None
