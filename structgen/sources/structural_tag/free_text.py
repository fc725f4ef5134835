"""Free text: what contains none of some strings, and what goes on until one of them begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from structgen.grammar import ANY_CHAR, TEXT, Expr, alt, both, complement, literal, seq


def free(*excluded: Iterable[str]) -> Expr:
    """Text that contains none of these strings."""
    strings = [literal(one) for group in excluded for one in group]
    return complement(seq(TEXT, alt(*strings), TEXT)) if strings else TEXT


def dispatch(rules: Mapping[str, Expr], excludes: Iterable[str]) -> Expr:
    """Free text up to the first trigger, the trigger, and what follows it. An earlier trigger would have counted."""
    before = free(rules, excludes)
    first = complement(seq(TEXT, alt(*map(literal, rules)), ANY_CHAR, TEXT))
    return alt(*(seq(both(seq(before, trigger), first), body) for trigger, body in rules.items()))
