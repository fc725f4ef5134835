"""Marks around tokens: how an automaton over bytes knows which tokens the bytes came from.

A grammar may limit a region to so many tokens, or name tokens by id. Both are about the division of a text into tokens,
which bytes do not show. So every token is spelled with a mark before and after its bytes. Marks are bytes that no text
has. A state lets them pass, except where they mean something: in a region with a budget the mark before a token leads
to the next layer of states, and at a set of tokens only the marks of its tokens lead on.

    max_tokens=2 on [ab]+      ▷a◁ ▷b◁ is two tokens, ▷ab◁ is one; a third ▷ leads nowhere

Axes: V token ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.marked import TokenMarks
from structgen.errors import Unsupported
from structgen.grammar import Budget, Expr, Grammar, TokenSet, beyond_text
from structgen.tokens.vocabulary import Vocabulary

AFTER = 0xC0  # the mark after a token
UNUSED = (0xC1, *range(0xF5, 0x100))  # bytes that UTF-8 never has: the marks before tokens


def speaks_of_tokens(grammar: Grammar) -> bool:
    """Whether the grammar has a budget or a set of tokens."""
    return any(isinstance(expr, Budget | TokenSet) for expr in beyond_text(grammar))


def marked(grammar: Grammar, vocabulary: Vocabulary, names: tuple[str, ...]) -> tuple[TokenMarks, Vocabulary]:
    """The marks that a grammar needs, and the vocabulary that spells them. names: of tokens that are symbols"""
    sets = sorted(
        (expr for expr in beyond_text(grammar) if isinstance(expr, TokenSet)), key=lambda one: one.fingerprint
    )
    text = _spells_text(vocabulary)
    special = np.array([vocabulary.special[name] for name in names if name in vocabulary.special], np.int64)
    inside = np.array([_members(one, vocabulary.size) for one in sets], np.bool_).reshape(
        len(sets), vocabulary.size
    )
    inside[:, special] = False  # these have symbols of their own
    used = text | (inside.any(0) & _known(vocabulary))
    atoms, number = np.unique(np.concatenate([inside, text[None]])[:, used], axis=1, return_inverse=True)
    if atoms.shape[1] > len(UNUSED):
        raise Unsupported(
            f"the sets of token ids overlap in {atoms.shape[1]} ways, and {len(UNUSED)} can be told apart",
            remedy="name fewer sets",
        )
    begins = np.array(UNUSED, np.uint8)[: atoms.shape[1]]
    spelled = atoms[-1].astype(np.bool_)
    of_set = {
        one: (
            tuple(begins[atoms[row].astype(np.bool_) & spelled].tolist()),
            tuple(begins[atoms[row].astype(np.bool_) & ~spelled].tolist()),
        )
        for row, one in enumerate(sets)
    }
    before = np.zeros(vocabulary.size, np.uint8)
    before[used] = begins[number.reshape(-1)]
    ids = {
        name: vocabulary.special[name]
        for name in names
        if name in vocabulary.special and name not in (vocabulary.end, vocabulary.pad, vocabulary.null)
    }
    marks = TokenMarks(tuple(begins[spelled].tolist()), AFTER, of_set, ids)
    return marks, _spelled(vocabulary, before, text, names)


def _members(one: TokenSet, size: int) -> NDArray[np.bool_]:
    inside = np.zeros(size, np.bool_)
    for low, high in one.ranges:
        inside[low : high + 1] = True
    return inside != one.negated


def _known(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """[V] the ids that a set may hold: those that spell something or are special, but for the end and the padding."""
    known = np.diff(vocabulary.offsets) > 0
    known[list(vocabulary.special.values())] = True
    roles = (vocabulary.end, vocabulary.pad, vocabulary.null)
    known[[vocabulary.special[name] for name in roles if name is not None]] = False
    return known


def _spells_text(vocabulary: Vocabulary) -> NDArray[np.bool_]:
    """[V] the ids that spell bytes of which a text may consist."""
    foreign = np.isin(vocabulary.buffer, (AFTER, *UNUSED))
    before = np.concatenate([[0], np.cumsum(foreign)])
    low, high = vocabulary.offsets[:-1], vocabulary.offsets[1:]
    return (high > low) & (before[high] == before[low])


def _spelled(
    vocabulary: Vocabulary, before: NDArray[np.uint8], text: NDArray[np.bool_], names: Iterable[str]
) -> Vocabulary:
    """The vocabulary with marks; a token without a mark before it spells nothing. before: [V], 0 for none"""
    own = np.where(text, np.diff(vocabulary.offsets), 0)
    length = np.where(before > 0, own + 2, 0)
    offsets = np.concatenate([[0], np.cumsum(length)])
    buffer = np.zeros(offsets[-1], np.uint8)
    kept = np.flatnonzero(before)
    buffer[offsets[kept]] = before[kept]
    buffer[offsets[kept + 1] - 1] = AFTER
    some = kept[own[kept] > 0]
    total = own[some].sum()
    within = np.arange(total) - np.repeat(np.cumsum(own[some]) - own[some], own[some])
    buffer[np.repeat(offsets[some] + 1, own[some]) + within] = vocabulary.buffer[
        np.repeat(vocabulary.offsets[some], own[some]) + within
    ]
    special = {name: vocabulary.special[name] for name in names if name in vocabulary.special}
    return replace(vocabulary, buffer=buffer, offsets=offsets, special=special)


def without_budgets(grammar: Grammar) -> Grammar:
    """The grammar with every budget as large as needed, for texts that are not divided into tokens."""
    from structgen.sources.embedding import replaced

    def bare(expr: Expr) -> Expr | None:
        return expr.body if isinstance(expr, Budget) else None

    rules = {name: replaced(rule, bare) for name, rule in grammar.rules.items()}
    return Grammar(replaced(grammar.start, bare), rules, grammar.check)
