"""The syntax in which values are written. JSON's is the usual one; models' own syntaxes for tool calls vary it.

A writer of schemas asks its spelling for every piece of text: constants, numbers, strings, keys and brackets. So each
keyword of JSON Schema holds in every syntax.
"""

from __future__ import annotations

from structgen.grammar import EMPTY, Expr, literal, seq

from .decimals import spell_numbers
from .numbers import Numbers
from .strings import spell_key, spell_strings


class Syntax:
    """JSON's own syntax, which others vary.

    gaps: whether white space may stand between two tokens
    quoted: whether strings are told from numbers and words by their quotes; otherwise a place that may hold both has no
        strings that are spelled like the others
    holds_null: whether an optional member that is null is written, and not left out
    """

    gaps: bool = True
    quoted: bool = True
    holds_null: bool = True
    object_opens: Expr = literal("{")
    object_closes: Expr = literal("}")
    array_opens: Expr = literal("[")
    array_closes: Expr = literal("]")
    comma: Expr = literal(",")
    colon: Expr = literal(":")
    member_closes: Expr = EMPTY

    def word(self, word: str) -> Expr:
        """One of null, true and false."""
        return literal(word)

    def numbers(self, numbers: Numbers, more: Expr, *, reading: bool) -> Expr:
        """The texts of numbers, each followed by `more`."""
        return seq(spell_numbers(numbers, reading=reading), more)

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        """The texts of these strings."""
        return spell_strings(values, reading=reading)

    def keys(self, keys: Expr, origin: str) -> Expr:
        """The texts of these keys of an object; origin: the pointer of its schema."""
        return spell_key(keys)


JSON_SYNTAX = Syntax()
