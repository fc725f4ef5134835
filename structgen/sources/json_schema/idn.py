"""Names and addresses in all scripts: `idn-hostname` and `idn-email`.

A label may hold the letters, marks and digits of RFC 5892, derived as it says from Unicode's database, without those
that only some neighbours allow. It is in normal form C because none of its characters composes with the one before, and
marks that normalising would reorder do not follow each other. Letters written from right to left keep RFC 5893's rule
by making up whole labels, with European digits and hyphens inside.

A label is sent in Punycode, where it may have 63 letters; no finite automaton can count these. So labels that are
not all ASCII are bounded by what always fits: FEW characters of the basic plane, MANY of the alphabets
at its beginning, or SOME Latin letters with marks among plain ones. Punycode writes a character as its distance from
the one before in the order of code points, times the length so far; a product of 26, 286, 2,886 … takes one digit more
at worst, and the distances add up to no more than the characters lie apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

from structgen.grammar import (
    ANY_CHAR,
    TEXT,
    Expr,
    alt,
    any_of,
    both,
    char_ranges,
    literal,
    optional,
    repeat,
    seq,
    star,
)

from ..languages import without
from ..regex import fullmatch_expr
from ..regex.char_classes import union

FEW, PLANE = 11, 0xFFFF  # characters of a label, and the last of them
MANY, ALPHABETS = 14, 0x107F
SOME, AMONG, LATIN = 5, 38, 0x1EFF  # characters that are not ASCII, and of the label

# RFC 5892, 2.6: what is a letter by exception, and what is none.
_MORE = frozenset({0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007})
_LESS = frozenset({0x640, 0x7FA, 0x302E, 0x302F, *range(0x3031, 0x3036), 0x303B})
# 2.3, 2.4 and 2.9: characters without a shape, marks for symbols and notes of music, old Hangul.
_LEFT_OUT = ((0x34F, 0x34F), (0x1100, 0x11FF), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x206F), (0x20D0, 0x20FF),
             (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0xFE00, 0xFE0F), (0x1D100, 0x1D24F), (0xE0000, 0xE0FFF))  # fmt: skip

_DOTS = any_of(".\u3002\uff0e\uff61")
_PLAIN = r"(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_SMALL, _DIGITS = {*range(0x61, 0x7B)}, {*range(0x30, 0x3A)}


def idn_hostname() -> Expr:
    """Up to three labels, between any of the dots that RFC 3490 takes for one."""
    label = alt(fullmatch_expr(_PLAIN), *_labels())
    return seq(label, repeat(seq(_DOTS, label), 0, 2))


def idn_email(email: Expr, wide: str) -> Expr:
    """RFC 6531: as in `email`, or with `wide` characters too, of which 16 surely fit into its 64 bytes."""
    char = union(fullmatch_expr(_ATOM), fullmatch_expr(f"[{wide}]"))
    atom = repeat(char, 1)
    local = both(seq(atom, star(seq(literal("."), atom))), repeat(ANY_CHAR, 1, 16))
    return alt(email, seq(local, literal("@"), idn_hostname()))


def _labels() -> list[Expr]:
    """The labels that need not be ASCII."""
    left = {*_SMALL, *_DIGITS, *_allowed("left")}
    right = set(_allowed("right"))
    few, many = (_written(left, right, last, most) for last, most in ((PLANE, FEW), (ALPHABETS, MANY)))
    latin = {code for code in left if code < 0x80 or "LATIN" in unicodedata.name(chr(code), "")}
    ascii_, wide = char_ranges([(0, 0x7F)]), char_ranges([(0x80, PLANE)])
    some = seq(star(ascii_), repeat(seq(wide, star(ascii_)), 0, SOME))
    return [few, many, both(_written(latin, set(), LATIN, AMONG), some)]


def _written(left: set[int], right: set[int], last: int, longest: int) -> Expr:
    """Labels of `left` letters, and labels of `right` ones with digits inside; no hyphens third and fourth."""
    left, right = ({code for code in codes if code <= last} for codes in (left, right))
    label = alt(_shaped(left, left), _shaped(right, right | _DIGITS))
    third = seq(repeat(ANY_CHAR, 2, 2), literal("--"), TEXT)
    return without(both(label, repeat(ANY_CHAR, 1, longest)), third)


def _shaped(first: set[int], others: set[int]) -> Expr:
    """A letter, then letters, marks and hyphens. No hyphen is last, and a mark that may move follows none that may."""
    letters, staying, moving = (_chars(some) for some in _kinds(others))
    begin, _, _ = _kinds(first)
    more = seq(alt(staying, seq(star(literal("-")), letters)), optional(moving))
    return seq(_chars(begin), optional(moving), star(more))


def _kinds(codes: set[int]) -> tuple[set[int], set[int], set[int]]:
    """Letters and digits, marks that stay where they are, and marks that normalising may move."""
    marks = {code for code in codes if unicodedata.category(chr(code)).startswith("M")}
    moving = {code for code in marks if unicodedata.combining(chr(code))}
    return codes - marks, marks - moving, moving


def _chars(codes: Iterable[int]) -> Expr:
    return char_ranges((code, code) for code in codes)


@cache
def _allowed(direction: str) -> tuple[int, ...]:
    """What RFC 5892 allows anywhere, ASCII left out, of the letters written in a direction; marks go in both."""
    composing = _composing()
    codes = (code for code in range(0x80, PLANE + 1) if code not in composing and _is_valid(code))
    return tuple(code for code in codes if direction in _directions(unicodedata.bidirectional(chr(code))))


def _directions(bidirectional: str) -> tuple[str, ...]:
    if bidirectional == "NSM":
        return ("left", "right")
    return ("right",) if bidirectional in ("R", "AL") else () if bidirectional == "AN" else ("left",)


def _is_valid(code: int) -> bool:
    """PVALID, as section 3 of RFC 5892 derives it; what its context decides (appendix A) is no letter."""
    char = chr(code)
    if code in _MORE or code in _LESS or any(low <= code <= high for low, high in _LEFT_OUT):
        return code in _MORE
    if unicodedata.category(char) not in ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd") or 0x6F0 <= code <= 0x6F9:
        return False
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    return folded == char


@cache
def _composing() -> frozenset[int]:
    """The characters that normal form C may join to the one before."""
    pairs = (unicodedata.decomposition(chr(code)).split() for code in range(PLANE + 1))
    return frozenset(int(pair[1], 16) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<"))
