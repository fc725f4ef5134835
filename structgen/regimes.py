"""A grammar and a vocabulary become an automaton in one of two regimes.

Expanded: one table of states over tokens, where the whole language fits a cap; exact, nothing is left out. Lazy:
component automata whose configurations are met as they are needed, for everything else. "auto" chooses so; "expanded"
asks for a table even where that limits recursion to a depth.
"""

from __future__ import annotations

from structgen.automata.pushdown import pushdown
from structgen.automata.regular import compile_bytes
from structgen.automata.rules import analyse
from structgen.automata.shapes import Shapes
from structgen.automata.tables import Table
from structgen.automata.unroll import CAP, expand, unroll
from structgen.compiled import Components, Expanded, Regime
from structgen.errors import Unsatisfiable, Unsupported
from structgen.framing import answer_tokens, framed, text_tokens
from structgen.grammar import Grammar
from structgen.lift import lift
from structgen.vocabulary import Vocabulary
from structgen_engine.automaton import Dfa


def compile_grammar(grammar: Grammar, vocabulary: Vocabulary, regime: Regime) -> Expanded | Components:
    """Raises Unsupported, InvalidSource, or Unsatisfiable where no tokens of the vocabulary spell an accepted text."""
    expanded = None if regime == "lazy" else _expanded(grammar, vocabulary, regime)
    return expanded or _components(grammar, vocabulary)


def _expanded(grammar: Grammar, vocabulary: Vocabulary, regime: Regime) -> Expanded | None:
    """The grammar as tables; None where they would not hold the whole language within the cap, and need not."""
    rules = analyse(grammar)
    if not rules.called:
        return _written_out(grammar, vocabulary, regime, 1)
    parts = pushdown(grammar, text_tokens(grammar, vocabulary))
    if regime == "auto" and Shapes(parts).deepens:
        return None
    unrolled = unroll(parts, CAP)
    if unrolled:
        names = answer_tokens(grammar, vocabulary)
        answer = expand(pushdown(framed(grammar, vocabulary), names, vocabulary.null), unrolled.depth or 1)
        return Expanded(
            _lifted(answer, vocabulary, names), unrolled.table.dfa(), unrolled.depth, parts.components
        )
    if regime == "auto":
        return None
    if rules.recursive:
        raise Unsupported(
            f"the source needs more than {CAP:,} states, however little its recursion is unrolled",
            remedy='leave the regime to "auto"',
        )
    return _written_out(grammar, vocabulary, regime, parts.components)


def _written_out(
    grammar: Grammar, vocabulary: Vocabulary, regime: Regime, components: int
) -> Expanded | None:
    """Every rule written out wherever it is used: for grammars without recursion."""
    text = compile_bytes(grammar, text_tokens(grammar, vocabulary))
    if text.empty:
        raise Unsatisfiable("nothing satisfies this source: its parts contradict each other")
    if regime == "auto" and len(text.accepting) > CAP:
        return None
    names = answer_tokens(grammar, vocabulary)
    answer = compile_bytes(framed(grammar, vocabulary), names, vocabulary.null) if names else text
    return Expanded(_lifted(answer, vocabulary, names), text.dfa(), None, components)


def _lifted(answer: Table, vocabulary: Vocabulary, names: tuple[str, ...]) -> Dfa:
    dfa = lift(answer, vocabulary, names)
    if not dfa.accepting.any():
        raise Unsatisfiable("the vocabulary cannot spell any text that satisfies this source")
    return dfa


def _components(grammar: Grammar, vocabulary: Vocabulary) -> Components:
    text = pushdown(grammar, text_tokens(grammar, vocabulary))
    names = answer_tokens(grammar, vocabulary)
    if not names:
        return Components(text, text)
    return Components(pushdown(framed(grammar, vocabulary), names, vocabulary.null), text)
