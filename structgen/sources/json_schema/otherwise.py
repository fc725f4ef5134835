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
from .spans import Span, spans

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
        return self.within(text, as_read(text), spans(text), JSON_AGAIN)

    def within(self, text: str, value: Any, span: Span, again: Again) -> Detour | None:
        """The same for a value that stands at a span of a text, in another syntax than JSON's if `again` is."""
        repeat = self.judge.repeat(self.formula, value)
        if repeat is None:
            return None
        elements = span.at(repeat.path).elements[: repeat.index + 1]
        for step in repeat.path:
            value = value[step]
        spelled = [text[part.start : part.end] for part in elements]
        never = again.not_again(spelled, value[: repeat.index + 1])
        return Detour(len(text[: elements[-2].end].encode()), never, repeat.path)


def as_read(text: str) -> Any:
    """The value of a JSON text, with fractions exactly as written."""
    return json.loads(text, parse_float=Decimal, parse_int=_whole)


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < MOST_DIGITS else Decimal(digits)


class Again:
    """The texts of values that are known, in JSON's syntax, which others vary."""

    comma: Expr = _COMMA
    colon: Expr = seq(_GAP, literal(":"), _GAP)
    gap: Expr = _GAP

    def not_again(self, spelled: Sequence[str], values: Sequence[Any]) -> Expr:
        """The texts that must not follow the last but one of these elements: any scalars, then one of the elements."""
        again = alt(*map(self.value, values), *map(literal, spelled))
        return seq(self.comma, star(seq(self.scalar(), self.comma)), again, self.gap, any_of(",]"))

    def value(self, value: Any) -> Expr:
        """The texts of one JSON value, except numbers with an exponent."""
        if isinstance(value, list):
            elements = [part for element in value for part in (self.comma, self.value(element))]
            return seq(literal("["), self.gap, *elements[1:], self.gap, literal("]"))
        if isinstance(value, dict):
            members = [(self.key(key), self.value(member)) for key, member in value.items()]
            orders = permutations(members) if len(members) <= MOST_SHUFFLED else [members]
            return alt(*(self._object(order) for order in orders))
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return _number(Decimal(value))
        return literal(json.dumps(value))

    def _object(self, members: Sequence[tuple[Expr, Expr]]) -> Expr:
        written = [part for key, value in members for part in (self.comma, key, self.colon, value)]
        return seq(literal("{"), self.gap, *written[1:], self.gap, literal("}"))

    def string(self, text: str) -> Expr:
        """The texts of one string."""
        return seq(literal('"'), *map(_char, text), literal('"'))

    def key(self, text: str) -> Expr:
        """The texts of one key."""
        return self.string(text)

    def scalar(self) -> Expr:
        """Any string, number, or word (true, false, null)."""
        return _scalar()


JSON_AGAIN = Again()


@cache
def _scalar() -> Expr:
    """Any string, number, or word (true, false, null)."""
    plain = chars_except(any_of('"\\'))
    content = star(alt(plain, seq(literal("\\"), chars("\x00\U0010ffff"))))
    return alt(seq(literal('"'), content, literal('"')), repeat(chars("az", "09", "--", "++", "..", "EE"), 1))


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
