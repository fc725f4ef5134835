"""Recursive grammars against enumeration: log Z, marginals, the best block and draws, by judges of the languages.

All blocks of a few tokens are written out; whether a text belongs to the language says a judge that knows no grammar of
ours: a counter of brackets, a reader of sums, Python's json.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable

import pytest
import torch

import structgen as sg
from structgen_engine.lattice.beam import Beam, Pruning
from structgen_engine.lattice.lattice import BlockLattice

N = 6  # positions of a block
NEAR = 1e-4


def dyck(text: str) -> bool:
    while "()" in text or "[]" in text:
        text = text.replace("()", "").replace("[]", "")
    return not text


def sums(text: str) -> bool:
    """Arithmetic on ones: the innermost group, power, sign, product or sum becomes a one until nothing changes."""
    text, before = re.sub("1+", "1", text), ""
    while text != before:
        before = text
        text = re.sub(r"\([-+]*1\)", "1", text)
        text = re.sub(r"1(?:\*\*|[-+*/])[-+]*1(?!\()", "1", text)
    return re.fullmatch(r"[-+]*1", text) is not None


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


CASES = {
    "dyck": (sg.Ebnf('root ::= ("(" root ")" | "[" root "]")*'), dyck, ("(", ")", "[", "]", "((", ")]")),
    "arithmetic": (sg.library["arithmetic"], sums, ("1", "+", "*", "(", ")", "(1")),
    "json": (sg.library["json-compact"], is_json, ("[", "]", ",", "0", '{"a":', "}]")),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CASES)
def test_every_result_is_that_of_enumeration(name: str, seed: int) -> None:
    source, judge, pieces = CASES[name]
    vocabulary = sg.Vocabulary.from_tokens(
        [*(p.encode() for p in pieces), "<end>", "<pad>"], end="<end>", pad="<pad>"
    )
    constraint = sg.compile(source, vocabulary)
    assert constraint.info().regime == "lazy"
    scores = torch.randn(N, vocabulary.size, generator=torch.Generator().manual_seed(seed)) * 2
    blocks = blocks_of(len(pieces), lambda ids: judge("".join(pieces[one] for one in ids)))
    weights = torch.stack([scores[torch.arange(N), torch.tensor(block)].sum() for block in blocks]).double()
    total = weights.logsumexp(0)
    explored = Beam(constraint.automaton, constraint.automaton.start, 0, Pruning(0.0)).explore(scores)
    lattice = BlockLattice([explored], scores[None])
    assert explored.share(float(total)) == 0.0
    compare(lattice, scores, blocks, seed)


def compare(lattice: BlockLattice, scores: torch.Tensor, blocks: list[tuple[int, ...]], seed: int) -> None:
    """Compare log Z, marginals, the best block and draws with all blocks, one by one."""
    weights = torch.stack([scores[torch.arange(N), torch.tensor(block)].sum() for block in blocks]).double()
    total, size = weights.logsumexp(0), scores.shape[-1]
    torch.testing.assert_close(lattice.log_partition()[0].double(), total, atol=NEAR, rtol=NEAR)
    marginals = torch.zeros(N, size, dtype=torch.float64)
    for block, weight in zip(blocks, (weights - total).exp(), strict=True):
        marginals[torch.arange(N), torch.tensor(block)] += weight
    torch.testing.assert_close(lattice.marginals()[0].double(), marginals, atol=NEAR, rtol=NEAR)
    assert tuple(lattice.argmax().ids[0].tolist()) == blocks[int(weights.argmax())]
    generator = torch.Generator().manual_seed(seed)
    assert {tuple(lattice.sample(generator)[0].tolist()) for _ in range(200)} <= {*blocks}


PIECES = ("a", "b", "ab", ";", "b;")


def short_thought(ids: tuple[int, ...]) -> bool:
    """Letters in at most two tokens that spell some of them, then a semicolon."""
    text, letters = "".join(PIECES[one] for one in ids), sum(one != 3 for one in ids)
    return re.fullmatch("[ab]*;", text) is not None and letters <= 2


def spelled(pattern: str, *, without: str = "(?!)") -> Callable[[tuple[int, ...]], bool]:
    """Texts that match one pattern and not another."""

    def accepts(ids: tuple[int, ...]) -> bool:
        text = "".join(PIECES[one] for one in ids)
        return re.fullmatch(pattern, text) is not None and re.fullmatch(without, text) is None

    return accepts


EXTENDED = {
    "max_tokens": ('start: r ";"\nr[max_tokens=2]: /[ab]*/', short_thought),
    "lazy": ('start: head /[ab;]*/\nhead[lazy]: /[ab;]*/ "b;"', spelled("[ab;]*?b;[ab;]*")),
    "lazy alone": ('start: head "a"*\nhead[lazy]: /[ab]*/ ";"', spelled("[ab]*;a*")),
    "suffix": ('start: head "a"\nhead[suffix=";"]: /[ab]*/', spelled("[ab]*;a")),
    "both": ("start: T\nT: /[ab]*;/ & /(ab|b;|a)*/", spelled("(?=[ab]*;$)(?:ab|b;|a)*")),
    "all but": ("start: T\nT: /[ab]*;*/ & ~/(.*)bb(.*)/", spelled("[ab]*;*", without=".*bb.*")),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", EXTENDED)
def test_attributes_and_operators_are_those_of_enumeration(name: str, seed: int) -> None:
    source, judge = EXTENDED[name]
    vocabulary = sg.Vocabulary.from_tokens(
        [*(p.encode() for p in PIECES), "<end>", "<pad>"], end="<end>", pad="<pad>"
    )
    dfa = sg.compile(sg.Lark(source), vocabulary).dfa
    scores = torch.randn(N, vocabulary.size, generator=torch.Generator().manual_seed(seed)) * 2
    blocks = blocks_of(len(PIECES), judge)
    lattice = BlockLattice(dfa.block(dfa.start, 0), scores[None])
    compare(lattice, scores, blocks, seed)


def blocks_of(tokens: int, accepts: Callable[[tuple[int, ...]], bool]) -> list[tuple[int, ...]]:
    """All accepted blocks: a text, the end token, pads."""
    end, pad = tokens, tokens + 1
    return [
        (*ids, end, *[pad] * (N - 1 - length))
        for length in range(N)
        for ids in itertools.product(range(tokens), repeat=length)
        if accepts(ids)
    ]
