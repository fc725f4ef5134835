"""JSON text inside strings: numbers in quotes, keys that are read as numbers, documents within a document.

A string may hold the JSON text of another value. Texts of null, booleans and numbers are a language of characters like
any other. Texts of whole documents need the rules of a grammar. A value set therefore keeps such strings separate, by
the name of the schema of their values. They are written as the texts of that schema, with every character escaped once
more.
"""

from __future__ import annotations

from collections.abc import Callable

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    TEXT,
    Alt,
    Expr,
    Ref,
    Repeat,
    Seq,
    Slack,
    alt,
    literal,
    repeat,
    seq,
)

from .decimals import spell_numbers
from .formula import Formula, every
from .strings import spell
from .value_set import ValueSet


def scalar_texts(value_set: ValueSet) -> Expr | None:
    """The JSON texts of a set's values; None if it has values other than null, booleans and numbers."""
    if not value_set.kinds() <= {"null", "boolean", "number"}:
        return None
    words = ["null"] * value_set.null + ["true" if value else "false" for value in sorted(value_set.booleans)]
    return alt(*map(literal, words), *map(spell_numbers, value_set.numbers))


def meet_texts(left: ValueSet, right: ValueSet) -> tuple[Formula, ...]:
    """The strings with documents that both value sets allow."""
    found = [every(a, b) for a in left.texts for b in right.texts]
    for texts, strings in ((left.texts, right.strings), (right.texts, left.strings)):
        if texts and strings is TEXT:
            found += texts
        elif texts and strings is not NOTHING:
            raise _refused()
    return tuple(dict.fromkeys(found))


def minus_texts(left: ValueSet, right: ValueSet) -> tuple[Formula, ...]:
    """The strings with documents that `left` allows and `right` does not."""
    if right.strings is TEXT:
        return ()
    if (left.texts and (right.texts or right.strings is not NOTHING)) or (
        right.texts and left.strings is not NOTHING
    ):
        raise _refused()
    return left.texts


def _refused() -> Unsupported:
    return Unsupported(
        "a string that holds JSON cannot have its characters constrained too",
        keyword="x-text",
        remedy="constrain the value that it holds",
    )


def held(expr: Expr, rule: Callable[[str], Expr]) -> Expr:
    """JSON text as the content of a string; `rule` does the same for the rules that it refers to."""
    known: dict[Expr, Expr] = {}

    def inside(expr: Expr) -> Expr:
        if expr not in known:
            known[expr] = written(expr)
        return known[expr]

    def written(expr: Expr) -> Expr:
        if expr.facts.textual:
            return spell(expr)
        match expr:
            case Slack():
                return EMPTY
            case Ref(name):
                return rule(name)
            case Seq(parts):
                return seq(*map(inside, parts))
            case Alt(parts):
                return alt(*map(inside, parts))
            case Repeat(body, low, high):
                return repeat(inside(body), low, high)
        raise TypeError(f"{type(expr).__name__} is no JSON text")

    return inside(expr)
