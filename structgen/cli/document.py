"""Reading the documents that a command works on."""

from __future__ import annotations

import sys
from pathlib import Path

from structgen.cli.terminal import error_console
from structgen.documents import Document
from structgen.documents.charset import decoded
from structgen.errors import InvalidDocument

STDIN = "-"


def read_document(name: str, encoding: str | None = None) -> Document:
    """The document in a file, or on stdin for `-`; what its reader noticed goes to stderr."""
    if name == STDIN:
        document = Document.open(sys.stdin.buffer.read(), name="stdin", encoding=encoding)
    else:
        document = Document.open(Path(name), encoding=encoding)
    for note in document.notes:
        error_console().print(f"note: {note}", markup=False, highlight=False, soft_wrap=True)
    return document


def read_request(encoding: str | None = None) -> str:
    """The text on stdin."""
    return decoded(sys.stdin.buffer.read(), "the request on stdin", encoding=encoding)


def read_template(name: str, encoding: str | None = None) -> str:
    """The text of a file, or on stdin for `-`, whatever its name says of its kind: markup stays markup."""
    if name == STDIN:
        return decoded(sys.stdin.buffer.read(), "the template on stdin", encoding=encoding)
    try:
        content = Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidDocument(f"the template {name} cannot be read: {reason}") from None
    return decoded(content, name, encoding=encoding)
