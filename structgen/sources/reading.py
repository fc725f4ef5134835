"""Texts that are read beside those that are generated.

What is generated has few spellings, since each costs states in every automaton. What is accepted may be spelled in any
way, so that a text from elsewhere is judged by its value: a source that knows other spellings says which one stands for
them all, and which texts in that spelling it allows. Other sources read what they generate and nothing else.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from structgen.grammar import Grammar


@runtime_checkable
class Readable(Protocol):
    """A source that reads more than it generates."""

    def canonical(self, text: str) -> str | None:
        """The spelling of the text that stands for all its spellings; None where it has none."""
        ...

    def reading(self) -> Grammar:
        """The allowed texts in canonical spelling."""
        ...
