"""The format `regex`: regular expressions that ECMA-262 (with the flag u) and Python's re both read.

Validators differ in which regular expressions they accept, so only what all of them accept is generated: characters and
classes, anchors and word boundaries, alternatives, greedy and lazy repetitions, and groups within one another to a
DEPTH, the innermost of which may be look-aheads. Groups have no names, and there are no references or look-behinds;
bounds of repetitions have up to two digits, ranges are of ASCII letters or digits.
"""

from __future__ import annotations

from functools import cache
from string import ascii_lowercase, ascii_uppercase, digits

from structgen.grammar import EMPTY, Expr, alt, literal, optional, seq, star

from ..regex import fullmatch_expr

DEPTH = 3  # groups within groups

_CODE = r"x[0-9A-Fa-f]{2}|u(?:[0-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2})"
_ESCAPE = rf"\\(?:[dDwWsSfnrtv^$\\.*+?()[\]{{}}|/]|{_CODE})"
_CHARACTER = rf"(?:[^\x00-\x1F^$\\.*+?()[\]{{}}|]|\.|{_ESCAPE})"
_PLACE = r"[$^]|\\[bB]"


def _ordered(symbols: str, between: str) -> str:
    """Two of the symbols, the first not after the second."""
    return "|".join(f"{low}{between}[{low}-{symbols[-1]}]" for low in symbols)


_RANGE = "|".join(_ordered(symbols, "-") for symbols in (ascii_lowercase, ascii_uppercase, digits))
# Characters that will mean operations on classes when doubled are omitted.
_MEMBER = rf"(?:[^\x00-\x1F^\\[\]&~|-]|{_ESCAPE}|\\-|{_RANGE})"
_CLASS = rf"\[\^?-?{_MEMBER}+-?\]"
_BOUNDS = rf"\d{{1,2}},?|\d,[1-9]\d|{_ordered(digits, ',')}"
_QUANTIFIER = rf"(?:[*+?]|\{{(?:{_BOUNDS})\}})\??"


@cache
def regular_expressions() -> Expr:
    """All regular expressions of this form."""
    flat = found = _alternatives(EMPTY)
    for _ in range(DEPTH):
        quantified = seq(
            literal("("), optional(literal("?:")), found, literal(")"), optional(_expr(_QUANTIFIER))
        )
        looking = seq(literal("(?"), _expr("[=!]"), flat, literal(")"))
        found = _alternatives(quantified, looking)
    return found


def _alternatives(*groups: Expr) -> Expr:
    term = seq(_expr(rf"{_CHARACTER}|{_CLASS}"), optional(_expr(_QUANTIFIER)))
    terms = star(alt(term, _expr(_PLACE), *(group for group in groups if group is not EMPTY)))
    return seq(terms, star(seq(literal("|"), terms)))


def _expr(pattern: str) -> Expr:
    return fullmatch_expr(pattern)
