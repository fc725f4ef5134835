"""DOCX: paragraphs and tables in the order of the document, page headers before and footers after them.

python-docx opens the package; its paragraphs leave out what stands in content controls, tracked insertions and text
boxes, so the text is read from the elements. What tracked changes delete is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from structgen.documents.extras import needed
from structgen.documents.file import File
from structgen.documents.places import Contents
from structgen.errors import InvalidDocument

MOST_EXPANDED = 1 << 28  # bytes: 256 MiB, pictures included, which barely expand
MOST_XML = 1 << 26  # bytes: 64 MiB of markup, a book of ten thousand pages
AROUND = (
    "sdt",
    "sdtContent",
    "ins",
    "moveTo",
    "smartTag",
    "customXml",
    "hyperlink",
    "fldSimple",
    "r",
    "dir",
    "bdo",
)
SPELLED = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
DROPPED = ("del", "moveFrom", "Fallback")  # a Fallback repeats the Choice before it


def read_docx(file: File, encoding: str | None = None) -> Contents:
    """The text of a Word document, a line for each paragraph, and for each row of a table with tabs between its cells.

    Raises InvalidDocument if it is broken, or expands to more than MOST_EXPANDED bytes.
    """
    _check_size(file)
    docx = needed("docx", "documents", "a Word document")
    try:
        document = docx.Document(BytesIO(file.content))
        lines = [
            *_margins(document, "header"),
            *_blocks(document.element.body),
            *_margins(document, "footer"),
        ]
    except Exception:  # a broken package fails anywhere in python-docx, lxml or zipfile
        raise InvalidDocument(f"{file.shown} is a broken Word document: save or send it again") from None
    return Contents("\n".join(lines).strip("\n"))


def _check_size(file: File) -> None:
    """Refuse a package that expands too far; zipfile reads no more of a file than its declared size."""
    try:
        files = ZipFile(BytesIO(file.content)).infolist()
    except (BadZipFile, ValueError, NotImplementedError):
        raise InvalidDocument(f"{file.shown} is a broken Word document: save or send it again") from None
    sizes = {"all": sum(one.file_size for one in files)}
    sizes["xml"] = sum(one.file_size for one in files if one.filename.endswith((".xml", ".rels")))
    for size, most in (sizes["xml"], MOST_XML), (sizes["all"], MOST_EXPANDED):
        if size > most:
            raise InvalidDocument(
                f"{file.shown} expands to {size:,} bytes, and at most {most:,} are read: save it as PDF or text"
            )


def _margins(document: Any, which: str) -> list[str]:
    """The lines of all different headers, or footers, of the sections."""
    found: dict[str, None] = {}
    for section in document.sections:
        for margin in (getattr(section, name + which) for name in ("first_page_", "", "even_page_")):
            if not margin.is_linked_to_previous:
                found |= dict.fromkeys(line for line in _blocks(margin._element) if line.strip())
    return list(found)


def _blocks(element: Any) -> Iterator[str]:
    """The lines of the paragraphs and tables below an element."""
    for child in element:
        name = _name(child)
        if name == "p":
            yield _inline(child)
            for box in _text_boxes(child):
                yield from _blocks(box)
        elif name == "tbl":
            yield from (_row(row) for row in child.iter() if _name(row) == "tr" and _table(row) is child)
        elif name in AROUND:
            yield from _blocks(child)


def _row(row: Any) -> str:
    cells = (cell for cell in row.iter() if _name(cell) == "tc" and _above(cell, "tr") is row)
    return "\t".join(" ".join(line for line in _blocks(cell) if line.strip()) for cell in cells)


def _table(element: Any) -> Any:
    return _above(element, "tbl")


def _above(element: Any, name: str) -> Any:
    """The nearest element of this name around an element."""
    return next(above for above in element.iterancestors() if _name(above) == name)


def _inline(element: Any) -> str:
    """The text of a paragraph or of a part of it."""
    parts = []
    for child in element:
        name = _name(child)
        if name == "t":
            if len(child):
                raise ValueError("an entity, which no Word document may hold")
            parts.append(child.text or "")
        elif name in SPELLED:
            parts.append(SPELLED[name])
        elif name in AROUND:
            parts.append(_inline(child))
    return "".join(parts)


def _text_boxes(element: Any) -> Iterator[Any]:
    """The contents of the text boxes that are anchored below an element, not those within others."""
    for child in element:
        name = _name(child)
        if name == "txbxContent":
            yield child
        elif name not in DROPPED:
            yield from _text_boxes(child)


def _name(element: Any) -> str:
    """The name of an element without its namespace; empty for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
