"""The character classes that regular expressions name: escapes such as \\d, Unicode properties, case pairs."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from structgen.grammar import Chars, Expr, any_of, char_ranges, chars

DIGIT = chars("09")
WORD = chars("az", "AZ", "09", "__")
ASCII_SPACE = any_of(" \t\n\r\f\v")
# ECMA-262 WhiteSpace and LineTerminator: the Zs category, the byte order mark and the line separators.
ECMA_SPACE = any_of(
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
NEWLINE = any_of("\n")
ECMA_NEWLINE = any_of("\n\r\u2028\u2029")

_LONG_NAMES = {
    "Letter": "L", "Cased_Letter": "LC", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M",
    "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me", "Number": "N",
    "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl", "Other_Number": "No", "Punctuation": "P",
    "punct": "P", "Connector_Punctuation": "Pc", "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps",
    "Close_Punctuation": "Pe", "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf",
    "Other_Punctuation": "Po", "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc",
    "Modifier_Symbol": "Sk", "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs",
    "Line_Separator": "Zl", "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc",
    "Format": "Cf", "Private_Use": "Co", "Unassigned": "Cn",
}  # fmt: skip
_CATEGORIES = frozenset(_LONG_NAMES.values())


@lru_cache(maxsize=64)
def category(name: str) -> Expr | None:
    """The characters of a Unicode general category, by short or long name; None if there is no such category.

    The assignments are those of the running Python's Unicode database.
    """
    name = name.removeprefix("General_Category=").removeprefix("gc=")
    short = _LONG_NAMES.get(name, name)
    if short not in _CATEGORIES:
        return None
    wanted = ("Lu", "Ll", "Lt") if short == "LC" else (short,)
    return char_ranges((low, high) for low, high, found in _runs() if found.startswith(wanted))


@cache
def _runs() -> tuple[tuple[int, int, str], ...]:
    """Runs of characters of one category: first, last, category."""
    firsts = [c for c in range(sys.maxunicode + 1) if not c or _category(c) != _category(c - 1)]
    return tuple((a, b - 1, _category(a)) for a, b in pairwise([*firsts, sys.maxunicode + 1]))


def _category(code_point: int) -> str:
    return unicodedata.category(chr(code_point))


@cache
def unassigned() -> Expr:
    """Characters that Python's database does not know; in a newer one, some may be letters or digits."""
    return union(*_categories("Cn"))


@cache
def python_class(letter: str) -> Expr:
    """What \\d, \\w or \\s stands for in Python's re, found by running re over all characters."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    return char_ranges((found.start(), found.end() - 1) for found in re.finditer(rf"\{letter}+", every))


@cache
def rust_class(letter: str) -> Expr:
    """What \\d, \\w or \\s stands for in Rust's regex: White_Space, Nd, and the words of UTS 18, annex C."""
    if letter == "s":
        return union(*_categories("Z"), any_of("\t\n\v\f\r\u0085"))
    if letter == "d":
        return union(*_categories("Nd"))
    circled = char_ranges([(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)])
    joiners = char_ranges([(0x200C, 0x200D)])
    return union(circled, joiners, *_categories("L", "M", "Nd", "Nl", "Pc"))


def _categories(*names: str) -> Iterator[Expr]:
    return filter(None, map(category, names))


def ascii_case(expr: Expr) -> Expr:
    """`expr`, one character, with the other case of its ASCII letters (as re.ASCII | re.IGNORECASE)."""
    if not isinstance(expr, Chars):
        return expr
    return char_ranges([*expr.ranges, *_shifted(expr, "az", -32), *_shifted(expr, "AZ", 32)])


def python_case(expr: Expr) -> Expr:
    """`expr`, one character, with all characters that match it under Python's (?i), found by re itself."""
    if not isinstance(expr, Chars):
        return expr
    ranges = "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in expr.ranges)
    return union(expr, any_of("".join(re.findall(f"(?i)[{ranges}]", _cased()))))


def simple_case(expr: Expr) -> Expr:
    """`expr`, one character, with all characters of the same simple case folding, as under (?i) in ECMA-262 and Rust.

    Characters with the same full folding have the same simple folding, and Python provides the full one.
    """
    if not isinstance(expr, Chars):
        return expr
    inside = [char for char in _cased() if any(low <= ord(char) <= high for low, high in expr.ranges)]
    folded = {char.casefold() for char in inside}
    return union(expr, any_of("".join(char for char in _cased() if char.casefold() in folded)))


@cache
def _cased() -> str:
    """The characters that also exist in another case."""
    every = map(chr, range(sys.maxunicode + 1))
    return "".join(char for char in every if char != char.lower() or char != char.upper())


def _shifted(expr: Chars, letters: str, distance: int) -> list[tuple[int, int]]:
    first, last = map(ord, letters)
    cut = ((max(low, first), min(high, last)) for low, high in expr.ranges)
    return [(low + distance, high + distance) for low, high in cut if low <= high]


def union(*parts: Expr) -> Expr:
    """One character that is in any of the parts."""
    return char_ranges(r for part in parts if isinstance(part, Chars) for r in part.ranges)
