"""Long counted repetitions as chains of calls: the same language in far fewer states."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from expressions import random_grammar, strings
from structgen import JsonSchema, compile
from structgen.automata.pushdown import repetitions as counted
from structgen.automata.pushdown.automaton import advance, begin, ends, pushdown
from structgen.automata.pushdown.repetitions import called_bodies
from structgen.automata.pushdown.rules import analyse
from structgen.errors import Unsatisfiable
from structgen.grammar import ANY_CHAR, Grammar, complement, literal, repeat, seq

LONGEST = 6
LETTERS = "ab"


@pytest.mark.parametrize("part", range(5))
def test_calling_what_is_repeated_changes_no_language(part, monkeypatch):
    monkeypatch.setattr(counted, "LONG", 0)
    monkeypatch.setattr(counted, "FEW", 0)
    called = 0
    for seed in range(20):
        rng = random.Random(f"{part} {seed}")
        grammar = random_grammar(rng, LETTERS)
        low = rng.randrange(3)
        grammar = replace(grammar, start=repeat(grammar.start, low, rng.choice([low + 1, low + 4, None])))
        derived = strings(grammar, LETTERS, LONGEST)
        rewritten, bodies = called_bodies(grammar)
        called += len(bodies)
        try:
            automaton = pushdown(rewritten, rules=analyse(rewritten, bodies))
        except Unsatisfiable:
            assert not derived
            continue
        level, found = {b"": begin(automaton)}, set[bytes]()
        for _ in range(LONGEST + 1):
            found |= {text for text, reached in level.items() if ends(automaton, reached)}
            level = {
                text + bytes([letter]): after
                for text, reached in level.items()
                for letter in LETTERS.encode()
                if (after := advance(automaton, reached, letter))
            }
        assert found == derived, grammar
    assert called > 10


def test_a_long_string_takes_one_state_for_each_character_and_is_still_counted():
    longest = 9000
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": longest}, "next": {"type": "integer"}},
        "required": ["text"],
    }
    constraint = compile(JsonSchema(schema, whitespace="compact"))
    assert constraint.info().states < longest + 1000
    for character in ("a", "\U0001f600"):
        assert constraint.accepts(f'{{"text":"{character * longest}","next":3}}')
        assert not constraint.accepts(f'{{"text":"{character * (longest + 1)}","next":3}}')


def test_what_has_to_be_there_is_written_out_while_it_is_short():
    start = called_bodies(Grammar(repeat(ANY_CHAR, 5, 30_000)))[0].start
    assert start is seq(repeat(ANY_CHAR, 5, 5), repeat(start.children[1].children[0], 0, 29_995))


def test_what_is_short_or_inside_a_complement_is_left_alone():
    for expr in (
        repeat(ANY_CHAR, 0, 20),
        complement(repeat(ANY_CHAR, 0, 30_000)),
        repeat(literal("a"), 9999),
    ):
        grammar = Grammar(expr)
        assert called_bodies(grammar) == (grammar, frozenset())
