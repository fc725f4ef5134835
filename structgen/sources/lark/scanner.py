"""The words of a grammar in Lark's notation, each with its place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from structgen.errors import InvalidSource

from ..place import Place

LEXEMES = re.compile(
    r"""(?P<newline>\r?\n) | (?P<skipped>[ \t\f\r]+|//[^\n]*|\#[^\n]*)
    | (?P<name>[A-Za-z_](?:[A-Za-z0-9_]|-(?!>))*)
    | (?P<string>"(?:[^"\\\n]|\\[^\n])*"i?) | (?P<regex>/(?!/)(?:[^/\\\n]|\\[^\n])+/[a-z]*)
    | (?P<special><[^<>\s"]+>) | (?P<given>@[A-Za-z0-9_-]+) | (?P<directive>%[A-Za-z_]+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?!\.?[0-9])) | (?P<sign>->|\.\.|::|[\]:|()\[{}?*+~&!,.=-])""",
    re.VERBOSE,
)
ESCAPES = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|[^\\]')
OPENED = {
    '"': ("unterminated string literal", 'close it with " on the same line'),
    "/": (
        "unterminated regular expression",
        "close it with / on the same line, and write \\/ for a slash in it",
    ),
    "<": ("unterminated special token", "write it as <name> without white space, or as <[7]> by id"),
    "@": ("empty grammar reference", "write @ and the name of a grammar that is given with the source"),
}


@dataclass(frozen=True)
class LarkWord:
    """A word of the grammar; kind "end" is the end of it."""

    kind: str
    text: str
    at: Place

    def wrong(self, what: str, instead: str = "") -> NoReturn:
        """Raise the error that the source is malformed at this word."""
        raise self.at.invalid(what, instead)


class Scanner:
    """A source that is read word by word."""

    def __init__(self, source: str, offset: int = 0):
        self.source, self.offset = source, offset

    def next(self) -> LarkWord:
        """The word at the offset, which moves behind it."""
        while True:
            match = LEXEMES.match(self.source, self.offset)
            if match is None:
                if self.offset >= len(self.source):
                    return LarkWord("end", "", self.place())
                self._refuse()
            assert match.lastgroup is not None
            at, self.offset = self.place(), match.end()
            if match.lastgroup != "skipped":
                return LarkWord(match.lastgroup, match[0], at)

    def place(self) -> Place:
        """The place of the offset."""
        return Place(self.source, self.offset)

    def _refuse(self) -> NoReturn:
        char = self.source[self.offset]
        if char == "<" and ">" in self.source[self.offset :].partition("\n")[0]:
            raise self.place().invalid(
                "invalid special token", "a name has no white space, quotes, < or > in it"
            )
        if char in OPENED:
            raise self.place().invalid(*OPENED[char])
        raise self.place().invalid(f"unexpected character {char!r}", "put it into quotes if it is text")

    def json(self, after: LarkWord) -> Any:
        """The JSON value at the offset, which moves behind it."""
        match = re.compile(r"[ \t\r\n]*").match(self.source, self.offset)
        assert match is not None
        try:
            value, self.offset = json.JSONDecoder().raw_decode(self.source, match.end())
        except json.JSONDecodeError as error:
            message = f"failed to parse JSON value after {after.text}: {error.msg}"
            raise Place(self.source, error.pos).invalid(message, "write one JSON value") from None
        except RecursionError:
            raise after.at.invalid(f"the JSON value after {after.text} is nested too deeply") from None
        except ValueError as error:  # numbers with too many digits
            raise after.at.invalid(f"failed to parse JSON value after {after.text}: {error}") from None
        return value


def characters(word: LarkWord) -> str:
    """The text that a string stands for."""
    body = word.text[1:].removesuffix("i").removesuffix('"')
    pieces = ESCAPES.findall(body)
    if sum(map(len, pieces)) != len(body):
        _bad_escape(word, body, pieces)
    spelled = "".join("\\u00" + piece[2:] if piece[:2] == "\\x" else piece for piece in pieces)
    text = json.loads(f'"{spelled}"', strict=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        word.wrong("invalid string literal: half of a surrogate pair is no character", "write both halves")
    return text


def _bad_escape(word: LarkWord, body: str, pieces: list[str]) -> NoReturn:
    at = 0
    for piece in pieces:
        if not body.startswith(piece, at):
            break
        at += len(piece)
    place = Place(word.at.source, word.at.offset + 1 + at)
    escapes = r"the escapes are \" \\ \/ \b \f \n \r \t \xHH and \uHHHH"
    raise InvalidSource(place.sentence(f"invalid string literal: {body[at : at + 2]} is no escape", escapes))
