"""Compiled arrays on disk, keyed by content.

The folder is `STRUCTGEN_CACHE`, or `structgen` in the user's cache folder; an empty `STRUCTGEN_CACHE` turns the cache
off. `cached_in` gives a piece of work a folder of its own. The cache never fails a request: arrays that cannot be
written are recomputed next time, and a file that cannot be read is made again.

A file is the digest of all that follows, so that no damaged file is read; the length of a JSON list of names, types,
stored types and shapes, as eight bytes; that list; and the arrays as they lie in memory, each at a multiple of ALIGNED
bytes. Large arrays of small numbers take two bytes a number. An npz archive takes four times as long.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "7"  # raise it when the meaning of the stored arrays changes

DIGEST_SIZE = 16  # bytes
LENGTH_SIZE = 8  # bytes
ALIGNED = 64  # bytes, a cache line
SHORT = np.dtype(np.uint16)  # what large arrays of small numbers are stored as
LARGE = 4096  # numbers

Arrays = dict[str, NDArray[Any]]
_CHOSEN: ContextVar[Path | None] = ContextVar("folder of the cache", default=None)


def cache_folder() -> Path | None:
    """The folder of the compiled arrays, or None if the cache is off."""
    own, chosen = _CHOSEN.get(), os.environ.get("STRUCTGEN_CACHE")
    if own is not None:
        return own
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "structgen"
    except RuntimeError:  # the user has no home folder
        return None


@contextmanager
def cached_in(folder: Path) -> Iterator[None]:
    """Inside, this thread has its arrays in this folder, whatever the environment says."""
    before = _CHOSEN.set(folder)
    try:
        yield
    finally:
        _CHOSEN.reset(before)


def is_writable(folder: Path) -> bool:
    """Whether arrays can be stored in this folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def cached_arrays(
    kind: str,
    key: str,
    make: Callable[[], Mapping[str, NDArray[Any]]],
    complete: Callable[[Arrays], bool] = lambda _: True,
) -> Arrays:
    """The arrays stored under (kind, key); if there are none yet, `make` computes them and they are stored.

    complete: whether the stored arrays are all that the caller reads; another version may have stored fewer
    """
    folder = cache_folder()
    if folder is None:
        return dict(make())
    path = folder / kind / f"{key}-{FORMAT}.arrays"
    arrays = _load(path)
    if arrays is None or not complete(arrays):
        arrays = dict(make())
        _store(path, arrays)
    return arrays


def _load(path: Path) -> Arrays | None:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError:
        return None
    if content[:DIGEST_SIZE].tobytes() != _digest(content[DIGEST_SIZE:]):
        return None
    return _unpacked(content)


def _digest(*parts: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _unpacked(content: NDArray[np.uint8]) -> Arrays:
    """The arrays of a file, which may be views of its content."""
    start = DIGEST_SIZE + LENGTH_SIZE
    at = start + int.from_bytes(content[DIGEST_SIZE:start].tobytes(), "little")
    arrays: Arrays = {}
    for name, kind, stored, shape in json.loads(content[start:at].tobytes()):
        at = _aligned(at)
        end = at + math.prod(shape) * np.dtype(stored).itemsize
        arrays[name] = content[at:end].view(stored).reshape(shape).astype(kind, copy=False)
        at = end
    return arrays


def _packed(arrays: Mapping[str, NDArray[Any]]) -> list[Any]:
    """The parts of a file behind its digest, one after the other."""
    rows = [_shortened(np.asarray(array, order="C")) for array in arrays.values()]
    kinds = [array.dtype.str for array in arrays.values()]
    listed = json.dumps(
        [(name, kind, row.dtype.str, row.shape) for name, kind, row in zip(arrays, kinds, rows, strict=True)]
    ).encode()
    parts: list[Any] = [len(listed).to_bytes(LENGTH_SIZE, "little"), listed]
    at = DIGEST_SIZE + LENGTH_SIZE + len(listed)
    for row in rows:
        parts += [bytes(_aligned(at) - at), row.reshape(-1).view(np.uint8)]
        at = _aligned(at) + row.nbytes
    return parts


def _shortened(array: NDArray[Any]) -> NDArray[Any]:
    small = array.dtype.kind in "iu" and array.itemsize > SHORT.itemsize and array.size >= LARGE
    if small and array.min() >= 0 and array.max() <= np.iinfo(SHORT).max:
        return array.astype(SHORT)
    return array


def _aligned(at: int) -> int:
    return -(-at // ALIGNED) * ALIGNED


def _store(path: Path, arrays: Arrays) -> None:
    """Write a temporary file, then rename it to `path`, so that no reader ever sees half a file."""
    parts = _packed(arrays)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([_digest(*parts), *parts])
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
