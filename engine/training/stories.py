"""Whole documents as people write them: the facts stand in connected sentences, between small talk and old values.

The tables in stories/ hold them; mails.txt explains the format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from training.genres import Role, flag_role, role_of
from training.wording import BOOLEANS, parts

FOLDER = Path(__file__).with_name("stories")
SLOT = re.compile(r"\{(@?)([\w.]+(?: [\w. -]+)?)([~#/]?)\}")
CHOICE = re.compile(r"\[([^\[\]]*)\]")
MACRO = re.compile(r"<(\w+)>")


@dataclass
class Table:
    """An array of objects in a story."""

    role: Role  # names and labels of the array
    columns: dict[str, Role] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)


@dataclass
class Story:
    """Fields by key, `group.key` for those that belong together, and the texts that tell them."""

    name: str
    language: str
    fields: dict[str, Role] = field(default_factory=dict)
    many: dict[str, Role] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


def slots_of(text: str) -> list[str]:
    """The keys that a text tells, in order; anonymous values, counts and former values are left out."""
    found = (one.groups() for one in SLOT.finditer(text))
    return list(dict.fromkeys(key for anonymous, key, mark in found if not anonymous and mark in ("", "/")))


def _read(text: str, macros: dict[str, list[str]]) -> list[Story]:
    stories: list[Story] = []
    for line in text.splitlines():
        keyword, _, rest = line.partition(" ")
        cells = [cell.strip() for cell in rest.split(" | ")]
        match keyword:
            case "macro":
                macros[cells[0]] = [one.replace("\\n", "\n") for one in parts(cells[1])]
            case "story":
                stories.append(Story(cells[0], (cells[1:] or ["en"])[0]))
            case "group":
                stories[-1].groups[cells[0]] = tuple(cells[1].split())
            case "field":
                stories[-1].fields[cells[0]] = role_of([*cells, ""])
            case "flag":
                stories[-1].fields[cells[0]] = flag_role(cells[0])
            case "many":
                stories[-1].many[cells[0]] = role_of([*cells, ""])
            case "list":
                key, names, *labels = cells
                stories[-1].tables[key] = Table(role_of([key, "", names, *(labels or [""])]))
            case "column":
                next(reversed(stories[-1].tables.values())).columns[cells[0]] = role_of([*cells, ""])
            case "row":
                next(reversed(stories[-1].tables.values())).rows.append(rest.strip())
            case "text":
                stories[-1].texts.append(rest.strip().replace("\\n", "\n"))
    return stories


MACROS: dict[str, list[str]] = {}
STORIES = [story for path in sorted(FOLDER.glob("*.txt")) for story in _read(path.read_text("utf-8"), MACROS)]


def _check(story: Story) -> None:
    known = story.fields.keys() | story.many.keys() | story.tables.keys()
    for text in story.texts:
        unknown = set(slots_of(text)) - known
        macros = {f"{name}_{story.language}" for name in MACRO.findall(text)} - MACROS.keys()
        if unknown or macros:
            raise ValueError(f"{story.name}: {sorted(unknown | macros)} in {text[:60]!r}")
    for key in story.fields.keys() | story.many.keys():
        if "." in key and key.partition(".")[0] not in story.groups:
            raise ValueError(f"{story.name}: no group for {key}")
    for key, role in story.fields.items():
        if role.kind == "bool" and key not in BOOLEANS:
            raise ValueError(f"{story.name}: no such flag {key}")


for _story in STORIES:
    _check(_story)
