"""Recursive rules beside something that speaks of tokens: each is written out as one automaton of its own.

Only tables read the marks of tokens, so recursion must end somewhere. Where a rule calls itself only at its end its
automaton is whole; otherwise it holds the strings up to a depth.
"""

from __future__ import annotations

from structgen.automata.finite.nfa import Fragment
from structgen.automata.pushdown.automaton import pushdown
from structgen.automata.pushdown.cycles import cycles
from structgen.automata.pushdown.unroll import CAP, unroll
from structgen.compiler.marking import speaks_of_tokens
from structgen.errors import Unsupported
from structgen.grammar import Grammar, ref
from structgen.sources.productive import references


def recursive_pieces(
    grammar: Grammar, names: tuple[str, ...], null: str | None, *, whole: bool
) -> tuple[dict[str, Fragment], int | None]:
    """The automata of the recursive rules that others name, and the depth that they hold, None if they are whole.

    whole: whether a limit on the depth is refused
    """
    pieces: dict[str, Fragment] = {}
    depths: list[int] = []
    for name in sorted(_entries(grammar)):
        alone = _from(grammar, name)
        if speaks_of_tokens(alone):
            raise Unsupported(
                f"the rule {name} is recursive and speaks of tokens (max_tokens, tokens by id)",
                remedy="move these out of the recursion",
            )
        unrolled = unroll(pushdown(alone, names, null), CAP)
        if unrolled is None or (whole and unrolled.depth is not None):
            raise Unsupported(
                f"the rule {name} is recursive beside something that speaks of tokens (max_tokens, tokens by id)",
                remedy="remove one of them"
                if unrolled is None
                else 'pass regime="expanded", which limits its depth',
            )
        pieces[name] = unrolled.table.fragment(unrolled.table.states)
        depths += [] if unrolled.depth is None else [unrolled.depth]
    return pieces, min(depths, default=None)


def _entries(grammar: Grammar) -> set[str]:
    """The recursive rules that the start or rules that are not recursive with them name."""
    reached = {name: references(grammar.rules[name]) for name in _needed(grammar)}
    order = list(reached)
    number = {name: index for index, name in enumerate(order)}
    group = cycles([[number[used] for used in sorted(reached[name])] for name in order])
    sizes = {one: group.count(one) for one in set(group)}
    loops = {name for name in order if sizes[group[number[name]]] > 1 or name in reached[name]}
    outside = references(grammar.start)
    for name in order:
        outside |= {used for used in reached[name] if group[number[used]] != group[number[name]]}
    return loops & outside


def _needed(grammar: Grammar) -> list[str]:
    """The rules that a grammar's start needs."""
    found, waiting = dict[str, None](), list(references(grammar.start))
    while waiting:
        name = waiting.pop()
        if name not in found and name in grammar.rules:
            found[name] = None
            waiting += references(grammar.rules[name])
    return sorted(found)


def _from(grammar: Grammar, name: str) -> Grammar:
    start = Grammar(ref(name), grammar.rules)
    return Grammar(ref(name), {one: grammar.rules[one] for one in _needed(start)})
