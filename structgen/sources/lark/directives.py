"""What follows %import, %regex and the directives with options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .common import COMMON
from .nodes import LarkDefinition, Slashed
from .scanner import LarkWord
from .words import WordStream

REGEX_FIELDS = ("substring_chars", "substring_words", "substring_chunks")
OPTIONS = ("allow_initial_skip", "no_forcing", "allow_invalid_utf8", "ignore_once")
WORD_PIECES = re.compile(r"\w+|\s+|[^\w\s]+")


def imported(words: WordStream) -> Iterator[LarkDefinition]:
    """The terminals of `common.X`, `common.X -> Y` or `common (X, Y)`."""
    library = words.take()
    if library.kind != "name" or library.text != "common":
        library.wrong(
            f"unknown import {library.text!r}", "only common can be imported from: %import common.X"
        )
    if words.is_sign("("):
        words.take()
        yield from _several(words)
        return
    if not words.is_sign("."):
        words.word.wrong("expected '.' or '(' after %import common", "write %import common.X")
    words.take()
    name = words.take()
    if not words.is_sign("->"):
        yield _common(name, name)
        return
    words.take()
    alias = words.take()
    if alias.kind != "name":
        alias.wrong("expected a name after '->'", "write %import common.X -> NAME")
    yield _common(name, alias)


def _several(words: WordStream) -> Iterator[LarkDefinition]:
    while True:
        words.skip_newlines()
        name = words.take()
        yield _common(name, name)
        words.skip_newlines()
        if words.is_sign(")"):
            words.take()
            return
        if not words.is_sign(","):
            words.word.wrong("expected ',' or ')' in %import", "write %import common (X, Y)")
        words.take()


def _common(name: LarkWord, alias: LarkWord) -> LarkDefinition:
    if name.text not in COMMON:
        name.wrong(f"unknown common import {name.text!r}", f"there are {', '.join(COMMON)}")
    return LarkDefinition(alias.at, alias.text, Slashed(name.at, COMMON[name.text].replace("/", "\\/"), ""))


def pieces(word: LarkWord, value: Any) -> tuple[str, ...]:
    """The pieces that %regex names."""
    known = f"the fields are {', '.join(REGEX_FIELDS)}"
    if not isinstance(value, dict):
        word.wrong("%regex value must be an object", known)
    for name in value:
        if name not in REGEX_FIELDS:
            word.wrong(f"unknown field {name!r} in %regex", known)
    if len(value) != 1:
        word.wrong("only one field can be set on %regex" if value else "no fields set on %regex", known)
    ((name, given),) = value.items()
    if name == "substring_chunks":
        if not isinstance(given, list) or not all(isinstance(piece, str) for piece in given):
            word.wrong("substring_chunks must be an array of strings", 'write ["one", "two"]')
        return _encodable(word, tuple(given))
    if not isinstance(given, str):
        word.wrong(f"{name} must be a string", "write the text itself")
    return _encodable(word, tuple(given if name == "substring_chars" else WORD_PIECES.findall(given)))


def _encodable(word: LarkWord, given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        "".join(given).encode()
    except UnicodeEncodeError:
        word.wrong("%regex has half of a surrogate pair, which is no character", "write both halves")
    return given


def grammar_options(word: LarkWord, value: Any) -> bool | None:
    """Whether skipping may come first, None if the options do not say so; the others must be as they are by default."""
    known = f"the options are {', '.join(OPTIONS)}"
    if not isinstance(value, dict):
        word.wrong(f"{word.text} value must be an object", known)
    for name, given in value.items():
        if name not in OPTIONS:
            word.wrong(f"unknown {word.text} option {name!r}", known)
        if not isinstance(given, bool):
            word.wrong(f"{name} must be a boolean", "write true or false")
        harmless = name == "allow_initial_skip" or (name == "no_forcing" and word.text == "%llguidance")
        if given and not harmless:
            word.wrong(f"{word.text} option {name!r} is not supported", "remove it")
    return value.get("allow_initial_skip")
