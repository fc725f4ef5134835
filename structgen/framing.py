"""What surrounds the text in a model's answer: the token that ends it, and the padding behind."""

from __future__ import annotations

from structgen.grammar import EMPTY, Grammar, seq, star, token, tokens_of
from structgen.vocabulary import Vocabulary


def text_tokens(grammar: Grammar, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The special tokens of the vocabulary that the grammar itself names."""
    return tuple(name for name in tokens_of(grammar) if name in vocabulary.special)


def answer_tokens(grammar: Grammar, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The special tokens that may occur in an answer, in the order of their symbols."""
    names = (vocabulary.end, vocabulary.pad, vocabulary.null, *text_tokens(grammar, vocabulary))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def framed(grammar: Grammar, vocabulary: Vocabulary) -> Grammar:
    """A whole answer: the text, the end token, any number of pads."""
    if vocabulary.end is None:
        return grammar
    padding = EMPTY if vocabulary.pad is None else star(token(vocabulary.pad))
    return Grammar(seq(grammar.start, token(vocabulary.end), padding), grammar.rules)
