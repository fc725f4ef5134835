"""The automaton of a constraint that copies from a document which is not bound yet: there is none.

A document may also be bound in another process, which hands over the arrays of the automaton as `Binding`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from structgen.compiler.compiled import Arrays, Regime, from_arrays
from structgen.grammar import Grammar
from structgen.sources.verbatim import no_document
from structgen.tokens.vocabulary import Vocabulary

if TYPE_CHECKING:
    from structgen.compiler.constraint import Constraint

T = TypeVar("T")


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


@dataclass(frozen=True, eq=False)
class Binding:
    """What binding a document has compiled, in a form that can be sent to another process."""

    arrays: Arrays
    fingerprint: str
    milliseconds: float

    @staticmethod
    def of(constraint: Constraint[Any]) -> Binding:
        """What a bound constraint has that its source does not tell."""
        return Binding(constraint.compiled.arrays(), constraint.fingerprint, constraint.milliseconds)

    def onto(self, constraint: Constraint[T], document: str) -> Constraint[T]:
        """The constraint, which has no document, as if it had been bound here."""
        return replace(
            constraint,
            compiled=from_arrays(self.arrays, constraint.vocabulary),
            milliseconds=self.milliseconds,
            fingerprint=self.fingerprint,
            document=document,
        )
