"""How long it takes to open a long PDF, to find boxes in it and to draw a page of it, beside pdfplumber."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from io import BytesIO

from rich.console import Console

from bench.clock import now, since
from papers.facts import SENTENCES
from papers.sheets import LEADING, MARGIN, Sheets
from structgen import Document

PAGES, SIZE = 20, 8  # points: about 5,000 characters a page
VALUE = "INV-2026-0730"


def run(console: Console, *, rounds: int, beside: bool) -> dict[str, float]:
    """Print and return CPU milliseconds, the median of the rounds; `beside` adds pdfplumber, once."""
    content = long_pdf()
    document = Document.open(content)
    start = document.text.index(VALUE)
    page = document.boxes(start, start + len(VALUE))[0].page
    figures = {
        "pages": float(len(document.pages)),
        "characters": float(len(document.text)),
        "open, ms": _median(lambda: Document.open(content), rounds),
        "boxes of a value, ms": _median(lambda: document.boxes(start, start + len(VALUE)), rounds),
        "image of a page at 100 dpi, ms": _median(lambda: document.image(page), rounds),
        "image of a page at 100 dpi, kB": len(document.image(page)) / 1000,
    }
    if beside:
        figures["text by pdfplumber, ms"] = _median(lambda: _by_pdfplumber(content), 1)
    for name, figure in figures.items():
        console.print(f"{name:32}{figure:12,.0f}", highlight=False)
    return figures


def long_pdf() -> bytes:
    """A PDF of PAGES full pages in small type; the number VALUE stands on the last one."""
    draw, sheets = random.Random(0), Sheets()
    sheets.set_font_size(SIZE)
    while True:
        sheets.line(" ".join(draw.choices([*SENTENCES["en"], *SENTENCES["de"]], k=12)))
        if sheets.page_no() == PAGES and sheets.y + 6 * LEADING > sheets.h - MARGIN:
            return sheets.line(VALUE).bytes()


def _median(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        begun = now()
        work()
        times.append(since(begun).cpu * 1000)
    return statistics.median(times)


def _by_pdfplumber(content: bytes) -> None:
    import pdfplumber

    with pdfplumber.open(BytesIO(content)) as pdf:
        for page in pdf.pages:
            page.extract_text()
