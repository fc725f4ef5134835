"""A grammar intersected with a regular language holds exactly the texts that both hold."""

from __future__ import annotations

import itertools
import random

import pytest

from structgen.automata.pushdown.automaton import accepts, pushdown
from structgen.errors import Unsatisfiable, Unsupported
from structgen.grammar import (
    TEXT,
    Expr,
    Grammar,
    alt,
    any_of,
    both,
    complement,
    literal,
    ref,
    repeat,
    seq,
    token,
)
from structgen.sources.crossed import crossed, meets

LETTERS = "<a>b"
WORDS = ["".join(word) for size in range(6) for word in itertools.product(LETTERS, repeat=size)]
TAGGED = seq(TEXT, alt(literal("<a>"), literal("ab")), TEXT)


def made(rng: random.Random, depth: int) -> Expr:
    """A random expression over LETTERS and the rules x and y."""
    kind = rng.randrange(9 if depth else 3)
    if kind == 0:
        return literal("".join(rng.choices(LETTERS, k=rng.randrange(3))))
    if kind == 1:
        return any_of("".join(rng.sample(LETTERS, 2)))
    if kind == 2:
        return ref(rng.choice("xy"))
    if kind == 7:
        return repeat(made(rng, depth - 1), rng.randrange(2), rng.choice([None, 2, 3]))
    if kind == 8:
        return both(complement(literal(rng.choice(["a", "<", ""]))), repeat(any_of(LETTERS), 0, 2))
    return (seq if kind < 5 else alt)(made(rng, depth - 1), made(rng, depth - 1))


def texts(grammar: Grammar) -> set[str]:
    try:
        automaton = pushdown(grammar)
    except Unsatisfiable:
        return set()
    return {word for word in WORDS if accepts(automaton, word.encode())}


@pytest.mark.parametrize("seed", range(40))
def test_random_grammars_against_enumeration(seed: int):
    rng = random.Random(seed)
    grammar = Grammar(made(rng, 3), {name: made(rng, 3) for name in "xy"})
    whole = texts(grammar)
    free = {word for word in whole if "<a>" not in word and "ab" not in word}
    assert texts(crossed(grammar, complement(TAGGED))) == free
    assert texts(crossed(grammar, TAGGED)) == whole - free
    assert meets(grammar, TAGGED) or free == whole


def test_what_is_no_text_is_refused():
    with pytest.raises(Unsupported, match="token in a text"):
        crossed(Grammar(seq(ref("x"), token("<end>")), {"x": literal("a")}), TEXT)
