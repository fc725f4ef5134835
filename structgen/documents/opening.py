"""Opening a file with the reader of its kind."""

from __future__ import annotations

from structgen.documents.charset import decoded
from structgen.documents.file import File
from structgen.documents.kinds import kind_of
from structgen.documents.places import Contents
from structgen.errors import InvalidDocument


def opened(file: File, encoding: str | None = None) -> tuple[str, tuple[str, ...], Contents]:
    """The kind of a file, what is to be noted about it, and its contents.

    encoding: of a text that does not declare its own. Raises InvalidDocument if the file holds no text.
    """
    kind, notes = kind_of(file)
    contents = _read(kind, file, encoding)
    if not contents.text.strip():
        raise InvalidDocument(f"{file.shown} is empty: it holds no text")
    return kind, notes, contents


def _read(kind: str, file: File, encoding: str | None) -> Contents:
    """The readers are imported here, so that each asks for its packages only when it is used."""
    if kind == "pdf":
        from structgen.documents.pdf import read_pdf

        return read_pdf(file)
    return Contents(decoded(file.content, file.shown, encoding=encoding))
