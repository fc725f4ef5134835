"""What compiling kernels takes: it is said once, since a first run takes half a minute, and no limit counts it.

numba tells its listeners when it compiles a function, but not when it finds one in its cache on disk. A container whose
file system is read-only or new at every start compiles each time; the line in the log shows why it starts slowly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from threading import local
from typing import Any

from numba.core.dispatcher import LiftedCode
from numba.core.event import Event, Listener, register

from structgen.limits.budget import excuse

COMPILE = "numba:compile"  # the kind of numba's events

log = logging.getLogger("structgen")


class FirstCompile(Listener):
    """A listener that calls `say` when numba first compiles a kernel of ours."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say, self._said = say, False

    def on_start(self, event: Event) -> None:
        """Blocks in object mode do not count: they take milliseconds and are never cached."""
        data: Any = event.data
        dispatcher = data["dispatcher"]
        ours = dispatcher.py_func.__module__.startswith("structgen")
        if ours and not self._said and not isinstance(dispatcher, LiftedCode):
            self._said = True
            self._say()

    def on_end(self, event: Event) -> None:
        """Nothing: many short compilations follow one another."""


class Excused(Listener):
    """A listener that takes the time in which numba compiles out of the limit on compiling a source."""

    def __init__(self) -> None:
        self._open = (
            local()
        )  # of each thread: how many compilations are inside one another, and when the outermost began

    def on_start(self, event: Event) -> None:
        """One may compile another that it calls."""
        depth = getattr(self._open, "depth", 0)
        if not depth:
            self._open.begun = time.thread_time()
        self._open.depth = depth + 1

    def on_end(self, event: Event) -> None:
        """The outermost counts."""
        self._open.depth -= 1
        if not self._open.depth:
            excuse(time.thread_time() - self._open.begun)


@cache
def announce() -> None:
    """Log at INFO, once in the process, that kernels are compiled, if they are from now on; no limit counts that."""
    register(COMPILE, FirstCompile(_log))
    register(COMPILE, Excused())


def _log() -> None:
    log.info(
        "compiling kernels for this machine, about half a minute; numba keeps them beside the package, "
        "or in the folder NUMBA_CACHE_DIR, for later runs"
    )
