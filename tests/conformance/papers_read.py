"""Generated documents through `extract`: are the answers valid, their spans exact, their boxes on their glyphs?

A value counts as right if it is the one that the document was written with, apart from white space. Of right values
the spans are compared with the known place, and in a PDF the boxes of the span with the ink of the page and with
pdfplumber's characters, as in `documents`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator

from conformance.documents import Count, judge_boxes, place
from papers import Paper
from structgen import Document, StructgenError
from structgen.model import Model


@dataclass
class Tally:
    """What was asked and what came of it, for one kind of document."""

    documents: int = 0
    valid: int = 0
    values: int = 0
    right: int = 0
    spans: int = 0
    warned: int = 0
    boxes: Count = field(default_factory=Count)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        drawn = self.boxes
        boxes = f"; boxes right by ink {drawn.drawn} and by pdfplumber {drawn.judged}" if drawn.pages else ""
        return (
            f"{self.documents} documents: {self.valid} valid; {self.right} of {self.values} values right; of these "
            f"{self.spans} with the exact span and {self.warned} warned about{boxes}"
        )


def read(model: Model, papers: Iterable[Paper]) -> Iterable[tuple[str, Tally]]:
    """The tally of each document with its kind."""
    for paper in papers:
        yield paper.kind, tally(model, paper)


def tally(model: Model, paper: Paper) -> Tally:
    """What came of one document."""
    found = Tally(1)
    document = Document.open(paper.content, name=paper.name)
    try:
        result = model.extract(document, paper.schema, details=True)
    except StructgenError as error:
        found.faults.append(f"{paper.name}: {error}")
        return found
    found.valid += Draft202012Validator(paper.schema).is_valid(result.value)
    right: dict[str, tuple[int, int]] = {}
    warned = {one.pointer for one in result.warnings}
    for name, value in paper.values.items():
        found.values += 1
        known = place(document.text, value)
        if not same(result.value.get(name), value) or known is None:
            continue
        found.right += 1
        found.warned += f"/{name}" in warned
        span = next(iter(result.spans.get(f"/{name}", ())), None)
        if span is not None and (span.start, span.end) == known:
            found.spans += 1
            right[name] = known
        else:
            found.faults.append(f"{paper.name}: {name}: {value!r} stands at {known}, the span is {span}")
    if document.kind == "pdf":
        found.boxes.pages = len(document.pages)
        judge_boxes(paper, document, right, found.boxes)
        found.faults += found.boxes.faults
    return found


def same(one: Any, other: str) -> bool:
    """Whether two texts are the same apart from white space."""
    return isinstance(one, str) and "".join(one.split()) == "".join(other.split())


def together(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    whole = Tally()
    for one in tallies:
        for name in ("documents", "valid", "values", "right", "spans", "warned"):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        for name in ("pages", "drawn", "judged"):
            setattr(whole.boxes, name, getattr(whole.boxes, name) + getattr(one.boxes, name))
        whole.faults += one.faults
    return whole
