"""The character classes that regular expressions name: escapes such as \\d, Unicode properties, case pairs."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from functools import cache, lru_cache
from itertools import groupby

from ..grammar import Chars, Expr, any_of, char_ranges, chars

DIGIT = chars("09")
WORD = chars("az", "AZ", "09", "__")
ASCII_SPACE = any_of(" \t\n\r\f\v")
# ECMA-262 WhiteSpace and LineTerminator: the Zs category, the byte order mark and the line separators.
ECMA_SPACE = any_of(
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
UNICODE_SPACE = any_of(
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
JOINERS = char_ranges([(0x200C, 0x200D)])
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
    return _of_categories(("Lu", "Ll", "Lt") if short == "LC" else (short,))


def _of_categories(wanted: tuple[str, ...]) -> Expr:
    return char_ranges((low, high) for low, high, name in _runs() if name.startswith(wanted))


@cache
def _runs() -> list[tuple[int, int, str]]:
    """The code points in runs of one category each."""
    runs, start = [], 0
    for name, group in groupby(map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))):
        end = start + len(list(group))
        runs.append((start, end - 1, name))
        start = end
    return runs


@lru_cache(maxsize=3)
def surely(letter: str) -> Expr:
    """What \\d, \\w or \\s means in every engine that knows Unicode, of whatever version (UTS 18, annex C)."""
    if letter == "s":
        return UNICODE_SPACE
    if letter == "d":
        return _of_categories(("Nd",))
    return union(JOINERS, _of_categories(("L", "M", "Nd", "Nl", "Pc")))


@lru_cache(maxsize=3)
def perhaps(letter: str) -> Expr:
    """All that \\d, \\w or \\s may mean in such an engine: characters that are not assigned yet may come to be any."""
    if letter == "s":
        return union(ECMA_SPACE, any_of("\u0085\x1c\x1d\x1e\x1f"))
    if letter == "d":
        return _of_categories(("Nd", "Cn"))
    circled = char_ranges([(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)])
    return union(circled, JOINERS, _of_categories(("L", "M", "Nd", "Nl", "Pc", "Cn")))


@lru_cache(maxsize=3)
def python_class(letter: str) -> Expr:
    """What \\d, \\w or \\s means to the running Python without re.ASCII."""
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    runs = (match.span() for match in re.finditer(rf"\{letter}+", text))
    return char_ranges((start, end - 1) for start, end in runs)


def ignore_case(expr: Expr) -> Expr:
    """`expr`, one character, with the other case of its ASCII letters (as re.ASCII | re.IGNORECASE)."""
    if not isinstance(expr, Chars):
        return expr
    return char_ranges([*expr.ranges, *_shifted(expr, "az", -32), *_shifted(expr, "AZ", 32)])


def every_case(expr: Expr) -> Expr:
    """`expr`, one character, with all characters that differ from one of its own in case alone, in any language."""
    if not isinstance(expr, Chars):
        return expr
    groups = (
        group for group in _cases() if any(low <= c <= high for low, high in expr.ranges for c in group)
    )
    return char_ranges([*expr.ranges, *((c, c) for group in groups for c in group)])


@cache
def _cases() -> list[list[int]]:
    """Sets of characters that are one when case is ignored."""
    groups: dict[str, list[int]] = defaultdict(list)
    for low, high, name in _runs():
        if name in ("Lu", "Ll", "Lt", "Mn", "Nl", "So"):
            for c in range(low, high + 1):
                groups[chr(c).lower().upper().casefold()].append(c)
    return [group for group in groups.values() if len(group) > 1]


def _shifted(expr: Chars, letters: str, distance: int) -> list[tuple[int, int]]:
    first, last = map(ord, letters)
    cut = ((max(low, first), min(high, last)) for low, high in expr.ranges)
    return [(low + distance, high + distance) for low, high in cut if low <= high]


def union(*parts: Expr) -> Expr:
    """One character that is in any of the parts."""
    return char_ranges(r for part in parts if isinstance(part, Chars) for r in part.ranges)
