"""Kernels loaded from the cache do what numba's own loading does, without what only compiling needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = """
import numpy as np
from structgen_engine.jit import kernel

@kernel
def squares(count):
    found = np.empty(count, np.int64)
    for i in range(count):
        found[i] = i * i
    return found

@kernel(nogil=True)
def total(count):
    if count < 0:
        raise ValueError("a negative count")
    return squares(count).sum()

@kernel
def both(count):
    return squares(3).sum() + squares(count).sum()

@kernel
def hashed(text):
    return hash(text) == hash(text)
"""
COMPILING = "numba.typed.dictimpl"  # a module that numba needs to compile, but not to run


@pytest.fixture
def module(tmp_path: Path):
    """Run lines in a new process that can import `kernels`; what it prints, line by line."""
    (tmp_path / "kernels.py").write_text(KERNELS)
    path = os.pathsep.join([str(tmp_path), *sys.path])

    def run(lines: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", f"import sys, kernels, numpy as np\n{lines}"],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_a_cached_kernel_is_loaded_without_what_only_compiling_needs(module):
    look = f"print(kernels.total(4), kernels.squares(3)); print({COMPILING!r} in sys.modules)"
    assert module(look) == ["14 [0 1 4]", "True"]
    assert module(look) == ["14 [0 1 4]", "False"]


def test_a_kernel_that_calls_a_cached_one_can_still_be_compiled(module, tmp_path):
    assert module("kernels.squares(1); print(kernels.total(4))") == ["14"]
    for index in tmp_path.rglob("*total*.nbi"):
        index.unlink()
    assert module("print(kernels.squares(3)); print(kernels.total(4)); print(kernels.squares(2))") == [
        "[0 1 4]",
        "14",
        "[0 1]",
    ]


def test_a_kernel_is_not_compiled_once_more_for_a_constant(module):
    assert module("print(kernels.both(4)); print(len(kernels.squares.signatures))") == ["19", "1"]


def test_a_cached_kernel_raises_what_it_raised(module):
    attempt = "try:\n    kernels.total(-1)\nexcept ValueError as error:\n    print(error)"
    assert module(attempt) == module(attempt) == ["a negative count"]


def test_numba_loads_what_cannot_be_loaded_alone(module):
    broken = "import structgen_engine.jit as jit\njit._Library.load = None\n"
    assert module("print(kernels.total(4))") == ["14"]
    assert module(broken + f"print(kernels.total(4), {COMPILING!r} in sys.modules)") == ["14 True"]


def test_code_that_needs_more_than_the_runtime_is_loaded_by_numba(module):
    assert module("print(kernels.hashed('a'))") == module("print(kernels.hashed('a'))") == ["True"]


def test_without_compiling_kernels_are_python_functions(module, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert module("print(kernels.total(4), type(kernels.total).__name__)") == ["14 function"]
