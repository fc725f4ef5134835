"""Files as their bytes, and how messages name them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from structgen.errors import InvalidDocument

MOST_BYTES = (
    1 << 28
)  # 256 MiB: larger than any document that people have shown us, smaller than a small machine


@dataclass(frozen=True)
class File:
    """The bytes of a file; name: its path or the name that it was given, None if it has none."""

    content: bytes
    name: str | None

    @property
    def shown(self) -> str:
        """The file in a sentence."""
        return "the document" if self.name is None else f"the document {self.name}"

    @property
    def extension(self) -> str:
        """The extension of its name in lower case, without the dot; empty if there is none."""
        return Path(self.name or "").suffix[1:].lower()


def read_file(source: str | os.PathLike[str] | bytes | BinaryIO, name: str | None = None) -> File:
    """The file at a path, of these bytes, or open for reading bytes; `name` replaces the name that the source has.

    Raises InvalidDocument if it is missing, larger than MOST_BYTES or unreadable.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _bounded(File(bytes(source), name))
    if isinstance(source, str | os.PathLike):
        return _at(Path(source), name)
    if hasattr(source, "read"):
        own = getattr(source, "name", None)
        called = name or (own if isinstance(own, str) else None)
        return _bounded(File(_read(source, File(b"", called).shown), called))
    raise InvalidDocument(f"a document is a path, bytes or an open file, not {type(source).__name__}")


def _at(path: Path, name: str | None) -> File:
    file = File(b"", name or str(path))
    try:
        if path.is_dir():
            raise InvalidDocument(f"{file.shown} is a folder, not a file")
        with path.open("rb") as opened:
            return _bounded(File(opened.read(MOST_BYTES + 1), file.name))
    except FileNotFoundError:
        raise InvalidDocument(f"{file.shown} does not exist") from None
    except (OSError, ValueError) as error:
        raise InvalidDocument(
            f"{file.shown} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None


def _read(source: BinaryIO, shown: str) -> bytes:
    try:
        content = source.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InvalidDocument(f"{shown} cannot be read: {error}") from None
    if not isinstance(content, bytes):
        raise InvalidDocument(
            f"{shown} is open for reading text: open it for reading bytes, in the mode 'rb'"
        )
    return content


def _bounded(file: File) -> File:
    if len(file.content) > MOST_BYTES:
        raise InvalidDocument(
            f"{file.shown} has more than {MOST_BYTES:,} bytes, which is the limit: split it"
        )
    return file
