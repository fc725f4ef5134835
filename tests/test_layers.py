"""The architecture is a check that fails: the contracts of import-linter hold, and each one breaks when violated."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="import-linter is not installed")

ROOT = Path(__file__).parents[1]
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
VIOLATIONS = {  # each contract, broken on purpose
    "one direction": ("engine/structgen_engine/decoding/noise.py", "import structgen.errors"),
    "structgen is layered": ("structgen/tokens/trie.py", "import structgen.grammar"),
    "one door to the embedded model": ("structgen/verbs/extract.py", "import structgen_mini.scaffold"),
    "the embedded model and its training know no structgen": (
        "engine/training/drawing.py",
        "import structgen.errors",
    ),
    "the engine is layered": (
        "engine/structgen_engine/kernels/semiring.py",
        "import structgen_engine.decoding.noise",
    ),
    "the lazy regime is layered": (
        "structgen/compiler/lazy/classes.py",
        "import structgen.compiler.lazy.slices",
    ),
    "the engine knows numbers, no text": ("engine/structgen_engine/lattice/beam.py", "import json"),
    "sources are symbols": ("structgen/sources/choices.py", "import torch"),
    "integrations know nothing of each other": (
        "structgen/integrations/vllm/sampler.py",
        "import structgen.integrations.diffusers",
    ),
}
TABLES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
CONTRACTS = len(TABLES)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says about the packages in a folder."""
    path = os.pathsep.join([str(folder), str(folder / "engine")])
    return subprocess.run(
        [sys.executable, "-P", "-c", LINT, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The packages and the contracts, to be spoilt."""
    for package in ("structgen", "engine/structgen_engine", "engine/structgen_mini", "engine/training"):
        for path in (ROOT / package).rglob("*.py"):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert f"{CONTRACTS} kept, 0 broken" in done.stdout


def test_every_contract_is_broken_on_purpose():
    assert sorted(table["name"].partition(":")[0] for table in TABLES) == sorted(VIOLATIONS)


def test_layers_within_a_package_are_exhaustive():
    assert all(table["exhaustive"] for table in TABLES if "containers" in table)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_violated_contract_breaks_and_is_named(contract: str, copied: Path):
    name, statement = VIOLATIONS[contract]
    with (copied / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{statement}\n")
    done = lint(copied)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = done.stdout.partition("Broken contracts")[2]
    assert contract in " ".join(broken.split())
    assert f"{CONTRACTS - 1} kept, 1 broken" in done.stdout
