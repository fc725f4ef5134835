"""What surrounds the text in a model's answer: a thought before it, the token that ends it, the padding behind."""

from __future__ import annotations

from structgen.grammar import EMPTY, TEXT, Expr, Grammar, literal, seq, star, token, tokens_of
from structgen.vocabulary import Preface, Vocabulary


def text_tokens(grammar: Grammar, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The special tokens of the vocabulary that the grammar itself names."""
    return tuple(name for name in tokens_of(grammar) if name in vocabulary.special)


def answer_tokens(grammar: Grammar, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The special tokens that may occur in an answer, in the order of their symbols."""
    names = [vocabulary.end, vocabulary.pad, vocabulary.null, *text_tokens(grammar, vocabulary)]
    if vocabulary.preface is not None:
        names += [vocabulary.preface.open, vocabulary.preface.close]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def framed(grammar: Grammar, vocabulary: Vocabulary) -> Grammar:
    """A whole answer: the preface, the text, the end token, any number of pads."""
    before = EMPTY if vocabulary.preface is None else _thought(vocabulary.preface)
    if vocabulary.end is None:
        return Grammar(seq(before, grammar.start), grammar.rules)
    padding = EMPTY if vocabulary.pad is None else star(token(vocabulary.pad))
    return Grammar(seq(before, grammar.start, token(vocabulary.end), padding), grammar.rules)


def _thought(preface: Preface) -> Expr:
    thought = TEXT if preface.thinking else EMPTY
    return seq(token(preface.open), literal(preface.label), thought, token(preface.close))
