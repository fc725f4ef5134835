"""Kinds of files: told by their content, and by the extension of their name only where the content leaves it open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from structgen.documents.file import File
from structgen.errors import InvalidDocument

MEDIA_TYPES = {
    "text": "text/plain",
    "csv": "text/csv",
    "html": "text/html",
    "email": "message/rfc822",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "docling": "application/vnd.docling+json",
    "image": "image/*",
}
NAMES = {
    "text": "text",
    "csv": "a CSV file",
    "html": "HTML",
    "email": "an e-mail",
    "docx": "a Word document (DOCX)",
    "pdf": "a PDF",
    "docling": "a DoclingDocument",
    "image": "an image",
}
EXTENSIONS = {
    **dict.fromkeys(("txt", "text", "md", "log", "json", "xml", "yaml", "yml"), "text"),
    **dict.fromkeys(("csv", "tsv"), "csv"),
    **dict.fromkeys(("html", "htm", "xhtml"), "html"),
    **dict.fromkeys(("eml", "mht", "mhtml"), "email"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "tif", "tiff", "bmp", "webp"), "image"),
    "docx": "docx",
    "pdf": "pdf",
}
MARKED = ("docx", "pdf", "image")  # kinds of which every file bears its mark
IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
FOREIGN = {  # formats that are known and not read, by what their files begin with
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Office file of the old kind (.doc, .xls, .ppt, .msg)",
    b"{\\rtf": "RTF",
    b"\x1f\x8b": "compressed by gzip",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
}
HEAD = 4096  # bytes that are searched for the beginning of HTML or of an e-mail
HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]", re.I | re.S
)
TAG = re.compile(r"<(?:!doctype|!--|/?[a-z][a-z0-9]*)[\s/>]", re.I)
HEADER = re.compile(r"[!-9;-~]+:[ \t]")
TRANSPORTED = re.compile(r"^(?:Received|Return-Path|Message-ID|MIME-Version|Delivered-To):", re.I | re.M)


def kind_of(file: File) -> tuple[str, tuple[str, ...]]:
    """The kind of a file, and a note if its extension says another.

    Raises InvalidDocument if the content is of a format that is not read, or lacks the mark of what the extension says.
    """
    marked, expected = _marked(file), EXTENSIONS.get(file.extension)
    if marked is None and expected in MARKED:
        raise InvalidDocument(
            f"{file.shown} is not {NAMES[expected]}, though its name ends in .{file.extension}: {_instead(file)}"
        )
    kind = marked or _textual(file, expected)
    if expected in (None, kind) or (kind == "docling" and file.extension == "json"):
        return kind, ()
    return kind, (
        f"the name of {file.shown} ends in .{file.extension}, but its content is {NAMES[kind]}, and was read as that",
    )


def _marked(file: File) -> str | None:
    """The kind that the content bears the mark of."""
    content = file.content
    start = content[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"%PDF-") or (file.extension == "pdf" and b"%PDF-" in content[:1024]):
        return "pdf"
    if content.startswith(b"PK\x03\x04"):
        return _zipped(file)
    if content.startswith(IMAGES) or _is_bitmap(content) or content[:4] + content[8:12] == b"RIFFWEBP":
        return "image"
    for mark, name in FOREIGN.items():
        if content.startswith(mark):
            raise InvalidDocument(f"{file.shown} is {name}, which is not read: save it as PDF, DOCX or text")
    if start.startswith(b"{") and b'"DoclingDocument"' in content:
        return "docling"
    return None


def _is_bitmap(content: bytes) -> bool:
    return content.startswith(b"BM") and int.from_bytes(content[2:6], "little") == len(content)


def _zipped(file: File) -> str:
    try:
        names = ZipFile(BytesIO(file.content)).namelist()
    except (BadZipFile, ValueError, NotImplementedError):
        raise InvalidDocument(f"{file.shown} is a broken ZIP archive: save or send it again") from None
    if "word/document.xml" in names:
        return "docx"
    raise InvalidDocument(
        f"{file.shown} is {_package(names)}, which is not read: save it as PDF, DOCX or text"
    )


def _package(names: Sequence[str]) -> str:
    """What a ZIP archive of these files is."""
    folders = {name.split("/")[0] for name in names}
    known = {
        "xl": "an Excel workbook",
        "ppt": "a PowerPoint presentation",
        "mimetype": "an OpenDocument or EPUB",
    }
    return next((name for folder, name in known.items() if folder in folders), "a ZIP archive")


def _textual(file: File, expected: str | None) -> str:
    """The kind of a file that bears no mark: what the extension says, unless it begins as HTML or has no sign of it."""
    head = _head(file.content)
    if HTML.match(head):
        return "html"
    if expected == "html":
        return "html" if TAG.search(head) else "text"
    if expected == "email" or (
        expected is None and TRANSPORTED.search(head.replace("\r", "").split("\n\n")[0])
    ):
        return "email" if HEADER.match(head) else "text"
    return expected or "text"


def _head(content: bytes) -> str:
    """The beginning of a text in some encoding; good enough to find ASCII in it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[:HEAD].decode("utf-16", "replace")
    return content[:HEAD].removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _instead(file: File) -> str:
    """What to do about a file without the mark that its extension promises."""
    if not file.content.strip():
        return "it is empty"
    return "it may be broken; save it again, or give it the extension of its kind"
