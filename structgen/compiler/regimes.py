"""Compiling a grammar and a vocabulary into an automaton, in one of two regimes.

Expanded: one table of states over tokens. Lazy: component automata whose configurations are computed as they are
needed. "auto" chooses the table if it can hold the whole language within a cap, and the lazy regime otherwise;
"expanded" makes a table even if that limits recursion to a depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from structgen.automata.finite.nfa import TooLarge
from structgen.automata.finite.regular import compile_bytes
from structgen.automata.finite.table import Table
from structgen.automata.pushdown.automaton import pushdown
from structgen.automata.pushdown.components import CallGraph
from structgen.automata.pushdown.orders import Mark, parts_called
from structgen.automata.pushdown.repetitions import called_bodies
from structgen.automata.pushdown.rules import analyse
from structgen.automata.pushdown.unroll import CAP, SPARE, expand, unroll
from structgen.compiler.compiled import Compiled, Components, Expanded, Regime
from structgen.compiler.framing import answer_tokens, framed, text_tokens, unframed
from structgen.compiler.lift import lift
from structgen.compiler.marking import UNUSED, marked, speaks_of_tokens, without_budgets
from structgen.compiler.recursion import recursive_pieces
from structgen.errors import Unsatisfiable, Unsupported
from structgen.grammar import Grammar
from structgen.tokens.vocabulary import BYTES, Vocabulary

COPIED_CAP = 100_000  # states of a table with copies of a document, from each of which few tokens lead on


def compile_grammar(grammar: Grammar, vocabulary: Vocabulary, regime: Regime) -> Compiled:
    """The automaton of a grammar's whole answers, over the tokens of a vocabulary.

    Raises Unsupported, InvalidSource, or Unsatisfiable if no tokens of the vocabulary spell an accepted text.
    """
    if vocabulary is BYTES and speaks_of_tokens(grammar):
        grammar = without_budgets(grammar)  # without a tokenizer there are no tokens to count
    if speaks_of_tokens(grammar):
        return _of_tokens(grammar, vocabulary, regime)
    names = answer_tokens(grammar, vocabulary)
    answer = framed(grammar, vocabulary)
    answer, marks = parts_called(answer)
    if marks:
        return _any_order(answer, vocabulary, names, regime, marks)
    rules = analyse(answer)
    fits, cap = True, _cap(answer)
    if regime != "lazy" and not rules.called and not (regime == "auto" and _copies_too_much(answer)):
        table = _written_out(answer, vocabulary, names, regime)
        fits = table is None or regime == "expanded" or len(table.accepting) <= cap
        if table and fits:
            return _expanded(grammar, vocabulary, names, table, None, 1)
    if regime != "expanded":
        answer, bodies = called_bodies(answer)
        rules = analyse(answer, bodies) if bodies else rules
    parts = pushdown(answer, names, vocabulary.null, rules)
    if regime == "lazy" or not fits or (regime == "auto" and CallGraph(parts).deepens):
        return Components(parts, vocabulary)
    unrolled = unroll(parts, CAP)
    if unrolled:
        return _expanded(grammar, vocabulary, names, unrolled.table, unrolled.depth, parts.components)
    if regime == "auto":
        return Components(parts, vocabulary)
    if rules.recursive:
        raise Unsupported(
            f"the source needs more than {CAP:,} states, however little its recursion is unrolled",
            remedy='leave the regime to "auto"',
        )
    table = _written_out(answer, vocabulary, names, regime)
    assert table is not None
    return _expanded(grammar, vocabulary, names, table, None, parts.components)


def _cap(grammar: Grammar) -> int:
    """The states up to which a grammar's byte automaton is run as one table."""
    copied = any(expr.facts.copied for expr in (grammar.start, *grammar.rules.values()))
    return COPIED_CAP if copied else CAP


def _copies_too_much(grammar: Grammar) -> bool:
    """Whether a grammar holds so many copies of a document that a table is not worth trying."""
    parts = (grammar.start, *grammar.rules.values())
    return any(expr.facts.copied and expr.facts.size > COPIED_CAP for expr in parts)


def _of_tokens(grammar: Grammar, vocabulary: Vocabulary, regime: Regime) -> Expanded:
    """The table of a grammar that speaks of tokens, over tokens that are spelled with marks."""
    if regime == "lazy":
        raise Unsupported(
            "a grammar that speaks of tokens has no lazy form", remedy='leave the regime to "auto"'
        )
    names = answer_tokens(grammar, vocabulary)
    marks, spelled = marked(grammar, vocabulary, names)
    pieces, depth = recursive_pieces(grammar, names, vocabulary.null, whole=regime == "auto")
    marks = replace(marks, pieces=pieces)
    answer = compile_bytes(framed(grammar, vocabulary), names, vocabulary.null, marks=marks)
    if answer.empty:
        raise Unsatisfiable("nothing satisfies this source: its parts contradict each other")
    tokens = lift(answer, spelled, names)
    if tokens.empty:
        raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
    kept = text_tokens(grammar, vocabulary)
    if pieces:
        marks = replace(marks, pieces=recursive_pieces(grammar, kept, None, whole=False)[0])
    text = compile_bytes(without_budgets(grammar), kept, marks=marks)
    class_of = text.class_of.copy()
    class_of[[marks.end, *UNUSED]] = 0
    return Expanded(tokens, replace(text, class_of=class_of), depth, 1 + len(pieces), vocabulary)


def _any_order(
    answer: Grammar, vocabulary: Vocabulary, names: tuple[str, ...], regime: Regime, marks: Mapping[str, Mark]
) -> Components:
    """The components of a grammar with parts in any order, whose sets of parts are too many for a table."""
    if regime == "expanded":
        raise Unsupported(
            "the members in any order have more combinations than a table may have states",
            remedy='leave the regime to "auto", or pass order="declared"',
        )
    answer, bodies = called_bodies(answer)
    rules = analyse(answer, [*marks, *bodies])
    return Components(pushdown(answer, names, vocabulary.null, rules, marks), vocabulary)


def _written_out(
    answer: Grammar, vocabulary: Vocabulary, names: tuple[str, ...], regime: Regime
) -> Table | None:
    """The table of a grammar without recursion, with every rule written out wherever it is used.

    None if it takes more states before minimisation than "auto" allows; calling the rules may take fewer.
    """
    try:
        table = compile_bytes(
            answer, names, vocabulary.null, most=SPARE * _cap(answer) if regime == "auto" else None
        )
    except TooLarge:
        if regime == "auto":
            return None
        raise
    if table.empty:
        raise Unsatisfiable("nothing satisfies this source: its parts contradict each other")
    return table


def _expanded(
    grammar: Grammar,
    vocabulary: Vocabulary,
    names: tuple[str, ...],
    answer: Table,
    depth: int | None,
    components: int,
) -> Expanded:
    tokens = lift(answer, vocabulary, names)
    if tokens.empty:
        raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
    kept = text_tokens(grammar, vocabulary)
    text = unframed(answer, vocabulary, names, kept)
    if text is None:
        text = expand(pushdown(grammar, kept), depth or 1)
    return Expanded(tokens, text, depth, components, vocabulary)
