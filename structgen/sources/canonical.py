"""The canonical spelling of JSON text, which is the one that is generated.

A value has many spellings in JSON: "\\u00e9" is "é", 1e2 is 100.0, -0 is 0. The canonical spelling of a text keeps its
tokens and the white space between them and respells strings and numbers as Python reads them:

* a string has each character as itself if JSON allows that, otherwise as its short escape or as \\u00XX;
* a number without a point or an exponent is an integer, of any size, and keeps its digits (-0 is 0);
* any other number is a double: its shortest digits that are read as the same double or, if it is whole, all its digits
  and ".0". So 1.0 remains different from 1, because draft 4 schemas and strict types distinguish them.

A text and its canonical spelling are therefore read as equal values of the same types, and each may stand for the
other. No number becomes longer than the longest double, which has 309 digits before the point or 324 after it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[-+.0-9][-+.0-9eE]*|"', re.DOTALL)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(rf"{_INTEGER.pattern}(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class _Unread(ValueError):
    """Raised for a token without canonical spelling: it is malformed, half a surrogate pair, or beyond all doubles."""


def canonical(text: str) -> str | None:
    """The canonical spelling of a JSON text; None if one of its tokens has no canonical spelling."""
    try:
        return _TOKEN.sub(_respelled, text)
    except _Unread:
        return None


@dataclass(frozen=True)
class Respelled:
    """A text in canonical spelling.

    anchors: for each token that is spelled differently, where it and what follows it begin: in this text, in the
    original
    """

    text: str
    anchors: tuple[tuple[int, int], ...] = ()

    def original(self, at: int) -> int:
        """The offset in the original of an offset in this text; inside a token that differs, the token's beginning."""
        here, there, differs = 0, 0, False
        for number, (start, origin) in enumerate(self.anchors):
            if start > at:
                break
            here, there, differs = start, origin, number % 2 == 0
        return there if differs else there + at - here


def respelled(text: str) -> Respelled:
    """The text in canonical spelling, up to the first token that has none; from there on it is unchanged."""
    pieces: list[str] = []
    anchors: list[tuple[int, int]] = []
    size = end = 0
    for match in _TOKEN.finditer(text):
        try:
            token = _respelled(match)
        except _Unread:
            break
        if token == match[0]:
            continue
        pieces += [text[end : match.start()], token]
        start = size + match.start() - end
        size, end = start + len(token), match.end()
        anchors += [(start, match.start()), (size, end)]
    return Respelled("".join([*pieces, text[end:]]), tuple(anchors))


def _respelled(match: re.Match[str]) -> str:
    token = match[0]
    if token[0] != '"':
        return _number(token)
    return _string(token) if "\\" in token or token == '"' else token


def _string(token: str) -> str:
    try:
        value = json.loads(token)
        value.encode()
    except ValueError:  # malformed JSON, or a lone surrogate, which UTF-8 cannot encode
        raise _Unread from None
    return json.dumps(value, ensure_ascii=False)


def _number(token: str) -> str:
    if _INTEGER.fullmatch(token):
        return "0" if token == "-0" else token
    if not _NUMBER.fullmatch(token):
        raise _Unread
    value = float(token)
    if math.isinf(value):
        raise _Unread
    return f"{int(value)}.0" if value.is_integer() else format(Decimal(repr(value)), "f")
