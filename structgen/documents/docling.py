"""DoclingDocument: what docling wrote as JSON, its items in reading order, with the boxes that it gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from structgen.documents.charset import decoded
from structgen.documents.file import File
from structgen.documents.lines import Rectangle
from structgen.documents.places import Box, Contents, Page
from structgen.errors import InvalidDocument

Sizes = Mapping[int, tuple[float, float]]  # width and height of each page, in points


@dataclass(frozen=True)
class Item:
    """A piece of text, what separates it from the one before, and where it stands.

    page: docling's number, None if it has no place; box: in points from the upper left corner of the page
    """

    text: str
    before: str = "\n"
    page: int | None = None
    box: Rectangle | None = None


@dataclass(frozen=True)
class PlacedItems:
    """The places of the items on each page: offsets in the page's text, and the box."""

    places: Sequence[Sequence[tuple[int, int, Rectangle]]]
    drawable: bool = False

    def boxes(self, page: int, start: int, end: int) -> list[Box]:
        """The boxes of the items that the characters start to end touch: docling has none that are smaller."""
        return [Box(page, *box) for first, last, box in self.places[page] if first < end and start < last]

    def image(self, page: int, dpi: float) -> bytes:
        """Nothing: the pictures of the pages are not read."""
        raise InvalidDocument("a DoclingDocument has no pages to draw: open the file that it was made of")


def read_docling(file: File, encoding: str | None = None) -> Contents:
    """The text of a DoclingDocument. Raises InvalidDocument if the JSON or its references are broken."""
    try:
        document = json.loads(decoded(file.content, file.shown, encoding=encoding))
        sizes = {
            int(number): (float(page["size"]["width"]), float(page["size"]["height"]))
            for number, page in (document.get("pages") or {}).items()
        }
        items = [item for item in _items(document, document["body"], sizes, set()) if item.text.strip()]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidDocument(
            f"{file.shown} is a broken DoclingDocument ({type(error).__name__}: {error}): export it again"
        ) from None
    return _laid_out(items, sizes)


def _laid_out(items: Sequence[Item], sizes: Sizes) -> Contents:
    """The items one after the other, and the pages that they stand on."""
    spelled = "".join(item.before + item.text for item in items)
    skipped = len(items[0].before) if items else 0
    ends = [end - skipped for end in accumulate(len(item.before) + len(item.text) for item in items)]
    pages, places = [], []
    for number in sorted(sizes):
        own = [
            (end - len(item.text), end, item.box)
            for item, end in zip(items, ends, strict=True)
            if item.page == number
        ]
        first, last = (own[0][0], max(end for _, end, _ in own)) if own else (0, 0)
        pages.append(Page(*sizes[number], first, last))
        places.append([(start - first, end - first, box) for start, end, box in own if box is not None])
    return Contents(spelled[skipped:], tuple(pages), PlacedItems(places))


def _items(document: Any, node: Any, sizes: Sizes, seen: set[str]) -> Iterator[Item]:
    """The items of a node and of what it refers to, each once."""
    if "data" in node and "table_cells" in node["data"]:
        yield from _cells(node, sizes)
    elif isinstance(node.get("text"), str):
        yield from _pieces(node["text"], node.get("prov") or [], sizes)
    for child in node.get("children") or []:
        reference = child.get("$ref") or child["cref"]
        if reference not in seen:
            seen.add(reference)
            yield from _items(document, _referred(document, reference), sizes, seen)


def _referred(document: Any, reference: str) -> Any:
    """The node of a reference such as #/texts/3."""
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[int(step)] if isinstance(node, list) else node[step]
    return node


def _pieces(text: str, places: Sequence[Any], sizes: Sizes) -> Iterator[Item]:
    """A text in as many pieces as it has places: one that runs on to another page has two."""
    starts = [place["charspan"][0] for place in places[1:]]
    bounds = [0, *starts, len(text)] if starts == sorted(starts) else [0, len(text)]
    if not places:
        yield Item(text)
    for index, (place, start, end) in enumerate(zip(places, bounds, bounds[1:], strict=False)):
        page = int(place["page_no"])
        yield Item(text[start:end], "" if index else "\n", page, _box(place["bbox"], page, sizes))


def _cells(table: Any, sizes: Sizes) -> Iterator[Item]:
    """The cells of a table, row by row, with tabs between them."""
    places = table.get("prov") or []
    page = int(places[0]["page_no"]) if places else None
    row = None
    cells = sorted(
        table["data"]["table_cells"],
        key=lambda cell: (cell["start_row_offset_idx"], cell["start_col_offset_idx"]),
    )
    for cell in cells:
        before = "\t" if cell["start_row_offset_idx"] == row else "\n"
        row = cell["start_row_offset_idx"]
        box = cell.get("bbox")
        yield Item(
            " ".join(cell["text"].split()), before, page, None if box is None else _box(box, page, sizes)
        )


def _box(box: Any, page: int | None, sizes: Sizes) -> Rectangle | None:
    """Corners in points from the upper left of the page; docling counts from there or from the lower left."""
    if page is None or page not in sizes:
        return None
    left, top, right, bottom = (float(box[side]) for side in "ltrb")
    if box.get("coord_origin", "TOPLEFT") == "BOTTOMLEFT":
        height = sizes[page][1]
        top, bottom = height - top, height - bottom
    return left, min(top, bottom), right, max(top, bottom)
