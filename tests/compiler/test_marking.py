"""Budgets of tokens and sets of tokens: exact, against every sequence of tokens."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.compiler.constraint import compile
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.lattice.lattice import BlockLattice

TOKENS = (b"a", b"b", b"ab", b"ba", b"aa", "<x>", "<end>", b"!", b"b!", b"!a", b"a!")
PIECES = [token if isinstance(token, bytes) else b"" for token in TOKENS]
VOCABULARY = Vocabulary.from_tokens(TOKENS, end="<end>", pad="<end>")
ENDLESS = Vocabulary.from_tokens(TOKENS[:6] + TOKENS[7:])
BODIES = ("[ab]*", "a+b?", "(ab)+", "b|a{2}", "[ab]{1,3}", "a?")


def within(spelled: list[bytes], before: str, body: str, after: str, most: int) -> bool:
    """Whether some reading of the text has at most so many tokens in the region."""
    text = b"".join(spelled).decode()
    ends = np.cumsum([0, *map(len, spelled)])
    return any(
        re.fullmatch(before, text[:low])
        and re.fullmatch(body, text[low:high])
        and re.fullmatch(after, text[high:])
        and sum(begin < high and low < end for begin, end in itertools.pairwise(ends)) <= most
        for low in range(len(text) + 1)
        for high in range(low, len(text) + 1)
    )


@given(
    st.sampled_from(["", "b?", "!", "[ab!]*"]),
    st.sampled_from(BODIES),
    st.sampled_from(["", "!", "a?", "[ab!]*"]),
    st.integers(1, 3),
)
def test_a_region_has_at_most_its_tokens_in_some_reading(
    before: str, body: str, after: str, most: int
) -> None:
    source = f"start: BEFORE region AFTER\nBEFORE: /{before}|/\nregion[max_tokens={most}]: /{body}/\nAFTER: /{after}|/"
    constraint = compile(sg.Lark(source.replace("/|/", '""')), ENDLESS)
    spelling = [token for token in range(ENDLESS.size) if ENDLESS.spelling(token)]
    for length in range(4):
        for ids in itertools.product(spelling, repeat=length):
            expected = within([*map(ENDLESS.spelling, ids)], f"({before})?", body, f"({after})?", most)
            assert constraint.accepts_ids(ids) == expected, (ids, source)


@given(st.sets(st.integers(0, 9), min_size=1, max_size=4), st.booleans(), st.sampled_from(["", "a"]))
def test_a_set_of_tokens_is_one_of_its_tokens_whatever_it_spells(
    ids: set[int], negated: bool, before: str
) -> None:
    written = ",".join(map(str, sorted(ids)))
    source = f'start: "{before}" <[{"^" if negated else ""}{written}]> "b"'
    constraint = compile(sg.Lark(source), ENDLESS)
    for sequence in itertools.chain.from_iterable(itertools.product(range(10), repeat=n) for n in range(4)):
        expected = any(
            (token in ids) != negated
            and spelled(sequence[:at]) == before.encode()
            and spelled(sequence[at + 1 :]) == b"b"
            for at, token in enumerate(sequence)
        )
        assert constraint.accepts_ids(sequence) == expected, (sequence, source)


def spelled(ids: tuple[int, ...]) -> bytes:
    """The text of ordinary tokens; special ones spell something that no text has."""
    return b"".join(ENDLESS.spelling(token) or b"\xff" for token in ids)


def dyck(text: str) -> bool:
    while "ab" in text:
        text = text.replace("ab", "")
    return not text


EXACT = {
    'start: r "!"\nr[max_tokens=2]: /[ab]+/': lambda ids: within(
        [PIECES[v] for v in ids], "", "[ab]+", "!", 2
    ),
    'start: r "!"\nr[lazy]: /[ab]*/ "b"': lambda ids: bool(re.fullmatch("a*b!", text_of(ids))),
    'start: r /[ab]*/\nr[suffix="ba"]: /[ab]*/': lambda ids: bool(re.fullmatch("a*b+a[ab]*", text_of(ids))),
    "start: A\nA: /[ab]+/ & ~/(.*)bb(.*)/ & /.{2,4}/": lambda ids: bool(
        re.fullmatch("(?!.*bb)[ab]{2,4}", text_of(ids))
    ),
    'start: d\nd: | "a" d "b" d': lambda ids: dyck(text_of(ids)),
    'start: /a*/ <[1,3]> "!"': lambda ids: any(
        set(text_of(ids[:at])) <= {"a"} and token in (1, 3) and text_of(ids[at + 1 :]) == "!"
        for at, token in enumerate(ids)
    ),
}


def text_of(ids: tuple[int, ...]) -> str:
    return b"".join(PIECES[token] for token in ids).decode()


@pytest.mark.parametrize("source", EXACT)
def test_log_z_marginals_and_the_best_block_are_those_of_enumeration(source: str) -> None:
    """The answers are whole: a text, the end token and padding. Recursion goes deeper in the table than in a block."""
    constraint = compile(sg.Lark(source), VOCABULARY, regime="expanded")
    scores = torch.randn((4, VOCABULARY.size), generator=torch.Generator().manual_seed(3)).double()
    probabilities = scores.log_softmax(-1)
    blocks = {
        ids: sum(float(probabilities[n, v]) for n, v in enumerate(ids))
        for ids in whole(4)
        if EXACT[source](ids[: ids.index(6)])
    }
    automaton = constraint.automaton
    lattice = BlockLattice(automaton.block(automaton.start, 0), probabilities[None])
    weights = torch.tensor(list(blocks.values()), dtype=torch.float64)
    assert lattice.log_partition()[0].item() == pytest.approx(weights.logsumexp(0).item(), abs=1e-5)
    truth = torch.zeros_like(probabilities)
    for ids, share in zip(blocks, weights.softmax(0), strict=True):
        truth[range(4), list(ids)] += share
    assert torch.allclose(lattice.marginals()[0].double(), truth, atol=1e-5)
    assert tuple(lattice.argmax().ids[0].tolist()) == max(blocks, key=blocks.__getitem__)
    drawn = {tuple(lattice.sample(torch.Generator().manual_seed(seed))[0].tolist()) for seed in range(50)}
    assert drawn <= blocks.keys()


def whole(length: int) -> Iterator[tuple[int, ...]]:
    """Sequences of text, then end tokens."""
    text = [token for token in range(VOCABULARY.size) if PIECES[token]]
    for size in range(length):
        for ids in itertools.product(text, repeat=size):
            yield (*ids, *[6] * (length - size))


def test_texts_are_judged_without_tokens() -> None:
    constraint = compile(sg.Lark('start: r "!"\nr[max_tokens=1]: /[ab]+/'), VOCABULARY)
    assert constraint.accepts("ababab!")
    assert not constraint.accepts("ab")
    assert not constraint.accepts(b"\xc1ab\xc0!")
    assert constraint.check("abc!").offset == 2
    assert constraint.min_tokens == 2
    assert sg.compile(sg.Lark('start: r "!"\nr[max_tokens=1]: /[ab]+/')).accepts("ababab!")


def test_recursion_beside_tokens_is_whole_at_the_end_of_rules_and_else_has_a_depth() -> None:
    tail = 'start: think list\nthink[max_tokens=1]: /[ab]*/ "!"\nlist: "a" list | "b"'
    constraint = compile(sg.Lark(tail), VOCABULARY)
    assert constraint.info().depth is None
    assert constraint.accepts_ids([8, 0, 0, 1])
    assert not constraint.accepts_ids([0, 8, 0, 1])
    nested = 'start: think tree\nthink[max_tokens=3]: "!"\ntree: "a" tree "b" | "!"'
    with pytest.raises(sg.Unsupported, match=r'rule tree is recursive .*regime="expanded"'):
        compile(sg.Lark(nested), VOCABULARY)
    limited = compile(sg.Lark(nested), VOCABULARY, regime="expanded")
    assert limited.info().depth > 20
    assert limited.accepts_ids([7, 0, 0, 7, 1, 1])
    assert limited.accepts("!" + "a" * 20 + "!" + "b" * 20)
    inside = 'start: "a" start | r\nr[max_tokens=1]: "b" start?'
    with pytest.raises(sg.Unsupported, match="recursive and speaks of tokens"):
        compile(sg.Lark(inside), VOCABULARY)
