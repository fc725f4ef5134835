"""Loading the model of a command, on few threads and with a notice if kernels have to be compiled first.

OpenMP threads spin while they wait for each other, which is slow on a busy machine: on two busy cores, an extraction
with the embedded model took 5 s, but 1.2 s on one thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from structgen.cli.failure import Misuse
from structgen.cli.terminal import error_console
from structgen.collector import resting

if TYPE_CHECKING:
    from structgen.model import Model

THREADS = "STRUCTGEN_THREADS"


def let_threads_sleep() -> None:
    """Make OpenMP threads sleep while they wait, unless OMP_WAIT_POLICY is set; torch reads it on import."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def loaded(name: str | None = None) -> Model:
    """Load the model that the command names and limit its threads."""
    threads = _threads_asked_for()
    with resting():
        from structgen.models.load import load

        generator = load(name)
    if threads is None and "OMP_NUM_THREADS" not in os.environ:
        threads = generator.threads
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    return generator


def say_if_kernels_compile() -> bool:
    """Whether this is the first run, which compiles kernels that later runs find on disk; says so on a terminal."""
    console, first = error_console(), not _compiled()
    if console.is_terminal and first:
        console.print("first run: compiling kernels, about half a minute", style="dim", highlight=False)
    return first


@contextmanager
def kernels_shown() -> Iterator[None]:
    """A spinner on the terminal from the moment in which numba begins to compile kernels."""
    console = error_console()
    if not console.is_terminal:
        yield
        return
    from numba.core.event import install_listener

    from structgen.limits.first_run import COMPILE, FirstCompile

    status = console.status("first run: compiling kernels, about half a minute")
    with install_listener(COMPILE, FirstCompile(status.start)):
        try:
            yield
        finally:
            status.stop()


def _compiled() -> bool:
    """Whether numba has compiled the CPU kernels since they last changed; True if that cannot be determined."""
    import structgen_engine

    kernels = Path(structgen_engine.__path__[0]) / "kernels"
    if "NUMBA_CACHE_DIR" in os.environ or not os.access(kernels, os.W_OK):
        return True  # numba keeps the compiled kernels elsewhere
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    return any(map(_is_fresh, kernels.rglob(f"__pycache__/*.{version}.nbi")))


def _is_fresh(index: Path) -> bool:
    """Whether numba's index file `module.function-line.python.nbi` is newer than the module."""
    source = index.parent.parent / f"{index.name.partition('.')[0]}.py"
    return source.is_file() and index.stat().st_mtime >= source.stat().st_mtime


def _threads_asked_for() -> int | None:
    asked = os.environ.get(THREADS, "")
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or int(asked) < 1:
        raise Misuse(f"{THREADS} must be a whole number of at least 1, not {asked!r}")
    return int(asked)
