"""Documents for tests, written by libraries that structgen does not use, with answers that are known.

    for paper in papers(seed=0, count=200):
        paper.content, paper.name      # the bytes of a file and its name
        paper.values                   # the answers, as the document spells them: {"vendor": "Nordwind GmbH", …}
        paper.schema                   # a JSON Schema that asks for them

Each is in English, German or Chinese, in one of eight layouts, as text, HTML, e-mail, DOCX or PDF (1 to 30 pages,
some of them turned). In a PDF each value has a colour of its own, by which a judge finds its ink.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from papers.facts import LANGUAGES, facts, filler
from papers.layouts import LAYOUTS
from papers.sheets import Colour
from papers.writers import COLOURS, WRITERS

KINDS = ("pdf", "pdf", "docx", "html", "email", "text")  # two of six are PDFs
MOST_PAGES = 30


@dataclass(frozen=True)
class Paper:
    """A document with its answers. colours: of each value, in a PDF."""

    name: str
    content: bytes
    kind: str
    language: str
    layout: str
    values: Mapping[str, str]
    colours: Mapping[str, Colour]

    @property
    def schema(self) -> dict[str, Any]:
        """The values as strings, all of them required."""
        properties = {name: {"type": "string"} for name in self.values}
        return {"type": "object", "properties": properties, "required": list(properties)}


def papers(seed: int = 0, count: int = 200, most_pages: int = MOST_PAGES) -> Iterator[Paper]:
    """So many documents, of all kinds, languages and layouts in turn; PDFs have at most so many pages."""
    for number in range(count):
        yield paper(random.Random(f"{seed} {number}"), number, most_pages)


def paper(draw: random.Random, number: int, most_pages: int) -> Paper:
    """A document; the number decides its kind, language and layout, and the draw all else."""
    kind = KINDS[number % len(KINDS)]
    language = LANGUAGES[number // len(KINDS) % len(LANGUAGES)]
    layout = list(LAYOUTS)[(number % len(KINDS) + number // len(KINDS)) % len(LAYOUTS)]
    known = facts(draw, language)
    blocks = LAYOUTS[layout](draw, language, known)
    pages = 1 if draw.random() < 0.4 else draw.randrange(1, most_pages + 1)
    padding = filler(draw, language, pages if kind == "pdf" else 0)
    values = {fact.name: fact.value for fact in known}
    content = WRITERS[kind](draw, language, blocks, padding)
    suffix = {"text": "txt", "email": "eml"}.get(kind, kind)
    return Paper(
        f"{number}.{suffix}",
        content,
        kind,
        language,
        layout,
        values,
        dict(zip(values, COLOURS, strict=False)),
    )
