"""Memory of large arrays, kept from one step for the next: the pages of a fresh array cost more than filling it."""

from __future__ import annotations

import weakref
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

KEPT = 8  # pieces of memory that wait at a time
LARGE = 2**18  # bytes: allocators keep pages of less by themselves

_waiting: dict[int, Array] = {}


def borrowed(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array with any contents, whose memory is lent again when no view of it is left."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE:
        return np.empty(shape, dtype)
    store = _taken(size)
    # a view of a view refers to the array that is no view of an array: this one, since its memory is a memoryview's
    whole = np.frombuffer(store.data[:size], dtype)
    weakref.finalize(whole, _returned, store).atexit = False
    return whole.reshape(shape)


def _taken(size: int) -> Array:
    for key, store in list(_waiting.items()):
        if (
            size <= store.size <= 2 * size and _waiting.pop(key, None) is not None
        ):  # another thread may have been faster
            return store
    return np.empty(size, np.uint8)


def _returned(store: Array) -> None:
    _waiting[id(store)] = store
    while len(_waiting) > KEPT:
        _waiting.pop(next(iter(_waiting)), None)
