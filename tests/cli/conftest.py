"""The command line in-process: one loaded model for all tests, and what a run left behind."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import structgen
from structgen.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENT = "Vendor: Cobalt Cycling Ltd\nDate: 2026-01-30\nTotal: 86.60\n"
MODELS = """
from pydantic import BaseModel


class Bill(BaseModel):
    vendor: str
    total: float


class Person(BaseModel):
    name: str
"""


@dataclass(frozen=True)
class Run:
    """Exit code, both streams, and the files that are there afterwards and were not before."""

    code: int
    out: str
    err: str
    written: tuple[str, ...]


@pytest.fixture(scope="module", autouse=True)
def loader() -> Iterator[ModuleType]:
    """The module structgen.models.load, made to load the embedded model once for all tests of a file."""
    module = import_module("structgen.models.load")
    load = module.load
    module.load = cache(load)
    yield module
    module.load = load
    vars(structgen).pop("load", None)  # which it remembers since its first use


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with doc.txt and models.py."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRUCTGEN_MODEL", raising=False)
    monkeypatch.delenv("STRUCTGEN_DEBUG", raising=False)
    monkeypatch.delenv("STRUCTGEN_THREADS", raising=False)
    (tmp_path / "doc.txt").write_text(DOCUMENT)
    (tmp_path / "models.py").write_text(MODELS)
    return tmp_path


@pytest.fixture
def run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Run]:
    """Run the command line in `folder`; `stdin` is what it reads from `-`."""

    def run(*arguments: str, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        before = set(folder.rglob("*"))
        code = main(arguments)
        out, err = capsys.readouterr()
        return Run(code, out, err, tuple(sorted(map(str, set(folder.rglob("*")) - before))))

    return run
