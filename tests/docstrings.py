"""For the reference of the site: a line "name: what it is" of a docstring becomes an item of a list.

mkdocs.yml names this file as an extension of griffe, which reads the docstrings without importing the package.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ITEM = re.compile(r"^(\w+(?:, \w+)*): (?=\S)(.*(?:\n +\S.*)*)", re.M)


def listed(text: str) -> str:
    """The docstring with its lines about arguments and fields as Markdown lists; code blocks stay as they are."""
    parts = re.split(r"(\n\n)", text)
    return "".join(ITEM.sub(_item, part) if ITEM.match(part) else _apart(part) for part in parts)


def _apart(paragraph: str) -> str:
    """The same for a paragraph that begins with a sentence: the list needs a blank line in front of it."""
    found = ITEM.search(paragraph)
    if found is None or paragraph.startswith("    "):
        return paragraph
    return f"{paragraph[: found.start()]}\n{ITEM.sub(_item, paragraph[found.start() :])}"


def _item(found: re.Match[str]) -> str:
    return f"- `{found[1]}`: {' '.join(found[2].split())}"


class Lists(griffe.Extension):
    """Rewrites the docstrings that griffe has read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for each object."""
        if obj.docstring is not None:
            obj.docstring.value = listed(obj.docstring.value)
