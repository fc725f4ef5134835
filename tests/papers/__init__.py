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

from papers.facts import LANGUAGES, NAMES, facts, filler
from papers.layouts import LAYOUTS
from papers.sheets import Colour
from papers.writers import COLOURS, WRITERS

KINDS = ("pdf", "pdf", "docx", "html", "email", "text")  # two of six are PDFs
MOST_PAGES = 30
TYPES: Mapping[str, Mapping[str, Any]] = {
    "date": {"type": "string", "format": "date"},
    "total": {"type": "number"},
    "email": {"type": "string", "format": "email"},
}


@dataclass(frozen=True)
class Paper:
    """A document with its answers.

    colours: of each value, in a PDF; typed: the values as JSON has them
    absent: a field that the document could state and does not
    """

    name: str
    content: bytes
    kind: str
    language: str
    layout: str
    values: Mapping[str, str]
    colours: Mapping[str, Colour]
    typed: Mapping[str, Any]
    absent: str | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The values as strings, all of them required."""
        properties = {name: {"type": "string"} for name in self.values}
        return {"type": "object", "properties": properties, "required": list(properties)}

    @property
    def typed_schema(self) -> dict[str, Any]:
        """The same with a type or a format for each value, and asking for the one that is absent too."""
        names = [*self.values, *([] if self.absent is None else [self.absent])]
        properties = {name: TYPES.get(name, {"type": "string"}) for name in sorted(names, key=NAMES.index)}
        return {"type": "object", "properties": properties, "required": list(properties)}


def papers(
    seed: int | str = 0,
    count: int = 200,
    most_pages: int = MOST_PAGES,
    *,
    first: int = 0,
    lacking: bool = False,
) -> Iterator[Paper]:
    """So many documents, of all kinds, languages and layouts in turn; PDFs have at most so many pages.

    first: how many are left out; lacking: whether each leaves out one of its facts
    """
    for number in range(first, count):
        yield paper(random.Random(f"{seed} {number}"), number, most_pages, lacking=lacking)


def paper(draw: random.Random, number: int, most_pages: int, *, lacking: bool = False) -> Paper:
    """A document; the number decides its kind, language and layout, and the draw all else."""
    kind = KINDS[number % len(KINDS)]
    language = LANGUAGES[number // len(KINDS) % len(LANGUAGES)]
    layout = list(LAYOUTS)[(number % len(KINDS) + number // len(KINDS)) % len(LAYOUTS)]
    known = facts(draw, language)
    absent = known.pop(number % len(known)).name if lacking else None
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
        {fact.name: fact.plain for fact in known},
        absent,
    )
