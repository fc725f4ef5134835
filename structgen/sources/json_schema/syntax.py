"""The syntax in which values are written. JSON's is the usual one; models' own syntaxes for tool calls vary it.

A writer of schemas asks its spelling for every piece of text: constants, numbers, strings, keys and brackets. So each
keyword of JSON Schema holds in every syntax.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from structgen.grammar import EMPTY, NOTHING, SLACK, TEXT, Expr, literal, seq

from .decimals import spell_numbers
from .numbers import Numbers
from .strings import QUOTE, spell, spell_key, spell_strings

if TYPE_CHECKING:
    from .value_set import ValueSet


class Syntax:
    """JSON's own syntax, which others vary.

    gaps: whether white space may stand between two tokens
    confused: the kinds of values that strings could be taken for, as they have no quotes; a place that may hold both
        has no strings that are `taken`
    free: the strings that can be written
    holds_null: whether an optional member that is null is written, and not left out
    """

    gaps: bool = True
    confused: frozenset[str] = frozenset()
    holds_null: bool = True
    object_opens: Expr = literal("{")
    object_closes: Expr = literal("}")
    array_opens: Expr = literal("[")
    array_closes: Expr = literal("]")
    comma: Expr = literal(",")
    colon: Expr = literal(":")
    member_closes: Expr = EMPTY
    free: Expr = TEXT

    def inside(self, kind: Literal["array", "object"]) -> Syntax:
        """The syntax of the values in an array or in an object."""
        return self

    def taken(self, value_set: ValueSet) -> Expr:
        """The strings that could be taken for other values of a set; none if they are told apart by quotes."""
        return NOTHING

    def word(self, word: str) -> Expr:
        """One of null, true and false."""
        return literal(word)

    def numbers(self, numbers: Numbers, more: Expr, *, reading: bool) -> Expr:
        """The texts of numbers, each followed by `more`."""
        return seq(spell_numbers(numbers, reading=reading), more)

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        """The texts of these strings."""
        return spell_strings(values, reading=reading)

    def content(self, text: Expr) -> Expr:
        """A piece of a string as it is written between its quotes."""
        return spell(text)

    def quoted(self, content: Expr) -> Expr:
        """A string, given what is written between its quotes."""
        return seq(QUOTE, content, SLACK, QUOTE)

    def keys(self, keys: Expr, origin: str) -> Expr:
        """The texts of these keys of an object; origin: the pointer of its schema."""
        return spell_key(keys)


JSON_SYNTAX = Syntax()
