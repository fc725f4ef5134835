"""A tiny random DiffusionGemma as a folder that vLLM serves: `python -m real_vllm.checkpoint FOLDER`.

With Gemma's vocabulary where the data for tests is there, with a small one of bytes elsewhere.
"""

from __future__ import annotations

import gzip
import importlib
import sys
import tempfile
from pathlib import Path

from tiny_gemma import HEAD, SPECIAL, gemma4_tokenizer, save_checkpoint, small_tokenizer, tiny_model

GEMMA3 = Path(__file__).parents[3] / "shared" / "data" / "gemma3.tokenizer.json.gz"
GEMMA_SIZE = 262_144
STEPS = 3


def make(folder: Path) -> None:
    """Write the checkpoint. Attention heads are as wide as vLLM's CPU kernels want them."""
    module = importlib.import_module("transformers.models.diffusion_gemma.generation_diffusion_gemma")
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer = Path(scratch) / "tokenizer.json"
        if GEMMA3.exists():
            gemma3 = Path(scratch) / "gemma3.json"
            gemma3.write_bytes(gzip.decompress(GEMMA3.read_bytes()))
            gemma4_tokenizer(gemma3, tokenizer)
            size, ends = GEMMA_SIZE, [1, 106, 50]
        else:
            print(f"{GEMMA3} is absent: a vocabulary of single bytes takes its place")
            small_tokenizer(tokenizer)
            size, ends = HEAD, [SPECIAL.index("<eos>"), SPECIAL.index("<turn|>")]
        save_checkpoint(
            folder,
            tiny_model(vocabulary=size, hidden=64, head=64),
            tokenizer,
            eos_token_id=ends,
            max_denoising_steps=STEPS,
            sampler_config=module.EntropyBoundSamplerConfig(entropy_bound=0.1),
            t_min=0.4,
            t_max=0.8,
            stability_threshold=1,
            confidence_threshold=0.005,
        )


if __name__ == "__main__":
    make(Path(sys.argv[1]))
