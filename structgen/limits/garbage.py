"""Pausing Python's search for cyclic garbage while a source is compiled.

A compilation makes some hundred thousand small objects that refer to each other without cycles, so reference counts
free them. The collector counts them all the same, and every few compilations it then searches the whole process, which
takes a tenth of a second where torch and numba are loaded.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_pauses = 0  # how many threads are inside
_paused = False  # whether it was this module that turned the collector off


@contextmanager
def uncollected() -> Iterator[None]:
    """Turn the cyclic collector off inside, for all threads; when the last one leaves, it is as it was before."""
    global _pauses, _paused
    with _lock:
        if not _pauses:
            _paused = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _paused:
                gc.enable()
