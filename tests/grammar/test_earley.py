"""The judge of outputs agrees with what the rules derive."""

from __future__ import annotations

import random
from itertools import product

import pytest

from earley import Earley
from expressions import random_grammar, strings
from structgen.grammar import EMPTY, Grammar, alt, literal, ref, seq

LONGEST = 6


@pytest.mark.parametrize("seed", range(60))
def test_accepts_just_what_the_rules_derive(seed: int) -> None:
    grammar = random_grammar(random.Random(seed))
    judge, texts = Earley(grammar), strings(grammar, "ab", LONGEST)
    for length in range(LONGEST + 1):
        for letters in product(b"ab", repeat=length):
            assert judge.accepts(bytes(letters)) == (bytes(letters) in texts), bytes(letters)


def test_judges_long_and_ambiguous_texts() -> None:
    judge = Earley(
        Grammar(
            ref("v"), {"v": alt(EMPTY, literal("a"), seq(literal("("), ref("v"), literal(")"), ref("v")))}
        )
    )
    assert judge.accepts(b"()" * 200 + b"a")
    assert not judge.accepts(b"()" * 200 + b"aa")
    twice = Earley(Grammar(ref("v"), {"v": alt(literal("a"), seq(ref("v"), ref("v")))}))
    assert twice.accepts(b"a" * 100)
    assert not twice.accepts(b"")
