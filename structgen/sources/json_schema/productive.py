"""Removal of rules that no finite text satisfies, such as a list in which every node needs another."""

from __future__ import annotations

from structgen.grammar import (
    NOTHING,
    Alt,
    AnyOrder,
    Expr,
    Grammar,
    Ref,
    Repeat,
    Seq,
    alt,
    any_order,
    repeat,
    seq,
)


def productive(grammar: Grammar) -> Grammar:
    """The same grammar without rules that have no text; the start is NOTHING if it has no text."""
    alive: set[str] = set()
    while True:
        known: dict[Expr, bool] = {}
        found = {name for name, rule in grammar.rules.items() if _has_text(rule, alive, known)}
        if found == alive:
            break
        alive = found
    if len(alive) == len(grammar.rules):
        return grammar
    known_exprs: dict[Expr, Expr] = {}
    rules = {
        name: _without(rule, alive, known_exprs) for name, rule in grammar.rules.items() if name in alive
    }
    return Grammar(_without(grammar.start, alive, known_exprs), rules, grammar.check)


def _has_text(expr: Expr, alive: set[str], known: dict[Expr, bool]) -> bool:
    """Whether some text satisfies `expr`, given the rules that are known to have one."""
    if expr not in known:
        match expr:
            case Ref(name):
                known[expr] = name in alive
            case Seq(parts):
                known[expr] = all(_has_text(part, alive, known) for part in parts)
            case Alt(parts):
                known[expr] = any(_has_text(part, alive, known) for part in parts)
            case Repeat(body, low, _):
                known[expr] = low == 0 or _has_text(body, alive, known)
            case AnyOrder(parts, required, others, _, _):
                wanted = [_has_text(part, alive, known) for part in (*parts, others)]
                known[expr] = all(wanted[:required]) and any(wanted)
            case _:
                known[expr] = True
    return known[expr]


def _without(expr: Expr, alive: set[str], known: dict[Expr, Expr]) -> Expr:
    """`expr` with nothing in place of the rules that have no text."""
    if expr not in known:
        match expr:
            case Ref(name):
                made = expr if name in alive else NOTHING
            case Seq(parts):
                made = seq(*(_without(part, alive, known) for part in parts))
            case Alt(parts):
                made = alt(*(_without(part, alive, known) for part in parts))
            case Repeat(body, low, high):
                made = repeat(_without(body, alive, known), low, high)
            case AnyOrder(parts, required, _, _, _):
                inside = [_without(part, alive, known) for part in expr.children]
                made = any_order(inside[: len(parts)], required, *inside[len(parts) :])
            case _:
                made = expr
        known[expr] = made
    return known[expr]
