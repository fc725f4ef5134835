"""Automata over bytes: an expression becomes the smallest deterministic automaton of its strings.

An automaton reads a text byte by byte and is always in exactly one of finitely many states; the text is accepted if
the last state accepts. Everything structgen needs to know about a schema while it decodes is such a table of states.

An expression becomes a table in these steps: `nfa` writes it as a nondeterministic automaton, which may be in several
states at once; `crawl` numbers the sets of states that can occur together; `minimize` merges the sets that no text
tells apart; `table` holds the result. `boolean` combines automata.

A grammar with recursion, or with rules used in many places, becomes automata that call each other: `rules` chooses
the rules that are called, `linked` keeps their automata small, `left_recursion` and `automaton` finish them, and
`unroll` writes them out again as one finite automaton.
"""

from structgen.automata.finite.regular import compile_bytes
from structgen.automata.finite.table import Table

__all__ = ["Table", "compile_bytes"]
