"""The automaton of a text's pieces accepts these and nothing else, and stays as small as the text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.automata import compile_bytes
from structgen.grammar import Excerpt, Grammar, Text, excerpt, holds
from structgen.sources.json_schema.strings import spell


@st.composite
def texts(draw: st.DrawFn) -> Text:
    text = draw(st.text(st.sampled_from(draw(st.sampled_from(["ab", "aé", 'a"\\\n', "ab 你"]))), max_size=9))
    places = st.sets(st.integers(0, len(text)))
    return Text(text, draw(places), draw(places))


lengths = st.tuples(st.integers(0, 2), st.sampled_from([None, 2, 3, 5]))


def pieces(some: list[Text], low: int, high: int | None) -> set[str]:
    """The pieces by slicing."""
    found = {one.text[i:j] for one in some for i in one.begins for j in one.ends if i < j}
    return {piece for piece in found if low <= len(piece) <= (high or len(piece))} | (
        {""} if not low else set()
    )


def language(expr: Excerpt) -> set[bytes]:
    """Every string of the automaton, by walking it."""
    table, found = compile_bytes(Grammar(expr)), set[bytes]()
    byte_of = {int(label): byte for byte, label in enumerate(table.class_of[:256].tolist())}
    waiting = [] if table.empty else [(1, b"")]
    while waiting:
        state, read = waiting.pop()
        found |= {read} if table.accepting[state] else set()
        members = {label: [b for b in range(256) if table.class_of[b] == label] for label in byte_of}
        for label, target in table._leaving(state).items():
            waiting += [(target, read + bytes([byte])) for byte in members[label]]
    return found


@given(st.lists(texts(), min_size=1, max_size=2), lengths)
def test_the_automaton_holds_the_pieces_and_nothing_else(some: list[Text], size: tuple[int, int | None]):
    expected = pieces(some, *size)
    expr = excerpt(some, *size)
    if not isinstance(expr, Excerpt):
        assert expected <= {""}
        return
    assert {piece.decode() for piece in language(expr)} == expected
    assert all(holds(expr, piece.encode()) for piece in expected)
    spelled = compile_bytes(Grammar(spell(expr)))
    whole = {one.text[i:j] for one in some for i in range(10) for j in range(i, 10)}
    for piece in whole:
        spelling = json.dumps(piece, ensure_ascii=False)[1:-1].encode()
        assert spelled.accepts(spelling) == (piece in expected)


@pytest.mark.parametrize("text", ["a" * 3000, "ab" * 1500, "a b " * 700, "one line\n" * 300])
def test_a_text_that_repeats_itself_takes_no_more_states_than_twice_its_bytes(text: str):
    every = range(len(text) + 1)
    assert compile_bytes(Grammar(excerpt([Text(text, every, every)], 1))).states <= 2 * len(text) + 2
