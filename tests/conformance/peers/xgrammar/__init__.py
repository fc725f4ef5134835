"""XGrammar's names over structgen, so that the tests of XGrammar's source distribution run unchanged.

Only what these tests need of its public interface is here. A name that is missing fails the test that asks for it, and
the list of what does not apply (`conformance.xgrammar_tests`) gives the reason.
"""

from __future__ import annotations

from xgrammar.grammar import Grammar
from xgrammar.matcher import (
    CompiledGrammar,
    GrammarCompiler,
    GrammarMatcher,
    TokenizerInfo,
    allocate_token_bitmask,
)
from xgrammar.structural_tag import StructuralTag  # type: ignore[attr-defined]

__all__ = [
    "CompiledGrammar",
    "Grammar",
    "GrammarCompiler",
    "GrammarMatcher",
    "StructuralTag",
    "TokenizerInfo",
    "allocate_token_bitmask",
]
