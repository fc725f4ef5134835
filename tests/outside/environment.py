"""The environment of the suites, apart from the project's own, and the source of OpenAI's client with its tests."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITES = (
    "aiohttp",
    "httpx",
    "httpx-aiohttp",
    "inline-snapshot",
    "jevbench==0.1.0",
    "langchain-openai>=1.1",
    "langchain-tests>=1.1,<2",
    "langextract",
    "openai>=3,<4",
    "pytest",
    "pytest-asyncio",
    "respx",
    "rich",
    "schemathesis>=4.32",
    "trio",
)


def made(folder: Path) -> Path:
    """The python of the environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *SUITES], check=True)
    return python


def openai_source(folder: Path, python: Path) -> Path:
    """The unpacked source distribution of the newest OpenAI client, which holds its tests."""
    packed = folder / "sdist"
    if not any(packed.glob("openai-*/pyproject.toml")):
        pip = [python, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", packed, "openai>=3,<4"], check=True)
        for archive in packed.glob("openai-*.tar.gz"):
            with tarfile.open(archive) as tar:
                tar.extractall(packed, filter="data")
    return max(packed.glob("openai-*/pyproject.toml")).parent
