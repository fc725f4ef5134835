"""Opening a file with the reader of its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from structgen.documents.charset import decoded
from structgen.documents.docling import read_docling
from structgen.documents.file import File
from structgen.documents.kinds import kind_of
from structgen.documents.mail import read_mail
from structgen.documents.markup import read_html
from structgen.documents.pdf import read_pdf
from structgen.documents.picture import read_image
from structgen.documents.places import Contents
from structgen.documents.table import read_csv
from structgen.documents.word import read_docx
from structgen.errors import InvalidDocument

HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair


def read_text(file: File, encoding: str | None = None) -> Contents:
    """A text as it stands."""
    return Contents(decoded(file.content, file.shown, encoding=encoding))


READERS: Mapping[str, Callable[[File, str | None], Contents]] = {
    "text": read_text,
    "csv": read_csv,
    "html": read_html,
    "email": read_mail,
    "docx": read_docx,
    "docling": read_docling,
    "pdf": read_pdf,
    "image": read_image,
}


def opened(file: File, encoding: str | None = None) -> tuple[str, Contents]:
    """The kind of a file and its contents, with a note if its name says another kind.

    encoding: of a text, instead of what it declares. Raises InvalidDocument if the file cannot be read or has no text.
    """
    kind, notes = kind_of(file)
    contents = READERS[kind](file, encoding)
    if not contents.text.strip():
        raise InvalidDocument(f"{file.shown} is empty: it holds no text")
    if not contents.text.isascii() and HALF.search(contents.text):
        raise InvalidDocument(
            f"{file.shown} holds half a surrogate pair, which is no character: write it again"
        )
    return kind, replace(contents, notes=(*notes, *contents.notes))
