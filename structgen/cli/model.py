"""The model of a command: loaded in one place, with a word to who has to wait, and few threads.

Threads that spin while they wait for each other are many times slower than one thread wherever anything else runs on
the machine: with the embedded model an extraction took 5 s on a busy machine of two cores, on one thread 1.2 s.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from structgen.cli.failure import Misuse
from structgen.cli.terminal import error_console

if TYPE_CHECKING:
    from structgen.model import Model

THREADS = "STRUCTGEN_THREADS"


def let_threads_sleep() -> None:
    """Make OpenMP threads sleep while they wait, unless told otherwise; it is read when torch is imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def loaded(name: str | None = None) -> Model:
    """The model that the command names, on few threads."""
    threads = _threads_asked_for()
    from structgen.models.load import load

    generator = load(name)
    if threads is None and "OMP_NUM_THREADS" not in os.environ:
        threads = generator.threads
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    return generator


def say_if_kernels_compile() -> bool:
    """Whether this is the first run, which compiles kernels that later ones find on disk; a terminal is told."""
    console, first = error_console(), not _compiled()
    if console.is_terminal and first:
        console.print("first run: compiling kernels, about half a minute", style="dim", highlight=False)
    return first


def _compiled() -> bool:
    """Whether numba has compiled the CPU kernels since they were last changed; yes where nobody can tell."""
    import structgen_engine

    kernels = Path(structgen_engine.__path__[0]) / "kernels"
    if "NUMBA_CACHE_DIR" in os.environ or not os.access(kernels, os.W_OK):
        return True  # they are kept elsewhere
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    return any(map(_is_fresh, kernels.rglob(f"__pycache__/*.{version}.nbi")))


def _is_fresh(index: Path) -> bool:
    """Whether an index of numba's, `module.function-line.python.nbi`, is younger than the module."""
    source = index.parent.parent / f"{index.name.partition('.')[0]}.py"
    return source.is_file() and index.stat().st_mtime >= source.stat().st_mtime


def _threads_asked_for() -> int | None:
    asked = os.environ.get(THREADS, "")
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or int(asked) < 1:
        raise Misuse(f"{THREADS} must be a whole number from 1 on, not {asked!r}")
    return int(asked)
