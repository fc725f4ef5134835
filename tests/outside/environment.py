"""The environment of the suites, apart from the project's own, and source distributions, which hold tests."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Sequence
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

CLIENTS = (  # litellm needs another version of OpenAI's client than the suites do
    "instructor",
    "langchain-openai",
    "litellm",
    "openai",
    "pydantic-ai-slim[openai]",
    "pytest",
)


def made(folder: Path, packages: Sequence[str] = SUITES) -> Path:
    """The python of an environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def unpacked(folder: Path, python: Path, package: str, asked: str = "") -> Path:
    """The unpacked source distribution of a package, which holds its tests. asked: which of its versions"""
    packed = folder / "sdist"
    if not any(packed.glob(f"{package}-[0-9]*/pyproject.toml")):
        pip = [python, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--no-binary", ":all:", "--dest", packed, f"{package}{asked}"], check=True)
        for archive in packed.glob(f"{package.replace('-', '_')}-[0-9]*.tar.gz"):
            with tarfile.open(archive) as tar:
                tar.extractall(packed, filter="data")
            (packed / archive.name.removesuffix(".tar.gz")).rename(packed / _named(archive, package))
    return max(packed.glob(f"{package}-[0-9]*/pyproject.toml")).parent


def _named(archive: Path, package: str) -> str:
    """The folder of an archive, with the package's own name in place of the one that files have."""
    return f"{package}-{archive.name.removesuffix('.tar.gz').rpartition('-')[2]}"
