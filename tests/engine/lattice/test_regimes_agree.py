"""A recursive grammar as one table and as an automaton that grows: one distribution."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from expressions import random_grammar
from structgen.compiler import regimes
from structgen.compiler.compiled import Components, Expanded
from structgen.compiler.lazy import LazyAutomaton
from structgen.compiler.regimes import compile_grammar
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.sources import JsonSchema
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.dfa import block
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import BlockLattice
from structgen_engine.lattice.pruning import Pruning

GRAMMARS, SCHEMAS = 200, 100
BATCH = 20
NEAR = 1e-5
LETTERS = Vocabulary.from_tokens(["<pad>", "<eos>", b"a", b"b", b"ab", b"ba", b"aa", b"abb"])
WORDS = Vocabulary.from_tokens(
    [
        *(
            "<pad>",
            "<eos>",
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b'"',
            b"a",
            b"b",
            b"1",
            b"null",
            b'"a"',
            b'"b":',
        ),
        *(b'{"a":', b'"}', b"]}", b"}}", b",1", b"[[", b'{"', b"1}", b"1,", b"null]", b'","', b"tr", b"ue"),
    ]
)


@dataclass(frozen=True, eq=False)
class Pair:
    """One language twice, and the length of a block in which the table lacks nothing."""

    table: Expanded
    lazy: LazyAutomaton
    vocabulary: Vocabulary
    length: int


def random_schema(draw: random.Random) -> dict[str, Any]:
    """A value that may hold itself: as a member, an item, one of several alternatives, or in another definition."""

    def leaf() -> dict[str, Any]:
        return draw.choice([{"const": 1}, {"enum": ["a", "b", 1]}, {"type": "null"}, {"type": "boolean"}])

    def part(depth: int) -> dict[str, Any]:
        kind = draw.random()
        if depth == 0 or kind < 0.2:
            return leaf() if kind < 0.1 else {"$ref": draw.choice(["#/$defs/x", "#/$defs/y"])}
        if kind < 0.45:
            return {"type": "array", "items": part(depth - 1), "maxItems": draw.choice([1, 2, 5])}
        if kind < 0.6:
            return {"anyOf": [part(depth - 1), part(depth - 1)]}
        members = {name: part(depth - 1) for name in draw.sample("ab", draw.randint(1, 2))}
        required = [name for name in members if draw.random() < 0.5]
        return {"type": "object", "properties": members, "required": required, "additionalProperties": False}

    definitions = {name: {"anyOf": [leaf(), part(2)]} for name in "xy"}
    return {"$ref": "#/$defs/x", "$defs": definitions}


def languages(seed: int) -> Iterator[tuple[Grammar, Vocabulary, int]]:
    """Grammars, or from seed 1000 on schemas; with block lengths."""
    for trial in count(seed * 1000):
        draw = random.Random(trial)
        if seed < 1000:
            yield random_grammar(draw), LETTERS, draw.randint(2, 7)
        else:
            with suppress(StructgenError):  # such that hold nothing but themselves
                grammar = JsonSchema(random_schema(draw), whitespace="compact").lower()
                yield grammar, WORDS, draw.randint(3, 9)


def pairs(seed: int) -> Iterator[Pair]:
    """Those recursive languages that a table holds as far as blocks are long."""
    for grammar, vocabulary, length in languages(seed):
        try:
            lazy = compile_grammar(grammar, vocabulary, "lazy")
            table = compile_grammar(grammar, vocabulary, "expanded")
        except StructgenError:
            continue
        assert isinstance(lazy, Components)
        assert isinstance(table, Expanded)
        longest = int(np.diff(vocabulary.offsets).max())
        if table.components > 1 and (table.depth is None or table.depth > length * longest):
            yield Pair(table, LazyAutomaton(lazy.answer, vocabulary), vocabulary, length)


def case(pair: Pair, seed: int) -> tuple[Tensor, Tensor]:
    """logits [N, V + 1] and settled [N]."""
    generator, draw = torch.Generator().manual_seed(seed), random.Random(seed)
    logits = torch.randn(pair.length, pair.vocabulary.size + 1, generator=generator) * draw.choice(
        [1.0, 4.0, 30.0]
    )
    settled = torch.full((pair.length,), -1)
    if draw.random() < 0.3:
        settled[-1] = pair.vocabulary.special[draw.choice(["<eos>", "<pad>"])]
    return logits, settled


def lattices(pair: Pair, seed: int, pruning: Pruning) -> tuple[BlockLattice, BlockLattice]:
    """The block as the table has it, and as it was explored."""
    logits, settled = case(pair, seed)
    explored = Beam(pair.lazy, pair.lazy.start, 0, pruning).explore(logits, settled=settled)
    table = block(pair.table.answer.dfa())
    return (
        BlockLattice(table, logits[None], settled=settled[None]),
        BlockLattice([explored], logits[None], settled=settled[None]),
    )


@pytest.mark.parametrize("seed", [*range(GRAMMARS // BATCH), *range(1000, 1000 + SCHEMAS // BATCH)])
def test_both_regimes_are_one_distribution(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regimes, "CAP", 800)
    some = 0
    for number, pair in enumerate(islice(pairs(seed), BATCH)):
        exact, found = lattices(pair, number, Pruning(0.0, 1 << 62))
        log_z, same = float(exact.log_partition()[0]), float(found.log_partition()[0])
        assert same == pytest.approx(log_z, rel=NEAR, abs=NEAR)
        assert float(found.dropped()[0]) == 0
        if log_z == float("-inf"):
            continue
        some += 1
        assert torch.allclose(exact.marginals(), found.marginals(), atol=NEAR)
        for one, other in zip(vars(exact.beliefs()).values(), vars(found.beliefs()).values(), strict=True):
            assert torch.allclose(one.float(), other.float(), atol=1e-4)
        best, likewise = exact.argmax(), found.argmax()
        assert float(best.log_prob[0]) == pytest.approx(float(likewise.log_prob[0]), abs=1e-4)
        assert likewise.certified is not None
        assert likewise.certified[0]
        _, pruned = lattices(pair, number, Pruning())
        share = float(pruned.dropped()[0])
        assert -torch.expm1(pruned.log_partition()[0] - log_z) <= share + NEAR
        if share < 1:
            gap = (pruned.marginals() - exact.marginals()).abs().sum(-1) / 2
            assert gap.max() <= share + NEAR
    assert some >= BATCH // 2
