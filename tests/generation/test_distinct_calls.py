"""The distribution of distinct calls, against enumeration of every sequence of tokens.

A draw whose calls all differ stays. Of any other draw the calls in front of the first repetition stay, the next call is
none of them, and the rest is drawn again from all outputs that go on so. The truth is added up over all sequences, as
often as they are drawn again.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from structgen.sources import Terms
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.blocks import first_block, nonempty
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish

Ids = tuple[int, ...]
TOOLS: list[dict[str, Any]] = [
    {"name": "f", "parameters": {"properties": {"x": {"enum": [1, 2]}}, "required": ["x"]}},
    {"name": "g"},
]
JSON = ['{"name":"f","arguments":{"x":1}}', '{"name":"f","arguments":{"x":2}}', '{"name":"g","arguments":{}}']
GEMMA = [f"<|tool_call>call:{call}<tool_call|>" for call in ("f{x:1}", "f{x:2}", "g{}")]
JSON_PIECES = [
    "[",
    "]",
    ",",
    JSON[0][:-3],
    "1}}",
    "2}}",
    "1",
    "}}",
    JSON[2],
    f"}},{JSON[2]}",
    f"}}}},{JSON[2]}",
]
GEMMA_PIECES = ["call:f{x:", "1}", "2}", "1", "}", "call:g{}", "call:", "g{}"]
N, MOST = 13, 3  # tokens of a block, calls of an output


@dataclass(frozen=True)
class Case:
    """A form with its calls, what opens, divides and closes an output, and the tokens that spell it."""

    form: str
    calls: list[str]
    frame: tuple[str, str, str]
    special: list[str]
    pieces: list[str]

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.from_tokens(["<pad>", "<eos>", *self.special, *map(str.encode, self.pieces)])

    def outputs(self) -> dict[str, Ids]:
        """Every output of one to MOST calls, repetitions among them: the text, and the calls by number."""
        found, ways = {}, [()]
        opens, divides, closes = self.frame
        for _ in range(MOST):
            ways = [(*way, call) for way in ways for call in range(len(self.calls))]
            found |= {opens + divides.join(self.calls[k] for k in way) + closes: way for way in ways}
        return found

    def end_of(self, count: int, calls: Ids) -> int:
        """Where so many of the calls end in the text."""
        opens, divides, _ = self.frame
        return len(opens + divides.join(self.calls[k] for k in calls[:count]))


CASES = [
    Case("json", JSON, ("[", ",", "]"), [], JSON_PIECES),
    Case("gemma", GEMMA, ("", "", ""), ["<|tool_call>", "<tool_call|>", '<|"|>'], GEMMA_PIECES),
]


def spelled(case: Case) -> dict[Ids, str]:
    """Every sequence of N tokens that spells an output, ends it, and is padded."""
    spelling = dict(enumerate(["", "", *case.special, *case.pieces]))
    texts, found = list(case.outputs()), dict[Ids, str]()

    def extend(ids: Ids, text: str) -> None:
        if text in texts and len(ids) < N:
            found[(*ids, 1, *[0] * (N - len(ids) - 1))] = text
        for token, piece in spelling.items():
            if piece and any(other.startswith(text + piece) for other in texts):
                extend((*ids, token), text + piece)

    extend((), "")
    return found


@dataclass
class Truth:
    """The probability of each output, added up over sequences of tokens with their weights."""

    case: Case
    weight: dict[Ids, float]
    text: dict[Ids, str]

    def __post_init__(self) -> None:
        self.calls = self.case.outputs()
        self.probability: defaultdict[str, float] = defaultdict(float)
        self.spread((), "", frozenset(), 1.0)

    def spread(self, kept: Ids, begun: str, never: frozenset[int], mass: float) -> None:
        """Add the outputs that begin with the tokens and the text, the next call being none of `never`."""
        place = len(never)
        here = {
            ids: weight
            for ids, weight in self.weight.items()
            if ids[: len(kept)] == kept
            and self.text[ids].startswith(begun)
            and self.calls[self.text[ids]][place : place + 1] not in {(call,) for call in never}
        }
        again: defaultdict[tuple[Ids, str, frozenset[int]], float] = defaultdict(float)
        for ids, weight in here.items():
            share, calls = mass * weight / sum(here.values()), self.calls[self.text[ids]]
            first = next((k for k, call in enumerate(calls) if call in calls[:k]), None)
            if first is None:
                self.probability[self.text[ids]] += share
            else:
                again[(*self.kept(ids, first), frozenset(calls[:first]))] += share
        for (ids, text, calls), share in again.items():
            self.spread(ids, text, calls, share)

    def kept(self, ids: Ids, count: int) -> tuple[Ids, str]:
        """The tokens that lie within so many calls, and the text of these calls."""
        pieces = ["", "", *self.case.special, *self.case.pieces]
        at, number = self.case.end_of(count, self.calls[self.text[ids]]), 0
        while len("".join(pieces[k] for k in ids[: number + 1])) <= at:
            number += 1
        return ids[:number], self.text[ids][:at]


def problem(case: Case, seed: int) -> tuple[Any, Tensor, Truth]:
    """A constraint, logits [N, V] and what is true of them."""
    terms = Terms(whitespace="compact")
    source = sg.Tools(TOOLS, "required", terms=terms, form=case.form, max_calls=MOST, distinct=True)
    vocabulary, text = case.vocabulary, spelled(case)
    logits = torch.randn(N, vocabulary.size, generator=torch.Generator().manual_seed(seed))
    weight = {ids: math.exp(float(logits[torch.arange(N), torch.tensor(ids)].sum())) for ids in text}
    return sg.compile(source, vocabulary), logits, Truth(case, weight, text)


def drawn(constraint: Any, logits: Tensor, draws: int, finish: Finish) -> Counter[str]:
    """How often each text is written."""

    class Fixed(RandomDenoiser):
        def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
            return logits.expand(len(canvas), -1, -1)

    vocabulary = constraint.vocabulary
    rows = decode(
        Fixed(Uniform(2, vocabulary.size), N, vocabulary.size),
        [[0]] * draws,
        [constraint.automaton] * draws,
        max_tokens=N,
        generators=[torch.Generator().manual_seed(row) for row in range(draws)],
        reviews=[constraint.reviewer() for _ in range(draws)],
        options=DecodingOptions(steps=1, temperature=1.0, finish=finish),
    )
    return Counter("".join(vocabulary.written(k).decode() for k in row.ids.tolist()) for row in rows)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.form)
def test_the_lattice_holds_every_output_until_a_draw_repeats_a_call(case: Case):
    constraint, logits, truth = problem(case, 1)
    assert len(truth.text) > len(set(truth.text.values())) == len(case.outputs())  # several spellings of some
    lattice = nonempty([first_block(constraint.automaton)], logits[None])
    assert float(lattice.log_partition()) == pytest.approx(math.log(sum(truth.weight.values())), abs=1e-6)
    marginals = lattice.log_marginals().exp()[0]
    for position in range(N):
        for token in range(constraint.vocabulary.size):
            held = sum(weight for ids, weight in truth.weight.items() if ids[position] == token)
            assert float(marginals[position, token]) == pytest.approx(
                held / sum(truth.weight.values()), abs=1e-6
            )


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.form)
def test_draws_have_the_distribution_of_drawing_again_what_follows_the_first_repetition(
    case: Case, seed: int
):
    constraint, logits, truth = problem(case, seed)
    draws = 200
    counts, expected = drawn(constraint, logits, draws, Finish.SAMPLE), truth.probability
    assert sum(expected.values()) == pytest.approx(1.0)
    assert all(len(set(calls)) == len(calls) for calls in (truth.calls[text] for text in counts))
    rare = [text for text, share in expected.items() if share * draws < 5]
    cells = [(counts[text], share * draws) for text, share in expected.items() if text not in rare]
    cells.append((sum(counts[text] for text in rare), sum(expected[text] for text in rare) * draws))
    cells = [cell for cell in cells if cell[1] > 1]
    chi_square = sum((seen - wanted) ** 2 / wanted for seen, wanted in cells)
    freedom = len(cells) - 1
    assert freedom > 3
    assert chi_square < freedom + 4 * math.sqrt(2 * freedom)  # 4 standard deviations


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.form)
def test_the_best_output_is_the_best_of_what_follows_the_first_repetition(case: Case, seed: int):
    constraint, logits, truth = problem(case, seed)
    kept, begun, never = (), "", frozenset[int]()
    while True:
        place = len(never)
        best = max(
            (
                ids
                for ids, text in truth.text.items()
                if ids[: len(kept)] == kept
                and text.startswith(begun)
                and truth.calls[text][place : place + 1] not in {(call,) for call in never}
            ),
            key=truth.weight.__getitem__,
        )
        calls = truth.calls[truth.text[best]]
        first = next((k for k, call in enumerate(calls) if call in calls[:k]), None)
        if first is None:
            break
        (kept, begun), never = truth.kept(best, first), frozenset(calls[:first])
    assert drawn(constraint, logits, 1, Finish.BEST) == {truth.text[best]: 1}
