"""Strings: the language of their values, and the spelling of these values in JSON.

Values are languages of characters; spelling is the map that writes each character in JSON. The map is injective, so it
preserves intersections, and complements relative to its image: spell(not L) = spell(TEXT) minus spell(L). Strings that
are free except for their length may use every escape (long counted ones only the short escapes). Strings with a
pattern, a format or an enum, and keys, have one spelling per character: the character itself if JSON allows that,
otherwise its short escape or \\u00XX. Texts that are read have this one spelling everywhere (see `canonical`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from structgen.errors import InvalidSource
from structgen.grammar import (
    ANY_CHAR,
    NOTHING,
    SLACK,
    TEXT,
    Alt,
    And,
    Bytes,
    Chars,
    Excerpt,
    Expr,
    Not,
    Placeholder,
    Ref,
    Repeat,
    Seq,
    StateGraph,
    alt,
    any_of,
    automaton,
    both,
    char_ranges,
    chars,
    complement,
    copied,
    literal,
    repeat,
    respelled,
    seq,
)

from ..languages import intersect
from .copying import read_copying
from .node import Node

QUOTE = literal('"')
SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
# Runs of characters that are written as themselves: all but controls, the quote and the backslash.
UNESCAPED = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0x10FFFF))
SPECIAL = tuple(chr(c) for c in [*range(0x20), 0x22, 0x5C])

_HEX = chars("09", "af", "AF")


def _unicode_escape() -> Expr:
    """\\uXXXX for a character of the basic plane, or two of them for a surrogate pair; never a lone surrogate."""
    d = any_of("dD")
    plane = alt(
        seq(chars("09", "ac", "AC", "ef", "EF"), repeat(_HEX, 3, 3)),
        seq(d, chars("07"), repeat(_HEX, 2, 2)),
    )
    high = seq(d, chars("89", "ab", "AB"), repeat(_HEX, 2, 2))
    low = seq(d, chars("cf", "CF"), repeat(_HEX, 2, 2))
    return seq(literal("u"), alt(plane, seq(high, literal("\\u"), low)))


# One character of a free string, in any of its JSON spellings.
ANY_SPELLING = alt(char_ranges(UNESCAPED), seq(literal("\\"), alt(any_of('"\\/bfnrt'), _unicode_escape())))

# The same without \\uXXXX: counting it takes several states for each character.
SHORT_SPELLING = alt(char_ranges(UNESCAPED), seq(literal("\\"), any_of('"\\/bfnrt')))
MOST_COUNTED = 64


def read_strings(node: Node, format_: Callable[[Node], Expr], search: Callable[[str, str], Expr]) -> Expr:
    """The values that minLength, maxLength, pattern and format allow.

    `format_` returns the strings of a format. `search` returns those in which a pattern is found; its second argument
    is the pointer of the pattern.
    """
    low = node.child("minLength").count() if "minLength" in node else 0
    high = node.child("maxLength").count() if "maxLength" in node else None
    if high is not None and low > high:
        return NOTHING
    values = repeat(ANY_CHAR, low, high)
    if "format" in node:
        values = intersect(format_(node.child("format")), values)
    if "pattern" in node:
        place = node.child("pattern")
        values = intersect(search(encodable(place), place.pointer), values)
    if "x-verbatim" in node:
        values = intersect(read_copying(node.child("x-verbatim")), values)
    return values


def encodable(place: Node) -> str:
    """The string at `place`, which must not contain lone surrogates: JSON text cannot encode them."""
    text = place.string()
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidSource("this string has a lone surrogate", pointer=place.pointer) from None
    return text


def spell_strings(values: Expr, *, reading: bool = False) -> Expr:
    """The JSON texts of string values, quoted, with slack before the end quote; texts read may have any character."""
    if values is NOTHING:
        return NOTHING
    return seq(QUOTE, _spell_free(values, reading) or spell(values), SLACK, QUOTE)


def spell_key(keys: Expr) -> Expr:
    """The JSON texts of keys, in quotes."""
    return seq(QUOTE, spell(keys), QUOTE)


def _spell_free(values: Expr, reading: bool) -> Expr | None:
    """The content of strings that are constrained only in length; None for other strings."""
    if isinstance(values, Repeat) and values.body is ANY_CHAR:
        if max(values.low, values.high or 0) <= MOST_COUNTED:
            return repeat(ANY_SPELLING, values.low, values.high)
        return None if reading else repeat(SHORT_SPELLING, values.low, values.high)
    return ANY_SPELLING if values is ANY_CHAR else None


@lru_cache(maxsize=20_000)
def spell(values: Expr) -> Expr:
    """The content between the quotes for each value, one spelling per character."""
    match values:
        case Bytes(value):
            return literal("".join(_spell_char(char) for char in value.decode()))
        case Chars(ranges):
            special = [literal(_spell_char(c)) for c in SPECIAL if any(a <= ord(c) <= b for a, b in ranges)]
            return alt(_plain(ranges), *special)
        case Seq(parts):
            return seq(*map(spell, parts))
        case Alt(parts):
            return alt(*map(spell, parts))
        case Repeat(body, low, high):
            return repeat(spell(body), low, high)
        case And(parts):
            return both(*map(spell, parts))
        case StateGraph(moves, accepting):
            return automaton([(source, spell(label), target) for source, label, target in moves], accepting)
        case Not(body):
            return both(spell(TEXT), complement(spell(body)))
        case Excerpt():
            return respelled(values, _spell_char)
        case Placeholder():
            return copied(values.align, values.low, values.high, folded=values.folded, spelled=True)
        case Ref():  # whose rule is spelled too
            return values
    raise TypeError(f"{type(values).__name__} is not about characters")


def _spell_char(char: str) -> str:
    if char in SHORT:
        return SHORT[char]
    return char if char >= " " else f"\\u{ord(char):04x}"


def _plain(ranges: tuple[tuple[int, int], ...]) -> Expr:
    """The characters of the ranges that are written as themselves."""
    cut = [(max(a, c), min(b, d)) for a, b in ranges for c, d in UNESCAPED]
    return char_ranges([(a, b) for a, b in cut if a <= b])
