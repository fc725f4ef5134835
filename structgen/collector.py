"""Python's garbage collector, resting while modules are imported and weights are loaded.

Importing torch and numba makes half a million objects that live as long as the process. The collector would pass over
them again and again and find nothing, which takes a sixth of the CPU time of a fresh `structgen extract`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting() -> Iterator[None]:
    """Stop automatic collections until the end; what was made meanwhile then counts as old."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # a caller that froze objects wants them to stay frozen
            gc.freeze()  # moves all objects out of the young generations …
            gc.unfreeze()  # … and into the oldest, without a pass over them
        gc.enable()
