"""The character classes that regular expressions name: escapes such as \\d, Unicode properties, case pairs."""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

from ..grammar import Chars, Expr, any_of, char_ranges, chars

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
    return char_ranges((c, c) for c in range(sys.maxunicode + 1) if _category(c).startswith(wanted))


@lru_cache(maxsize=3)
def unicode_class(letter: str) -> Expr:
    """All that \\d, \\w or \\s may mean in an engine that knows Unicode (UTS 18, annex C)."""
    if letter == "s":
        return union(ECMA_SPACE, any_of("\u0085\x1c\x1d\x1e\x1f"))
    if letter == "d":
        return union(*filter(None, [category("Nd")]))
    circled = char_ranges([(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)])
    joiners = char_ranges([(0x200C, 0x200D)])
    return union(circled, joiners, *filter(None, map(category, ("L", "M", "N", "Pc"))))


def _category(code_point: int) -> str:
    return unicodedata.category(chr(code_point))


def ignore_case(expr: Expr) -> Expr:
    """`expr`, one character, with the other case of its ASCII letters (as re.ASCII | re.IGNORECASE)."""
    if not isinstance(expr, Chars):
        return expr
    return char_ranges([*expr.ranges, *_shifted(expr, "az", -32), *_shifted(expr, "AZ", 32)])


def _shifted(expr: Chars, letters: str, distance: int) -> list[tuple[int, int]]:
    first, last = map(ord, letters)
    cut = ((max(low, first), min(high, last)) for low, high in expr.ranges)
    return [(low + distance, high + distance) for low, high in cut if low <= high]


def union(*parts: Expr) -> Expr:
    """One character that is in any of the parts."""
    return char_ranges(r for part in parts if isinstance(part, Chars) for r in part.ranges)
