"""Genres of documents: which fields an invoice or a job offer has, what developers call them, and how pages word them.

The tables in genres/ hold them; business.txt explains the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from training.wording import BOOLEANS, parts

FOLDER = Path(__file__).with_name("genres")
KEYS = re.compile(r"\{(\w+)")


@dataclass(frozen=True)
class Role:
    """A field of a genre: its kind of value, names in schemas, labels on pages, and clauses around {v}."""

    key: str
    kind: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    clauses: tuple[str, ...] = ()


@dataclass
class Genre:
    """One kind of document."""

    name: str
    headings: list[str]
    roles: dict[str, Role] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    list_names: list[str] = field(default_factory=list)
    list_labels: list[str] = field(default_factory=list)
    columns: dict[str, Role] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    many: list[Role] = field(default_factory=list)  # arrays of scalars; {v} in a clause is the enumeration
    language: str = "en"


def keys_of(template: str) -> tuple[str, ...]:
    """The fields that a template holds."""
    return tuple(KEYS.findall(template))


def role_of(cells: list[str]) -> Role:
    """A table's line: key, kind, names, labels and, where there are any, clauses."""
    key, kind, names, labels, *clauses = cells
    return Role(
        key, kind, tuple(names.split()), tuple(parts(labels)), tuple(parts(clauses[0])) if clauses else ()
    )


def flag_role(key: str) -> Role:
    """A boolean that wording knows."""
    known = BOOLEANS[key]
    return Role(key, "bool", tuple(known.names), tuple(known.labels))


def _read(text: str) -> list[Genre]:
    genres: list[Genre] = []
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        cells = [cell.strip() for cell in rest.split(" | ")]
        match keyword:
            case "genre":
                genres.append(Genre(cells[0], parts(cells[1]), language=(cells[2:] or ["en"])[0]))
            case "field":
                genres[-1].roles[cells[0]] = role_of(cells)
            case "flag":
                genres[-1].roles[cells[0]] = flag_role(cells[0])
            case "say":
                genres[-1].sentences.append(rest.strip())
            case "list":
                genres[-1].list_names += cells[0].split()
                genres[-1].list_labels += parts(cells[1])
            case "column":
                genres[-1].columns[cells[0]] = role_of(cells)
            case "many":
                genres[-1].many.append(role_of(cells))
            case "row":
                genres[-1].rows.append(rest.strip())
    return genres


GENRES = [genre for path in sorted(FOLDER.glob("*.txt")) for genre in _read(path.read_text("utf-8"))]
for _genre in GENRES:
    for _template in _genre.sentences:
        if not set(keys_of(_template)) <= _genre.roles.keys():
            raise ValueError(f"{_genre.name}: no such field in {_template!r}")
    for _template in _genre.rows:
        if not set(keys_of(_template)) <= _genre.columns.keys():
            raise ValueError(f"{_genre.name}: no such column in {_template!r}")
