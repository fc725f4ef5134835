"""The detours of `uniqueItems`: how the text continues if an element must differ from those before it.

The text before the repetition is kept. After it, no further element of the array may be spelled like a value that the
array already has. Elements that are arrays or objects are not read past, so only the next of these is compared, and
each of the others in its turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import permutations
from typing import Any

from structgen.grammar import (
    EMPTY,
    Detour,
    Expr,
    alt,
    any_of,
    chars,
    chars_except,
    literal,
    repeat,
    seq,
    star,
)

from .formula import Formula
from .repeats import Judge
from .spans import spans

MOST_SHUFFLED = 4  # members of an object excluded in every order; more members: in the seen orders
MOST_DIGITS = 4000  # digits of a whole number that Python reads as an int

_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_GAP = star(any_of(" \t\n\r"))
_COMMA = seq(_GAP, literal(","), _GAP)


@dataclass(frozen=True, eq=False)
class Uniqueness:
    """The check of a grammar with uniqueItems at `places`: accepted texts repeat no element there."""

    judge: Judge
    formula: Formula
    places: tuple[str, ...]

    def __call__(self, text: str) -> Detour | None:
        """How to continue at the first repeated element; None if no element is repeated."""
        repeat = self.judge.repeat(self.formula, as_read(text))
        if repeat is None:
            return None
        elements = spans(text).at(repeat.path).elements
        spelled = [text[part.start : part.end] for part in elements[: repeat.index + 1]]
        return Detour(len(text[: elements[repeat.index - 1].end].encode()), not_again(spelled), repeat.path)


def as_read(text: str) -> Any:
    """The value of a JSON text, with fractions exactly as written."""
    return json.loads(text, parse_float=Decimal, parse_int=_whole)


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < MOST_DIGITS else Decimal(digits)


def not_again(spelled: Sequence[str]) -> Expr:
    """The texts that must not follow the last but one of these elements: any scalars, then one of the elements."""
    again = alt(*(_spellings(as_read(text)) for text in spelled), *map(literal, spelled))
    return seq(_COMMA, star(seq(_scalar(), _COMMA)), again, _GAP, any_of(",]"))


@cache
def _scalar() -> Expr:
    """Any string, number, or word (true, false, null)."""
    plain = chars_except(any_of('"\\'))
    content = star(alt(plain, seq(literal("\\"), chars("\x00\U0010ffff"))))
    return alt(seq(literal('"'), content, literal('"')), repeat(chars("az", "09", "--", "++", "..", "EE"), 1))


def _spellings(value: Any) -> Expr:
    """The texts of one JSON value, except numbers with an exponent."""
    if isinstance(value, list):
        elements = [part for element in value for part in (_COMMA, _spellings(element))]
        return seq(literal("["), _GAP, *elements[1:], _GAP, literal("]"))
    if isinstance(value, dict):
        members = [(_string(key), _spellings(member)) for key, member in value.items()]
        orders = permutations(members) if len(members) <= MOST_SHUFFLED else [members]
        return alt(*(_object(order) for order in orders))
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number(Decimal(value))
    return literal(json.dumps(value))


def _object(members: Sequence[tuple[Expr, Expr]]) -> Expr:
    written = [part for key, value in members for part in (_COMMA, key, _GAP, literal(":"), _GAP, value)]
    return seq(literal("{"), _GAP, *written[1:], _GAP, literal("}"))


def _string(text: str) -> Expr:
    return seq(literal('"'), *map(_char, text), literal('"'))


def _char(char: str) -> Expr:
    units = char.encode("utf-16-be", "surrogatepass")
    escaped = [
        seq(literal("\\u"), *(any_of(digit.lower() + digit.upper()) for digit in units[i : i + 2].hex()))
        for i in range(0, len(units), 2)
    ]
    plain = literal(char) if char >= " " and char not in '"\\' and not "\ud800" <= char <= "\udfff" else None
    short = seq(literal("\\"), literal(_SHORT[char])) if char in _SHORT else None
    return alt(seq(*escaped), *(way for way in (plain, short) if way is not None))


def _number(value: Decimal) -> Expr:
    """A number as a decimal, with or without zeros after its last digit."""
    if abs(value.adjusted()) > 400 or value.as_tuple().exponent < -400:  # pyright: ignore
        return literal(str(value))
    whole, _, digits = f"{abs(value):f}".partition(".")
    digits, sign = digits.rstrip("0"), literal("-" if value < 0 else "")
    sign = alt(EMPTY, literal("-")) if not value else sign
    zeros = star(literal("0"))
    if digits:
        return seq(sign, literal(f"{whole}.{digits}"), zeros)
    return seq(sign, literal(whole), alt(EMPTY, seq(literal(".0"), zeros)))
