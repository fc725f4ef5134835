"""Which rules of a grammar derive a string at all: `start: start "a"` derives none."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from structgen.grammar import NOTHING, Alt, Expr, Not, Ref, Repeat, StateGraph

from .stackless import solved


def productive(rules: Mapping[str, Expr]) -> set[str]:
    """The names of the rules that derive a string; intersections and complements are taken to have one."""
    users: dict[str, set[str]] = {}
    for name, rule in rules.items():
        for used in references(rule):
            users.setdefault(used, set()).add(name)
    known, waiting = set[str](), list(rules)
    while waiting:
        name = waiting.pop()
        if name not in known and derives(rules[name], known):
            known.add(name)
            waiting += users.get(name, ())
    return known


def references(expr: Expr) -> set[str]:
    """The rules that an expression names."""
    found, seen, waiting = set[str](), {expr}, [expr]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Ref):
            found.add(one.name)
        if not one.facts.closed:
            new = set(one.children) - seen
            seen |= new
            waiting += new
    return found


def derives(expr: Expr, known: set[str]) -> bool:
    """Whether an expression derives a string if the rules `known` do, and no others."""

    def step(one: Expr) -> Generator[Expr, bool, bool]:
        if one.facts.closed or isinstance(one, Ref | Not):
            return one is not NOTHING and (not isinstance(one, Ref) or one.name in known)
        if isinstance(one, Repeat) and one.low == 0:
            return True
        if isinstance(one, StateGraph):
            return (yield from _reaches_the_end(one))
        ways: list[bool] = []
        for part in one.children:
            ways.append((yield part))
        return any(ways) if isinstance(one, Alt) else all(ways)

    return solved(step, expr)


def _reaches_the_end(graph: StateGraph) -> Generator[Expr, bool, bool]:
    open_moves: list[tuple[int, int]] = []
    for source, label, target in graph.moves:
        if (yield label):
            open_moves.append((source, target))
    reached, waiting = {0}, [0]
    while waiting:
        state = waiting.pop()
        new = {target for source, target in open_moves if source == state} - reached
        reached |= new
        waiting += new
    return bool(reached & {*graph.accepting})
