"""The attributes of a rule, in brackets after its name."""

from __future__ import annotations

import re
from typing import Any, Literal

from .nodes import Attributes, EndMarker, NamedPart, Quoted, Slashed, Written, is_terminal
from .scanner import LarkWord, characters
from .words import WordStream

ATTRIBUTE_NAMES = "the attributes are capture, max_tokens, lazy, suffix, stop and stop_capture"
INSTEAD = {
    "temperature": "pass temperature= to the call that generates",
    "priority": "remove it: every reading of a text counts",
}
MOST_TOKENS = 100_000


class AttributeReader:
    """The part of a parser that reads attributes."""

    words: WordStream

    def attributes(self, rule: str) -> Attributes:
        """The attributes of a rule, from the opening bracket to the closing one."""
        words, given = self.words, dict[str, Any]()
        opening = words.take()
        while not words.is_sign("]"):
            key = words.take()
            if key.kind != "name":
                key.wrong("expected an attribute", ATTRIBUTE_NAMES)
            if key.text in given:
                key.wrong(f"{key.text} attribute is specified more than once", "remove one of the two")
            given[key.text] = self._value(key, rule, given)
            if words.is_sign(","):
                words.take()
            elif not words.is_sign("]"):
                words.word.wrong("expected ',' or ']' after an attribute", "close the brackets")
        words.take()
        return _checked(opening, given)

    def _value(self, key: LarkWord, rule: str, given: dict[str, Any]) -> Any:
        words = self.words
        if key.text == "lazy":
            return True
        if key.text == "capture" and not words.is_sign("="):
            return rule
        if key.text not in ("capture", "max_tokens", "suffix", "stop", "stop_capture"):
            key.wrong(f"attribute {key.text!r} is not supported", INSTEAD.get(key.text, ATTRIBUTE_NAMES))
        if not words.is_sign("="):
            words.word.wrong(f"expected '=' after {key.text}", f"write {key.text}= and its value")
        words.take()
        if key.text == "max_tokens":
            return self._count()
        if key.text in ("suffix", "stop"):
            other = "stop" if key.text == "suffix" else "suffix"
            if other in given:
                key.wrong(f"{key.text} cannot be combined with {other}", "remove one of the two")
            return self._marker(key)
        return self._name(key)

    def _name(self, key: LarkWord) -> str:
        word = self.words.word
        if word.kind != "string":
            word.wrong(f"expected string literal after {key.text}=", f'write {key.text}="name"')
        self.words.take()
        name = characters(word)
        if not name:
            word.wrong("capture name must not be empty", f'write {key.text}="name"')
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            word.wrong(
                "capture name must only contain letters, digits, _, - and .", f'write {key.text}="name"'
            )
        return name

    def _count(self) -> int:
        word = self.words.take()
        if word.kind != "number" or not word.text.isdigit() or len(word.text) > 6:
            word.wrong("max_tokens must be a whole number", "write max_tokens=100")
        count = int(word.text)
        if not 0 < count <= MOST_TOKENS:
            word.wrong("max_tokens must be positive and at most 100,000", "write max_tokens=100")
        return count

    def _marker(self, key: LarkWord) -> Written:
        word = self.words.take()
        if word.kind == "string":
            text = characters(word)
            if not text:
                word.wrong(f"{key.text} must not be empty", "write the text at which the region ends")
            return Quoted(word.at, text, word.text.endswith("i"))
        if word.kind == "regex":
            pattern, _, flags = word.text[1:].rpartition("/")
            return Slashed(word.at, pattern, flags)
        if word.kind != "name":
            word.wrong(f"expected a terminal after {key.text}=", "write a string, /regex/ or TERMINAL")
        if not is_terminal(word.text):
            word.wrong(f"{key.text} terminal name must be uppercase", "name a terminal, not a rule")
        return NamedPart(word.at, word.text)


def _checked(opening: LarkWord, given: dict[str, Any]) -> Attributes:
    kind: Literal["suffix", "stop"] | None
    kind = "suffix" if "suffix" in given else "stop" if "stop" in given else None
    marker = EndMarker(kind, given[kind], given.get("stop_capture")) if kind else None
    if marker is None and "stop_capture" in given:
        opening.wrong("stop_capture requires stop or suffix", "remove it, or say where the region ends")
    return Attributes(given.get("capture"), given.get("max_tokens"), given.get("lazy", False), marker)
