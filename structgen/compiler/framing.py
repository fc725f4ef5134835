"""The frame of a model's answer: the thought before the text, the token that ends it, and the padding after that."""

from __future__ import annotations

import numpy as np

from structgen.automata.finite.minimize import minimize
from structgen.automata.finite.nfa import FIRST_TOKEN
from structgen.automata.finite.table import Table, merged
from structgen.grammar import EMPTY, TEXT, Expr, Grammar, literal, seq, star, token, tokens_of
from structgen.tokens.vocabulary import Preface, Vocabulary


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
    """The grammar of whole answers: the preface, the text, the end token, any number of pads."""
    before = EMPTY if vocabulary.preface is None else _thought(vocabulary.preface)
    if vocabulary.end is None:
        return Grammar(seq(before, grammar.start), grammar.rules)
    padding = EMPTY if vocabulary.pad is None else star(token(vocabulary.pad))
    return Grammar(seq(before, grammar.start, token(vocabulary.end), padding), grammar.rules)


def _thought(preface: Preface) -> Expr:
    thought = TEXT if preface.thinking else EMPTY
    return seq(token(preface.open), literal(preface.label), thought, token(preface.close))


def enclosed(text: bytes, vocabulary: Vocabulary, names: tuple[str, ...]) -> list[int]:
    """The symbols of an answer with this text and the shortest thought; special tokens in the order of `names`."""
    before, after = _around(vocabulary, names)
    return [*before, *text, *after]


def unframed(
    answer: Table, vocabulary: Vocabulary, names: tuple[str, ...], kept: tuple[str, ...]
) -> Table | None:
    """The automaton of the text alone, over bytes and the special tokens `kept`, from the automaton of whole answers.

    None if the text may itself contain tokens of the frame, so that the table does not show where the text ends.
    """
    if names == kept:
        return answer
    preface = vocabulary.preface
    around = {vocabulary.end, vocabulary.pad, vocabulary.null}
    around |= set() if preface is None else {preface.open, preface.close}
    if around.intersection(kept):
        return None
    before, after = _around(vocabulary, names)
    start, delta = 1, answer.delta()
    for symbol in before:
        start = int(delta[start, answer.class_of[symbol]])
    accepting = answer.accepting
    for symbol in after:
        accepting = accepting[delta[:, answer.class_of[symbol]]]
    symbols = [*range(FIRST_TOKEN), *(FIRST_TOKEN + names.index(name) for name in kept)]
    class_of = answer.class_of[symbols]
    used = np.zeros(answer.classes, np.bool_)
    used[class_of] = True
    inside = used[answer.label]
    edges = minimize(answer.source[inside], answer.label[inside], answer.target[inside], accepting, start)
    return merged(*edges, class_of=class_of, classes=answer.classes)


def _around(vocabulary: Vocabulary, names: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """The shortest symbols before and after the text: a preface without a thought, and an end token without padding."""

    def symbol(name: str) -> int:
        return FIRST_TOKEN + names.index(name)

    preface, end = vocabulary.preface, vocabulary.end
    before = [] if preface is None else [symbol(preface.open), *preface.label.encode(), symbol(preface.close)]
    return before, [] if end is None else [symbol(end)]
