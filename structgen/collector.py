"""Python's garbage collector, resting while modules are imported, weights are loaded or a source is compiled.

Importing torch and numba makes half a million objects that live as long as the process. The collector would pass over
them again and again and find nothing, which takes a sixth of the CPU time of a fresh `structgen extract`. A compilation
makes some hundred thousand small objects that refer to each other without cycles, so reference counts free them; the
collector counts them all the same, and every few compilations it would search the whole process.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_inside = 0  # how many threads are in a pause
_was_on = False  # whether the first of them turned the collector off


@contextmanager
def paused() -> Iterator[None]:
    """Stop automatic collections, for all threads; when the last one leaves, the collector is as it was before."""
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()


@contextmanager
def resting() -> Iterator[None]:
    """Stop automatic collections until the end; what was made meanwhile then counts as old."""
    was_on = gc.isenabled()
    with paused():
        try:
            yield
        finally:
            if was_on and not gc.get_freeze_count():  # a caller that froze objects wants them to stay frozen
                gc.freeze()  # moves all objects out of the young generations …
                gc.unfreeze()  # … and into the oldest, without a pass over them
