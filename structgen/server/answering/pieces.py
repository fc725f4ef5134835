"""The tokens of a JSON text of which only the beginning is there, spelled as `json.dumps` spells the whole value.

    [piece.spelled for piece in pieces('{"city":"Os')]      ['{', '"city"', ': ', '"Os']

Together, the pieces of a beginning are a beginning of `json.dumps(json.loads(whole), ensure_ascii=False)`, whatever
follows, as long as no object has the same name twice. So a number waits for what stands behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    (?P<mark>[]{}[,:])
    | (?P<string>"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*)(?P<closed>"?)
    | (?P<word>[-+.0-9A-Za-z]+)(?=[ \t\n\r,\]}])
    )""",
    re.VERBOSE,
)
SPELLED = {",": ", ", ":": ": "}
HIGH_HALVES = "\ud800", "\udbff"  # the first and the last first half of a surrogate pair


@dataclass(frozen=True)
class JsonPiece:
    """One token, or the beginning of a string at the end of the text.

    path: of the value that the token belongs to, by names and numbers; a name belongs to its value, a comma and a
        bracket to what they stand in or open
    said: the characters of a value that is a string, else None; whole: whether the token is complete
    names: whether it is the name of a member
    """

    path: tuple[str | int, ...]
    spelled: str
    said: str | None = None
    whole: bool = True
    names: bool = False


def pieces(text: str) -> Iterator[JsonPiece]:
    """The tokens of a beginning of a JSON text; a name that is not complete is left out."""
    path: list[str | int] = []  # of the value that comes or stands here
    naming, at = False, 0
    while match := TOKEN.match(text, at):
        at = match.end()
        mark, string = match["mark"], match["string"]
        if mark is not None:
            place = path[:-1] if mark in ",]}" else path
            yield JsonPiece(tuple(place), SPELLED.get(mark, mark))
            naming = _moved(path, mark)
            if not path:
                return
        elif string is None:
            yield JsonPiece(tuple(path), json.dumps(json.loads(match["word"])))
        else:
            whole = bool(match["closed"])
            if naming and not whole:
                return
            said = _said(string, whole)
            spelled = json.dumps(said, ensure_ascii=False)
            if naming:
                path[-1], naming = said, False
                yield JsonPiece(tuple(path), spelled, names=True)
            else:
                yield JsonPiece(tuple(path), spelled if whole else spelled[:-1], said, whole)


def _moved(path: list[str | int], mark: str) -> bool:
    """Move a path on behind a mark; whether the name of a member follows, which the path has as an empty one."""
    if mark in "{[":
        path.append("" if mark == "{" else 0)
    elif mark in "}]":
        path.pop()
    elif mark == ",":
        last = path[-1]
        path[-1] = last + 1 if isinstance(last, int) else ""
    return mark == "{" or (mark == "," and isinstance(path[-1], str))


def _said(string: str, whole: bool) -> str:
    """The characters of a string; the first half of a surrogate pair waits for the second one."""
    said: str = json.loads(string + '"')
    if not whole and HIGH_HALVES[0] <= said[-1:] <= HIGH_HALVES[1]:
        return said[:-1]
    return said
