"""The automaton of a constraint that copies from a document which is not bound yet: there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from structgen.compiler.compiled import Regime
from structgen.grammar import Grammar
from structgen.sources.verbatim import no_document
from structgen.tokens.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Unbound:
    """What is compiled when a document is bound: a grammar with placeholders, for a vocabulary, in a regime.

    It stands in the place of the automaton; whatever asks it for one is told that the document is missing.
    """

    vocabulary: Vocabulary
    asked: Regime
    grammar: Grammar

    @property
    def has_answer(self) -> bool:
        """True: whether there is one depends on the document."""
        return True

    def __getattr__(self, name: str) -> Any:
        raise no_document()
