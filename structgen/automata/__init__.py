"""Automata over bytes: an expression becomes the smallest deterministic automaton of its strings.

An automaton reads a text byte by byte and is always in exactly one of finitely many states; the text is accepted if
the last state accepts. Everything structgen needs to know of a schema while it decodes is such a table of states.

The way there: `nfa` writes an expression as small pieces that may be in several places at once, `crawl` names the sets
of places that can occur together, `minimize` merges the names that no text tells apart, `boolean` combines automata,
`tables` holds the result.

A grammar with recursion, or with rules used in many places, becomes automata that call each other: `rules` chooses
which rules those are, `linked` keeps them small, `left_recursion` and `pushdown` finish them, `unroll`
writes them out again.
"""

from structgen.automata.finite.regular import compile_bytes
from structgen.automata.finite.table import Table

__all__ = ["Table", "compile_bytes"]
