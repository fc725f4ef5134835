"""The expanded form of component automata: sound at every depth, whole at a sufficient one, as deep as fits."""

from __future__ import annotations

import random

import pytest

from expressions import assert_minimal, json_grammar, random_grammar, strings
from structgen.automata import compile_bytes
from structgen.automata.finite.table import Table
from structgen.automata.pushdown import rules as rules_module
from structgen.automata.pushdown.automaton import accepts, pushdown
from structgen.automata.pushdown.components import CallGraph, Estimate
from structgen.automata.pushdown.unroll import CAP, Unrolled, expand, unroll
from structgen.errors import Unsatisfiable
from structgen.grammar import Grammar, alt, literal, optional, ref, repeat, seq, token
from structgen_engine.automata.dfa import DEAD

LONGEST = 6
LETTERS = "ab"
AFFORDABLE = 60_000  # states before minimising


def accepted(table: Table) -> set[bytes]:
    """All accepted strings of up to LONGEST letters."""
    dfa = table.dfa()
    found, level = set(), {b"": dfa.start}
    for _ in range(LONGEST + 1):
        found |= {text for text, state in level.items() if dfa.accepting[state]}
        level = {
            text + bytes([letter]): after
            for text, state in level.items()
            for letter in LETTERS.encode()
            if (after := dfa.run([letter], state)) != DEAD
        }
    return found


@pytest.mark.parametrize("part", range(10))
def test_an_unrolled_automaton_is_sound_at_every_depth_and_whole_at_a_sufficient_one(part, monkeypatch):
    monkeypatch.setattr(rules_module, "SMALL", part % 2 * 64)
    whole = asked = 0
    for seed in range(30):
        grammar = random_grammar(random.Random(f"unroll {part} {seed}"), LETTERS)
        derived = strings(grammar, LETTERS, LONGEST)
        if not derived:
            continue
        graph = CallGraph(pushdown(grammar))
        estimate, depth, before = Estimate(graph), 1, set[bytes]()
        while estimate.size(depth) <= AFFORDABLE and depth <= 2 * LONGEST:
            found = accepted(expand(graph.automaton, depth))
            assert before <= found <= derived
            before = found
            depth += 1
            if found == derived or not graph.deepens:
                break
        asked += 1
        whole += before == derived
    assert whole >= 0.9 * asked
    assert asked > 10


class OneByOne(Estimate):
    """The estimate with every level formed from the one before."""

    def _deepen(self) -> None:
        super()._deepen()
        self._growth = None


def test_sizes_and_depths_are_those_of_one_level_after_the_other():
    linear = 0
    for seed in range(100):
        grammar = random_grammar(random.Random(f"sizes {seed}"), LETTERS)
        if not strings(grammar, LETTERS, LONGEST):
            continue
        graph = CallGraph(pushdown(grammar))
        estimate, slow = Estimate(graph), OneByOne(graph)
        for limit in (2000, 40, 700) if graph.deepens else ():
            depth = 0
            while slow.size(depth + 1) <= limit:
                depth += 1
            assert estimate.deepest(limit) == depth
            linear += depth > 20
        assert [estimate.size(depth) for depth in range(1, 90)] == [
            slow.size(depth) for depth in range(1, 90)
        ]
    assert linear > 20


@pytest.mark.parametrize("part", range(3))
def test_without_recursion_the_whole_language_is_there(part, monkeypatch):
    monkeypatch.setattr(rules_module, "SMALL", 0)
    rng = random.Random(part)
    for _ in range(20):
        rules = {"r0": optional(literal("ab"))}
        for index in range(1, 5):
            before = [ref(f"r{rng.randrange(index)}") for _ in range(3)]
            rules[f"r{index}"] = alt(seq(before[0], literal("a"), before[1]), seq(literal("b"), before[2]))
        grammar = Grammar(seq(ref("r4"), ref("r4")), rules)
        automaton = pushdown(grammar)
        unrolled = unroll(automaton)
        assert automaton.components > 1
        assert unrolled is not None
        assert unrolled.depth is None
        assert same(unrolled.table, compile_bytes(grammar))


def same(one: Table, other: Table) -> bool:
    """Minimal automata are equal but for the numbering of states and classes."""
    a, b = one.dfa(), other.dfa()
    assert_minimal(a)
    return (a.states, a.alphabet.size, accepted(one)) == (b.states, b.alphabet.size, accepted(other))


def unrolled_json(**options: bool) -> Unrolled:
    unrolled = unroll(pushdown(json_grammar(**options)))
    assert unrolled is not None
    return unrolled


@pytest.mark.parametrize("compact", [True, False])
def test_json_is_unrolled_to_the_greatest_depth_that_fits(compact):
    unrolled = unrolled_json(compact=compact)
    assert unrolled.depth is not None
    assert len(unrolled.table.accepting) <= CAP
    assert len(expand(pushdown(json_grammar(compact=compact)), unrolled.depth + 1).accepting) > CAP
    dfa, nested = unrolled.table.dfa(), lambda depth: list(b"[" * depth + b"]" * depth)
    assert dfa.accepts(nested(unrolled.depth))
    assert not dfa.accepts(nested(unrolled.depth + 1))
    assert dfa.accepts(list(b'{"a":[1,2,{"b":null}]}'))


def test_recursion_on_either_end_of_a_rule_is_unrolled_whole():
    for body in (
        alt(literal("a"), seq(literal("a"), literal("b"), ref("s"))),
        alt(literal("a"), seq(ref("s"), literal("b"), literal("a"))),
    ):
        unrolled = unroll(pushdown(Grammar(ref("s"), {"s": body})))
        assert unrolled is not None
        assert unrolled.table.dfa().accepts(list(b"a" + b"ba" * 1000))
        assert len(unrolled.table.accepting) < 5


def test_what_grows_slowly_is_unrolled_deep():
    rules = {"s": optional(seq(literal("("), ref("s"), literal(")")))}
    unrolled = unroll(pushdown(Grammar(ref("s"), rules)), cap=1000)
    assert unrolled is not None
    assert 400 < (unrolled.depth or 0) < 500
    assert 950 < len(unrolled.table.accepting) <= 1000


def test_what_does_not_fit_is_left_to_others():
    rules = {"s": alt(repeat(literal("ab"), 200, 200), seq(literal("("), ref("s"), literal(")")))}
    assert unroll(pushdown(Grammar(ref("s"), rules)), cap=100) is None
    wide = {"r": repeat(alt(literal("ab"), literal("c")), 300, 300)}
    automaton = pushdown(Grammar(seq(ref("r"), literal("-"), ref("r")), wide))
    assert unroll(automaton, cap=100) is None
    assert unroll(automaton) is not None


def test_tokens_are_symbols_of_the_unrolled_automaton():
    rules = {"s": alt(literal("a"), seq(token("<x>"), ref("s"), token("<y>")))}
    automaton = pushdown(Grammar(ref("s"), rules), ("<y>", "<x>"))
    dfa = expand(automaton, 3).dfa()
    for text in ([97], [257, 97, 256], [257, 257, 97, 256, 256], [257, 97], [256, 97, 257], []):
        assert dfa.accepts(text) == accepts(automaton, text)
    assert not dfa.accepts([257] * 4 + [97] + [256] * 4)


def test_nothing_is_refused():
    with pytest.raises(Unsatisfiable):
        pushdown(Grammar(alt()))
