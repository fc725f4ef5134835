"""Generated documents through `extract`: are the answers valid, their spans exact, their boxes on their glyphs?

A value counts as right if it is the one that the document was written with, apart from white space. Of right values
the spans are compared with the known place, and in a PDF the boxes of the span with the ink of the page and with
pdfplumber's characters, as in `documents`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
    warnings: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        drawn = self.boxes
        boxes = f"; boxes right by ink {drawn.drawn} and by pdfplumber {drawn.judged}" if drawn.pages else ""
        return (
            f"{self.documents} documents: {self.valid} valid; {self.right} of {self.values} values right; of these "
            f"{self.spans} with the exact span and {self.warned} warned about{boxes}"
        )


def read(
    model: Model, papers: Iterable[Paper], kept: Path | None = None
) -> Iterator[tuple[tuple[str, str], Tally]]:
    """The tally of each document with its kind and language.

    kept: a file of tallies, a line each; what it holds is not read again, and what is read is added to it
    """
    known = _tallies(kept.read_text(encoding="utf-8")) if kept is not None and kept.exists() else {}
    for paper in papers:
        one = known.get(paper.name) or tally(model, paper)
        if kept is not None and paper.name not in known:
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": paper.name, **asdict(one)}, ensure_ascii=False) + "\n")
        yield (paper.kind, paper.language), one


def _tallies(lines: str) -> dict[str, Tally]:
    """The tallies of such a file by the name of the document."""
    rows = {row.pop("name"): row for row in map(json.loads, lines.splitlines())}
    return {name: Tally(**{**row, "boxes": Count(**row["boxes"])}) for name, row in rows.items()}


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
    warned = {one.pointer: one for one in result.warnings}
    for name, value in paper.values.items():
        found.values += 1
        known = place(document.text, value)
        if not same(result.value.get(name), value) or known is None:
            continue
        found.right += 1
        if (told := warned.get(f"/{name}")) is not None:
            found.warned += 1
            found.warnings.append(f"{paper.name}: {paper.language} {paper.layout}: {name}: {told.detail}")
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
        whole.warnings += one.warnings
    return whole
