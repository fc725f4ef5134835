"""Images: pages without text."""

from __future__ import annotations

from structgen.documents.file import File
from structgen.documents.places import Contents
from structgen.errors import InvalidDocument


def read_image(file: File, encoding: str | None = None) -> Contents:
    """Nothing yet: raises InvalidDocument."""
    raise InvalidDocument(f"{file.shown} is an image, and text in images is not read: give a PDF with text")
