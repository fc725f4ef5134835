"""Commands compute on few threads, and say so when somebody has to wait for kernels."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

import structgen_engine
from structgen.cli import main, model


@pytest.fixture
def threads(monkeypatch):
    """The number of threads a load asks torch for, None if it does not."""
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def load() -> int | None:
        asked.clear()
        model.loaded()
        return asked[-1] if asked else None

    return load


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch) -> Path:
    """The folder of an engine whose kernels have never been compiled, seen from a terminal."""
    (tmp_path / "kernels" / "cpu").mkdir(parents=True)
    (tmp_path / "kernels" / "cpu" / "scan.py").touch()
    monkeypatch.setattr(structgen_engine, "__path__", [str(tmp_path)])
    monkeypatch.setattr(
        model, "error_console", lambda: Console(stderr=True, force_terminal=True, color_system=None)
    )
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path / "kernels"


def compiled(kernels: Path, version: str, seconds: int) -> None:
    """Pretend that numba compiled a kernel so many seconds after its source was changed."""
    index = kernels / "cpu" / "__pycache__" / f"scan._scan-1.{version}.nbi"
    index.parent.mkdir(exist_ok=True)
    index.touch()
    changed = (kernels / "cpu" / "scan.py").stat().st_mtime
    os.utime(index, (changed + seconds, changed + seconds))


def test_the_embedded_model_takes_one_thread_unless_told_otherwise(threads, monkeypatch):
    assert threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() is None
    monkeypatch.setenv("STRUCTGEN_THREADS", "2")
    assert threads() == 2
    monkeypatch.setenv("STRUCTGEN_THREADS", "")
    assert threads() is None


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_a_number_of_threads_that_is_none_is_wrong_usage(run, monkeypatch, value):
    monkeypatch.setenv("STRUCTGEN_THREADS", value)
    result = run("extract", "-s", "models.py:Bill", "doc.txt")
    assert result.code == 2
    assert f"STRUCTGEN_THREADS must be a whole number of at least 1, not '{value}'" in result.err


def test_waiting_threads_sleep_unless_told_otherwise(monkeypatch):
    for before, after in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if before is not None:
            monkeypatch.setenv("OMP_WAIT_POLICY", before)
        main(["--version"])
        assert os.environ["OMP_WAIT_POLICY"] == after


def test_the_first_run_says_that_kernels_are_compiled(kernels, capsys):
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    for stale in (None, ("py27", 1), (version, -1)):  # never, for another Python, before the last change
        if stale is not None:
            compiled(kernels, *stale)
        model.say_if_kernels_compile()
        assert capsys.readouterr().err == "first run: compiling kernels, about half a minute\n"
    compiled(kernels, version, 1)
    model.say_if_kernels_compile()
    assert capsys.readouterr().err == ""


def test_nothing_is_said_where_numba_keeps_its_kernels_elsewhere(kernels, capsys, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    model.say_if_kernels_compile()
    assert capsys.readouterr().err == ""


def test_nothing_is_said_where_nobody_watches(kernels, capsys, monkeypatch):
    monkeypatch.setattr(model, "error_console", lambda: Console(stderr=True, force_terminal=False))
    model.say_if_kernels_compile()
    assert capsys.readouterr().err == ""
