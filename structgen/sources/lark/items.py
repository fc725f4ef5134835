"""Strings, ranges of characters, special tokens and repetitions, as they are written."""

from __future__ import annotations

import re

from .nodes import CharRange, Quoted, SpecialToken, TokenIds, Written
from .scanner import LarkWord, characters
from .words import WordStream

MOST_COPIES = 100_000
MOST_ID = 1 << 31
COUNT = "a count is a number up to 100,000, as in {2}, {2,}, {,3} or {2,3}"


def text(word: LarkWord) -> Quoted:
    """A string, with or without the flag i."""
    spelled, fold = characters(word), word.text.endswith("i")
    if fold and not spelled.isascii():
        word.wrong(
            "case-insensitive string literals currently support ASCII characters only",
            "write the spellings as alternatives",
        )
    return Quoted(word.at, spelled, fold)


def char_range(low: LarkWord, words: WordStream) -> Written:
    """ "a".."z", of which the first string has been read."""
    dots = words.take()
    high = words.word
    if high.kind != "string":
        high.wrong("expected a string after '..'", 'write a range of characters as "a".."z"')
    words.take()
    for end in (low, high):
        if end.text.endswith("i"):
            end.wrong("flags are not allowed on character ranges", "write both ranges as alternatives")
        if len(characters(end)) != 1:
            end.wrong("range endpoints must be one character", 'write "a".."z"')
    if characters(low) > characters(high):
        dots.wrong("range start must not exceed end", "exchange the two")
    return CharRange(low.at, characters(low), characters(high))


def special_token(word: LarkWord) -> Written:
    """<name>, or <[…]> with ids."""
    listed = re.fullmatch(r"<\[(.*)\]>", word.text)
    if listed is None:
        return SpecialToken(word.at, word.text)
    negated, ranges = listed[1].startswith("^"), listed[1].removeprefix("^")
    if ranges == "*":
        if negated:
            word.wrong("negated wildcard special token is not supported", "it would be no token at all")
        return TokenIds(word.at, ((0, MOST_ID),), False)
    if "*" in ranges:
        word.wrong("wildcard cannot be mixed with token ids", "write <[*]> for any token")
    found = tuple(_ids(word, part.strip()) for part in ranges.split(",") if part.strip())
    if not found:
        word.wrong("empty numeric special-token range", "list ids, such as <[7]> or <[2-5,9]>")
    return TokenIds(word.at, found, negated)


def _ids(word: LarkWord, part: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,10})(?:\s*-\s*(\d{1,10}))?", part)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if low > high:
        word.wrong(f"invalid numeric special-token range {part!r}", "write <[7]> or <[2-5,9]>")
    return low, high


def repetition(words: WordStream) -> tuple[int, int | None]:
    """The bounds that ?, *, +, {…} or ~… stand for."""
    sign = words.take()
    if sign.text in ("?", "*", "+"):
        return {"?": (0, 1), "*": (0, None), "+": (1, None)}[sign.text]
    low = _count(words) if sign.text == "~" or not words.is_sign(",") else 0
    high: int | None = low
    if sign.text == "~" and words.is_sign(".."):
        words.take()
        high = _count(words)
    elif sign.text == "{" and words.is_sign(","):
        words.take()
        high = None if words.is_sign("}") else _count(words)
    if sign.text == "{":
        if not words.is_sign("}"):
            words.word.wrong("expected '}' after repetition", COUNT)
        words.take()
    if high is not None and high < low:
        sign.wrong("repetition end must be greater than or equal to its start", "exchange the two")
    return low, high


def _count(words: WordStream) -> int:
    word = words.word
    if word.kind != "number" or not word.text.isdigit() or len(word.text) > 6 or int(word.text) > MOST_COPIES:
        word.wrong("invalid repetition count", COUNT)
    words.take()
    return int(word.text)
