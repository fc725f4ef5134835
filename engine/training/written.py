"""Documents written by hand: each has a JSON Schema, the value to read, and marks where its parts stand.

The tables in written/ hold them. `⟦/amount_due|€ 1.240,00⟧` marks the words from which /amount_due is read; the value
is normalised, the words are as people write them. A value that has several words is marked at each of them.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.samples import Sample, Span

__all__ = ["FOLDER", "WrittenDocument", "unmarked", "written_documents"]
FOLDER = Path(__file__).with_name("written")
_MARK = re.compile(r"⟦(/[^|⟦⟧]*)\|([^⟦⟧]+)⟧")


@dataclass(frozen=True)
class WrittenDocument:
    """One extraction problem that a person wrote, with what it is and its language (ISO 639-1)."""

    kind: str
    language: str
    sample: Sample


def unmarked(text: str) -> tuple[str, tuple[Span, ...]]:
    """The document without its marks, and where the marked words stand in it."""
    pieces: list[str] = []
    spans: list[Span] = []
    at = last = 0
    for mark in _MARK.finditer(text):
        before, surface = text[last : mark.start()], mark[2]
        start = at + len(before)
        at, last = start + len(surface), mark.end()
        pieces += before, surface
        spans.append(Span(mark[1], start, at, surface))
    return "".join(pieces) + text[last:], tuple(spans)


def written_documents(path: Path) -> Iterator[WrittenDocument]:
    """The documents of one file, in its order."""
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["document"]:
        document, spans = unmarked(entry["text"])
        sample = Sample(json.loads(entry["schema"]), document, json.loads(entry["value"]), spans)
        yield WrittenDocument(entry["kind"], entry["language"], sample)
