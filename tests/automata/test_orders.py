"""Parts in any order: the automaton that meets sets of them accepts what their permutations spell, and closes."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.recogniser import recognises
from structgen.automata import compile_bytes
from structgen.automata.pushdown.automaton import Pushdown, accepts, pushdown
from structgen.compiler.lazy import LazyAutomaton
from structgen.compiler.regimes import compile_grammar
from structgen.errors import Unsupported
from structgen.grammar import NOTHING, Grammar, alt, any_order, literal, ref, seq
from structgen.tokens.vocabulary import Vocabulary

LETTERS = "ab,;"
LONGEST = 6
TOKENS = Vocabulary.from_tokens([b"a", b"b", b",", b";", b"a,", b",b", b"ab", b"b;", b",a,"])
PIECES = st.lists(st.sampled_from(["a", "b", "ab", "ba", "aa"]), min_size=1, max_size=3, unique=True)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Grammar, set[str]]:
    """Up to three parts in any order, perhaps in one another, and their strings of up to LONGEST letters."""
    parts = draw(PIECES)
    required = draw(st.integers(0, len(parts)))
    other = draw(st.sampled_from(["", "", "b", "bb"]))
    inner = any_order(
        map(literal, parts), required, literal(other) if other else NOTHING, literal(","), literal(";")
    )
    found = {text for text in _strings(parts, required, other) if len(text) <= LONGEST}
    if draw(st.booleans()):
        return Grammar(seq(literal("a"), inner)), {f"a{text}" for text in found if len(text) < LONGEST}
    return Grammar(ref("r"), {"r": inner}), found


def _strings(parts: list[str], required: int, other: str) -> set[str]:
    others = LONGEST // 2 if other else 0
    return {
        ",".join(order) + ";"
        for chosen in product([False, True], repeat=len(parts))
        if all(chosen[:required])
        for more in range(others + 1)
        for order in permutations(
            [p for p, there in zip(parts, chosen, strict=True) if there] + [other] * more
        )
        if order
    }


@settings(deadline=None)
@given(orders())
def test_an_automaton_and_the_reader_of_grammars_accept_the_permutations(case: tuple[Grammar, set[str]]):
    grammar, expected = case
    automaton = pushdown(grammar)
    for length in range(LONGEST + 1):
        for letters in product(LETTERS, repeat=length):
            text = "".join(letters)
            if length < 4 or text.endswith(";"):
                assert accepts(automaton, text.encode()) == (text in expected), text
    for text in expected:
        assert recognises(grammar, text)


@settings(deadline=None)
@given(orders())
def test_every_configuration_closes_in_as_many_tokens_as_are_said_to_suffice(case: tuple[Grammar, set[str]]):
    lazy = LazyAutomaton.of(case[0], TOKENS)
    level = [lazy.start]
    for _ in range(4):
        level = [*{to for at in level for to in lazy.arcs(at).targets.tolist()}][:20]
        for at in level:
            while needed := int(lazy.distance_upper[at]):
                targets = lazy.arcs(at).targets
                assert lazy.distance_lower[at] <= needed
                at = int(targets[lazy.distance_upper[targets].argmin()])
                assert lazy.distance_upper[at] < needed
            assert lazy.is_accepting(at)


@settings(deadline=None)
@given(orders())
def test_tokens_lead_where_their_bytes_lead(case: tuple[Grammar, set[str]]):
    grammar, expected = case
    lazy = LazyAutomaton.of(grammar, TOKENS)
    for length in range(1, 4):
        for ids in product(range(TOKENS.size), repeat=length):
            text = b"".join(map(TOKENS.spelling, ids)).decode()
            if len(text) <= LONGEST:
                assert lazy.is_accepting(lazy.run(ids)) == (text in expected), text


def many(count: int) -> list[str]:
    return [f"<{index}>" for index in range(count)]


def test_forty_parts_take_forty_calls_and_not_their_sets():
    parts = many(40)
    automaton = pushdown(Grammar(any_order(map(literal, parts), 40, NOTHING, literal(","), literal(";"))))
    assert automaton.states < 500
    assert accepts(automaton, (",".join(parts[::-1]) + ";").encode())
    assert not accepts(automaton, (",".join(parts[1:]) + ";").encode())
    assert not accepts(automaton, (",".join([*parts, parts[3]]) + ";").encode())
    assert int(automaton.bytes_left[automaton.start[0]]) == len(",".join(parts)) + 1


def test_a_set_is_the_same_whatever_else_has_been_met():
    grammar = Grammar(any_order(map(literal, "ab"), 2, NOTHING, literal(","), literal(";")))
    lazy, other = LazyAutomaton.of(grammar, TOKENS), LazyAutomaton.of(grammar, TOKENS)
    for ids in ([0], [0, 2], [0, 5], [1, 2]):
        for token in range(TOKENS.size):
            other.arcs(other.run([token]))
        at, again = lazy.run(ids), other.run(ids)
        assert other.is_accepting(again) == lazy.is_accepting(at)
        assert other.distance_upper[again] == lazy.distance_upper[at]
        for token in range(TOKENS.size):
            one, two = lazy.run([token], at), other.run([token], again)
            assert (lazy.is_accepting(one), lazy.distance_upper[one]) == (
                other.is_accepting(two),
                other.distance_upper[two],
            )


def test_objects_with_equal_parts_share_them():
    parts = list(map(literal, many(12)))
    one, two = (any_order(parts, required, NOTHING, literal(","), literal(";")) for required in (12, 3))
    sizes = [pushdown(Grammar(alt(*texts))).states for texts in ([one], [two], [one, two])]
    assert sizes[2] < sizes[0] + 10
    automaton: Pushdown = pushdown(Grammar(seq(one, two)))
    whole = ",".join(many(12)) + ";"
    assert accepts(automaton, (whole + ",".join(many(3)) + ";").encode())
    assert not accepts(automaton, (",".join(many(3)) + ";" + whole).encode())


def test_a_table_is_refused_and_the_remedy_named():
    grammar = Grammar(any_order(map(literal, many(12)), 0, NOTHING, literal(","), literal(";")))
    with pytest.raises(Unsupported, match="any order"):
        compile_bytes(grammar)
    with pytest.raises(Unsupported, match='order="declared"'):
        compile_grammar(grammar, TOKENS, "expanded")
