"""Write a checkpoint's averaged weights as the embedded model.

PYTHONPATH=.:engine python -m training.export runs/mini/checkpoint.pt
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from structgen_mini import SCALE, WORDS
from structgen_mini.constants import CONSTANTS
from training.canvases import BUCKETS
from training.tokenizer import EOS, NULL, PAD, PATH


def export(checkpoint: Path, folder: Path = PATH.parent) -> int:
    """EMA weights, config.json and what goes with them into a folder; returns the step they were taken at."""
    saved = torch.load(checkpoint, weights_only=False)
    weights = stored(saved["ema"])
    config = {
        "model_type": "structgen-mini",
        "model": saved["config"]["model"],
        "pad_id": PAD,
        "eos_id": EOS,
        "null_id": NULL,
        "max_prompt": BUCKETS[-1].prompt,
        "max_canvas": BUCKETS[-1].canvas,
        "trained": {
            "steps": saved["step"],
            "prompts": saved["prompts"],
            "minutes": round(saved["elapsed"] / 60, 1),
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.part")
    (folder / "model.part").replace(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in (PATH.name, WORDS, CONSTANTS):
        if folder.resolve() != PATH.parent:
            shutil.copy(PATH.with_name(name), folder / name)
    return saved["step"]


def stored(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as 8-bit integers with one float16 scale a row, everything else in float16."""
    result = {}
    for name, weight in weights.items():
        if weight.ndim != 2:
            result[name] = weight.half().contiguous()
            continue
        scale = (weight.abs().amax(1) / 127).clamp_min(1e-7).half()
        result[name] = (weight / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8).contiguous()
        result[name + SCALE] = scale
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--folder", type=Path, default=PATH.parent)
    options = parser.parse_args()
    print(f"exported step {export(options.checkpoint, options.folder)} to {options.folder}")
