"""Compiled arrays on disk, keyed by content.

The folder is `STRUCTGEN_CACHE`, or `structgen` in the user's cache folder; an empty `STRUCTGEN_CACHE` turns the cache
off. The cache never fails a request: arrays that cannot be written are recomputed next time, and a file that cannot be
read is made again. Each file is an npz archive preceded by its digest, because a damaged archive may still open and
lack arrays.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "6"  # raise it when the meaning of the stored arrays changes

DIGEST_SIZE = 16

Arrays = dict[str, NDArray[Any]]


def cache_folder() -> Path | None:
    """The folder of the compiled arrays, or None if the cache is off."""
    chosen = os.environ.get("STRUCTGEN_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "structgen"
    except RuntimeError:  # the user has no home folder
        return None


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
        content = path.read_bytes()
    except OSError:
        return None
    archive = content[DIGEST_SIZE:]
    if content[:DIGEST_SIZE] != _digest(archive):
        return None
    with np.load(io.BytesIO(archive), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _digest(archive: bytes) -> bytes:
    return hashlib.blake2b(archive, digest_size=DIGEST_SIZE).digest()


def _store(path: Path, arrays: Arrays) -> None:
    """Write a temporary file, then rename it to `path`, so that no reader ever sees half a file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    archive = buffer.getvalue()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(archive) + archive)
        os.replace(draft, path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
