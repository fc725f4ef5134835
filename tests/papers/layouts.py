"""Eight layouts of the same facts: blocks of words, some of which are values of fields."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from papers.facts import STATED, TITLES, Fact

Part = str | Fact  # words, or the value of a fact
Line = Sequence[Part]


@dataclass(frozen=True)
class Block:
    """A run of lines; a table has cells for lines; an item of a list has a mark in front."""

    lines: Sequence[Line]
    form: str = "paragraph"  # or "table", "list", "title"
    columns: int = 1


def _stop(language: str) -> str:
    return "。" if language == "zh" else ". "


def _title(language: str) -> Block:
    return Block([[TITLES[language]]], "title")


def key_value(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """One field a line, after its label."""
    mark = draw.choice((": ", " : ")) if language != "zh" else "："
    return [_title(language), *(Block([[f"{fact.label}{mark}", fact]]) for fact in known)]


def prose(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """One paragraph of sentences."""
    line: list[Part] = []
    for fact in known:
        line += [draw.choice(STATED[language]).format(fact.label), fact, _stop(language)]
    return [Block([line])]


def paragraphs(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """A paragraph for every two fields."""
    pairs = [known[at : at + 2] for at in range(0, len(known), 2)]
    return [block for pair in pairs for block in prose(draw, language, pair)]


def table(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """A table of two columns."""
    cells = [cell for fact in known for cell in ([fact.label], [fact])]
    return [_title(language), Block(cells, "table", 2)]


def heads(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """Tables of three columns: labels in the first row, values in the second."""
    found = [_title(language)]
    for at in range(0, len(known), 3):
        row = known[at : at + 3]
        found.append(Block([*([fact.label] for fact in row), *([fact] for fact in row)], "table", len(row)))
    return found


def bullets(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """A list."""
    return [_title(language), Block([[f"{fact.label}: ", fact] for fact in known], "list")]


def dense(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """All fields in as few lines as there can be."""
    line: list[Part] = []
    for fact in known:
        line += [f"{fact.label} ", fact, " | "]
    return [Block([line[:-1]])]


def headed(draw: random.Random, language: str, known: Sequence[Fact]) -> list[Block]:
    """Labels as headings of their own, values below."""
    return [block for fact in known for block in (Block([[fact.label]], "title"), Block([[fact]]))]


LAYOUTS: Mapping[str, Callable[[random.Random, str, Sequence[Fact]], list[Block]]] = {
    "key_value": key_value,
    "prose": prose,
    "paragraphs": paragraphs,
    "table": table,
    "heads": heads,
    "bullets": bullets,
    "dense": dense,
    "headed": headed,
}
