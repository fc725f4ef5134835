"""The embedded denoiser: a small copier that fills schemas offline and on a CPU; see README.md beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.overrides import TorchFunctionMode

from structgen_mini.denoiser import MiniDenoiser
from structgen_mini.lexicon import WORDS, Lexicon
from structgen_mini.model import Memory, Mini, MiniConfig

__all__ = [
    "WORDS",
    "Lexicon",
    "Memory",
    "Mini",
    "MiniConfig",
    "MiniDenoiser",
    "load_mini",
    "mini_denoiser",
    "mini_folder",
]


class Uninitialised(TorchFunctionMode):
    """A mode in which torch.nn.init leaves parameters as they are, because a file has them.

    The meta device would do the same, but its first use imports sympy, which takes longer than all initialisations.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The call, unless it is one of torch.nn.init."""
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


SCALE = ".scale"  # appended to the name of a matrix: the scales of its rows


def mini_denoiser(folder: str | Path | None = None, device: str | torch.device = "cpu") -> MiniDenoiser:
    """The model of a folder (the embedded one by default) behind the interface of `Denoiser`."""
    model = load_mini(folder, device)
    words = Path(folder) if folder is not None else mini_folder()
    return MiniDenoiser(model, Lexicon.read(words) if model.config.words else None)


def mini_folder() -> Path:
    """The folder with the embedded model's files."""
    return Path(__file__).parent / "weights"


def load_mini(path: str | Path | None = None, device: str | torch.device = "cpu") -> Mini:
    """Read config.json and model.safetensors of a folder (the embedded weights by default), in float32.

    Matrices are stored as 8-bit integers with one scale a row, everything else in float16.
    """
    folder = Path(path) if path is not None else mini_folder()
    config = MiniConfig(**json.loads((folder / "config.json").read_text())["model"])
    with Uninitialised():
        model = Mini(config)
    stored = load_file(folder / "model.safetensors", device=str(device))
    weights = {
        name: weight.float() * stored[name + SCALE].float()[:, None]
        if name + SCALE in stored
        else weight.float()
        for name, weight in stored.items()
        if not name.endswith(SCALE)
    }
    model.load_state_dict(weights, assign=True)
    return model.to(device).eval().requires_grad_(False)
