"""The current word of a grammar and those that follow; a newline counts only where it can end a rule."""

from __future__ import annotations

from typing import Any

from .scanner import LarkWord, Scanner


class WordStream:
    """A stream of words. word: the current one; brackets: how many are open, within which newlines mean nothing"""

    def __init__(self, scanner: Scanner):
        self._scanner = scanner
        self._waiting: list[LarkWord] = []
        self.brackets = 0
        self.word = self._next()

    def take(self) -> LarkWord:
        """The current word; the next becomes the current one."""
        word = self.word
        self.word = self._next()
        return word

    def ahead(self) -> LarkWord:
        """The word after the current one."""
        if not self._waiting:
            self._waiting.append(self._next())
        return self._waiting[0]

    def is_sign(self, *signs: str) -> bool:
        """Whether the current word is one of these signs."""
        return self.word.kind == "sign" and self.word.text in signs

    def skip_newlines(self) -> None:
        """Go on to a word that is no newline."""
        while self.word.kind == "newline":
            self.take()

    def json(self) -> Any:
        """The JSON value after the current word; the word after it becomes the current one."""
        value = self._scanner.json(self.word)
        self.word = self._next()
        return value

    def _next(self) -> LarkWord:
        if self._waiting:
            return self._waiting.pop(0)
        word = self._scanner.next()
        if word.kind != "newline":
            return word
        after = self._scanner.next()
        while after.kind == "newline":
            after = self._scanner.next()
        if self.brackets or (after.kind == "sign" and after.text in ("|", "->")):
            return after
        self._scanner.offset = after.at.offset
        return word
