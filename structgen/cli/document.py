"""Reading the document that a command works on."""

from __future__ import annotations

import sys
from pathlib import Path

from structgen.errors import InvalidDocument

STDIN = "-"


def read_document(name: str) -> str:
    """The text of a file, or of stdin for `-`; raises InvalidDocument if it is missing, empty or not text."""
    shown = "the document on stdin" if name == STDIN else f"the document {name}"
    text = decoded(sys.stdin.buffer.read() if name == STDIN else _bytes(Path(name), shown), shown)
    if not text.strip():
        raise InvalidDocument(f"{shown} is empty: there is nothing to extract from")
    return text


def decoded(content: bytes, shown: str) -> str:
    """UTF-8 text, with or without a byte order mark."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocument(
            f"{shown} is not UTF-8 text (byte 0x{content[error.start]:02x} at offset {error.start}): "
            "convert it to text first"
        ) from None
    if "\0" in text:
        raise InvalidDocument(
            f"{shown} is binary (a zero byte at offset {content.index(0)}): convert it to text first"
        )
    return text


def _bytes(path: Path, shown: str) -> bytes:
    if path.is_dir():
        raise InvalidDocument(f"{shown} is a folder, not a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidDocument(f"{shown} does not exist") from None
    except (OSError, ValueError) as error:
        raise InvalidDocument(
            f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
