"""From the marks of a reply to its parts: the calls with their arguments, or the answer."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ...json_schema.spans import Span, spans
from .form import ANSWER, ARGUMENTS, ARRAY, CALL, ENDS, OBJECT, STRING, VALUE, CallForm


@dataclass
class Part:
    """A part of a text between two marks.

    kind: the name of the mark; text: characters start … end − 1; parts: those inside
    """

    kind: str
    start: int
    end: int = 0
    text: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def is_json(self) -> bool:
        """Whether the text is a value in JSON's own syntax."""
        return self.kind == ARGUMENTS

    @property
    def json(self) -> str:
        """The value as JSON text."""
        if self.kind == OBJECT:
            pairs = zip(self.parts[::2], self.parts[1::2], strict=True)
            return "{" + ", ".join(f"{_quoted(key.text)}: {value.json}" for key, value in pairs) + "}"
        if self.kind == ARRAY:
            return "[" + ", ".join(part.json for part in self.parts) + "]"
        return _quoted(self.text) if self.kind == STRING else self.text

    @property
    def span(self) -> Span:
        """Where the value and the values in it stand."""
        if self.kind == VALUE:
            return spans(self.text).moved(self.start)
        if self.kind == OBJECT:
            pairs = zip(self.parts[::2], self.parts[1::2], strict=True)
            return Span(self.start, self.end, {key.text: value.span for key, value in pairs})
        return Span(self.start, self.end, [part.span for part in self.parts])


@dataclass(frozen=True)
class Said:
    """A call in a text, characters start … end − 1: the number of the tool, and its arguments; −1 for an answer."""

    tool: int
    part: Part
    start: int
    end: int


def said(form: CallForm, text: str, marks: Sequence[tuple[int, str]]) -> Iterator[Said]:
    """The calls of a reply, in order, or its answer; marks: with the number of bytes before each."""
    place = _characters(text)
    root = Part("", 0)
    open_ = [root]
    for at, name in marks:
        kind = name.removeprefix("mark ")
        if not kind.startswith(ENDS):
            open_[-1].parts.append(Part(kind, place(at)))
            open_.append(open_[-1].parts[-1])
            continue
        part = open_.pop()
        part.end = place(at)
        if not part.parts:
            part.text = form.content(part.kind, text[part.start : part.end])
    for part in root.parts:
        if part.kind == ANSWER:
            yield Said(-1, part, part.start, part.end)
        else:
            yield Said(int(part.kind.removeprefix(CALL)), part.parts[0], part.start, part.end)


def _characters(text: str) -> Callable[[int], int]:
    """The function from numbers of bytes to numbers of characters."""
    if text.isascii():
        return lambda at: at
    ends = list(accumulate((len(char.encode(errors="surrogatepass")) for char in text), initial=0))
    return lambda at: bisect_left(ends, at)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
