"""Which pieces of a text fill the holes, by the grammar that wrote it: there is no second parser.

Where a text can be divided in several ways, each hole from left to right holds as much as the rest allows.
"""

from __future__ import annotations

from collections.abc import Mapping

from structgen.grammar import TEXT, Expr, Grammar, Placeholder, Ref, Rewriting, beyond_text

from ..lark.derivation import Chart, Key


def pieces_of(
    grammar: Grammar, text: str, holes: Mapping[str, int | None]
) -> list[tuple[int | None, int, int]] | None:
    """The hole, start and end (in characters) of every rule that is a hole; None if the grammar has no such text."""
    spelled = text.encode(errors="surrogatepass")
    grammar = _of_any_document(grammar)
    chart = Chart(grammar.rules, spelled)
    chart.fill(grammar.start)
    if len(spelled) not in chart.known((grammar.start, 0, 0)):
        return None
    found: list[tuple[int | None, int, int]] = []
    waiting: list[tuple[Key, int]] = [((grammar.start, 0, 0), len(spelled))]
    while waiting:
        key, end = waiting.pop()
        if isinstance(key[0], Ref) and holes.get(key[0].name) is not None:
            start = len(spelled[: key[2]].decode())
            found.append((holes[key[0].name], start, start + len(spelled[key[2] : end].decode())))
        else:
            waiting += reversed(chart.steps(key, end))
    return sorted(found)


def _of_any_document(grammar: Grammar) -> Grammar:
    """The grammar with any text in the place of copies: what was written has been copied already."""
    found: dict[Expr, Expr] = {one: TEXT for one in beyond_text(grammar) if isinstance(one, Placeholder)}
    if not found:
        return grammar
    rewrite = Rewriting(found)
    return Grammar(rewrite(grammar.start), {name: rewrite(rule) for name, rule in grammar.rules.items()})
