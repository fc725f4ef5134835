"""The spans of the values in a JSON text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

PathStep = str | int

_TOKEN = re.compile(r'[ \t\n\r]*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)


@dataclass(frozen=True)
class Span:
    """The span of a value in a text, text[start : end], with its elements, or its members by key."""

    start: int
    end: int
    parts: list[Span] | dict[str, Span] = field(default_factory=list)

    @property
    def elements(self) -> list[Span]:
        """The elements of an array."""
        assert isinstance(self.parts, list)
        return self.parts

    def at(self, path: Sequence[PathStep]) -> Span:
        """The span of the value at a path of keys and indices."""
        span = self
        for step in path:
            span = span.parts[step]  # pyright: ignore
        return span

    def moved(self, by: int) -> Span:
        """The same spans, by so many characters further on."""
        if isinstance(self.parts, dict):
            parts: Any = {key: part.moved(by) for key, part in self.parts.items()}
        else:
            parts = [part.moved(by) for part in self.parts]
        return Span(self.start + by, self.end + by, parts)


def spans(text: str) -> Span:
    """The span of the value of a JSON text, with those of the values in it."""
    return _SpanReader(text).value()


class _SpanReader:
    """A reader of the spans of the values in a JSON text."""

    def __init__(self, text: str) -> None:
        self._tokens: Iterator[re.Match[str]] = _TOKEN.finditer(text)

    def value(self, token: re.Match[str] | None = None) -> Span:
        """The value that begins with `token`, by default the next token."""
        token = token or next(self._tokens)
        if token[1] == "[":
            return self._array(token)
        return self._object(token) if token[1] == "{" else Span(token.start(1), token.end(1))

    def _array(self, opening: re.Match[str]) -> Span:
        elements: list[Span] = []
        while (token := next(self._tokens))[1] != "]":
            elements.append(self.value(next(self._tokens) if token[1] == "," else token))
        return Span(opening.start(1), token.end(1), elements)

    def _object(self, opening: re.Match[str]) -> Span:
        members: dict[str, Span] = {}
        while (token := next(self._tokens))[1] != "}":
            key = next(self._tokens) if token[1] == "," else token
            next(self._tokens)  # the colon
            members[json.loads(key[1])] = self.value()
        return Span(opening.start(1), token.end(1), members)
