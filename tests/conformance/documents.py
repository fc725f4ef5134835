"""Documents with known answers: are these found where they stand, and do their boxes cover their glyphs?

Two judges look at the boxes of a PDF. The page is drawn, and the ink in the value's colour has to lie inside its boxes,
and no ink in the colour of another value. pdfplumber, which shares no code with PDFium, says where the characters are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pdfplumber

from papers import Paper
from papers.sheets import DPI, Drawing
from structgen import Box, Document

INSIDE = 0.995  # share of the ink: a pixel at an edge may be half outside
OTHERS = 0.02  # share of another value's ink: where the boxes of two lines touch
SLACK = 0.5  # points


@dataclass
class Count:
    """What was asked and what was right, for one kind of document."""

    documents: int = 0
    pages: int = 0
    values: int = 0
    spans: int = 0
    drawn: int = 0
    judged: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        boxes = f", boxes right by ink {self.drawn} and by pdfplumber {self.judged}" if self.pages else ""
        pages = f" of {self.pages} pages" if self.pages else ""
        return f"{self.documents} documents{pages}: {self.spans} of {self.values} values found once{boxes}"


def place(text: str, value: str) -> tuple[int, int] | None:
    """Where the value stands: once, and with line ends where its own spaces are or, in Chinese, anywhere."""
    anywhere = "\n?" if re.search("[\u4e00-\u9fff]", value) else ""
    pattern = anywhere.join(r"\s+" if char == " " else re.escape(char) for char in value)
    found = [match.span() for match in re.finditer(pattern, text)]
    return found[0] if len(found) == 1 else None


def judged(papers: Iterable[Paper]) -> dict[str, Count]:
    """The counts by kind of document."""
    counts: dict[str, Count] = {}
    for paper in papers:
        count = counts.setdefault(paper.kind, Count())
        document = Document.open(paper.content, name=paper.name)
        count.documents += 1
        count.pages += len(document.pages)
        spans = {name: place(document.text, value) for name, value in paper.values.items()}
        count.values += len(spans)
        count.spans += sum(span is not None for span in spans.values())
        count.faults += [
            f"{paper.name}: {name}: {paper.values[name]!r} is not in the text once"
            for name, span in spans.items()
            if span is None
        ]
        if document.kind == "pdf":
            judge_boxes(paper, document, {name: span for name, span in spans.items() if span}, count)
    return counts


def judge_boxes(paper: Paper, document: Document, spans: dict[str, tuple[int, int]], count: Count) -> None:
    """Count the values whose boxes both judges find right."""
    boxes = {name: document.boxes(*span) for name, span in spans.items()}
    shown = sorted({box.page for own in boxes.values() for box in own})
    drawings = {page: Drawing.of(document.image(page, DPI)) for page in shown}
    with pdfplumber.open(BytesIO(paper.content)) as pdf:
        characters = {page: pdf.pages[page].chars for page in drawings}
    for name, own in boxes.items():
        wrong = _ink(paper, name, own, drawings)
        count.drawn += wrong is None
        other = _characters(paper, name, own, characters)
        count.judged += other is None
        count.faults += [f"{paper.name}: {name}: {what}" for what in (wrong, other) if what]


def _ink(paper: Paper, name: str, boxes: Sequence[Box], drawings: dict[int, Drawing]) -> str | None:
    """What is wrong with the boxes by the drawn pages; None if nothing is."""
    for page, drawing in drawings.items():
        own = [box for box in boxes if box.page == page]
        found = drawing.ink(paper.colours[name])
        if found and found.inside(own) < INSIDE:
            return f"only {found.inside(own):.3f} of the ink on page {page + 1} is inside"
        for other, colour in paper.colours.items():
            if other != name and (share := drawing.ink(colour).inside(own)) > OTHERS:
                return f"{share:.3f} of the ink of {other} is inside"
    return None


def _characters(
    paper: Paper, name: str, boxes: Sequence[Box], characters: dict[int, list[Any]]
) -> str | None:
    """What is wrong with the boxes by pdfplumber's characters; None if nothing is."""
    colour = [part / 255 for part in paper.colours[name]]
    seen: Counter[str] = Counter()
    for page, found in characters.items():
        own = [box for box in boxes if box.page == page]
        for char in found:
            if char["text"].isspace() or not _alike(char["non_stroking_color"], colour):
                continue
            seen[char["text"]] += 1
            if not any(_holds(box, char) for box in own):
                return f"pdfplumber's {char['text']!r} on page {page + 1} is outside"
    wanted = Counter(char for char in paper.values[name] if not char.isspace())
    return None if seen == wanted else f"pdfplumber reads {''.join(seen.elements())!r}"


def _alike(shown: Sequence[float] | None, colour: Sequence[float]) -> bool:
    return (
        shown is not None
        and len(shown) == len(colour)
        and max(abs(a - b) for a, b in zip(shown, colour, strict=True)) < 0.01
    )


def _holds(box: Box, char: dict[str, Any]) -> bool:
    """Whether the middle of a character lies in the box."""
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return box.x0 - SLACK <= x <= box.x1 + SLACK and box.y0 - SLACK <= y <= box.y1 + SLACK
