"""How often a model that commits symmetric calls at once repeats one, on BFCL's parallel questions.

The model knows the n accepted calls of a question and not their order, so each of n places gives every call the same
probability, and n places that are drawn together hold n different calls with probability n!/nⁿ. Each call is a token,
so that nothing but the choice of calls is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import factorial
from pathlib import Path
from typing import Any

import torch

import structgen as sg
from bench.bfcl import as_json_schema
from conformance.calls import accepted_calls, questions
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.noise import Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish

UNLIKELY = -30.0  # nats


@dataclass
class Repeats:
    """Counts of questions, of drawn replies, of those that repeat a call, and of those expected to, for each option."""

    questions: int = 0
    drawn: int = 0
    repeated: int = 0
    expected: float = 0.0

    def __str__(self) -> str:
        shares = f"{self.repeated / self.drawn:.1%} repeat a call, {self.expected / self.drawn:.1%} expected"
        return f"{self.questions} questions, {self.drawn} replies: {shares}"


class Symmetric(RandomDenoiser):
    """A model that gives some tokens at each position the same probability."""

    def __init__(self, likely: list[list[int]], size: int) -> None:
        super().__init__(Uniform(2, size), len(likely), size)
        self._likely = likely

    def __call__(
        self, context: RandomContext, canvas: torch.Tensor, beliefs: torch.Tensor | None = None
    ) -> torch.Tensor:
        logits = torch.full((*canvas.shape, self.vocabulary_size), UNLIKELY)
        for position, tokens in enumerate(self._likely):
            logits[:, position, tokens] = 0.0
        return logits


def measured(file: Path, draws: int, every: int = 1) -> dict[bool, Repeats]:
    """The counts without and with `distinct`, over the questions with several different accepted calls."""
    found = {False: Repeats(), True: Repeats()}
    for question in questions(file, every):
        calls = [json.dumps({"name": name, "arguments": given}) for name, given in accepted_calls(question)]
        if len(calls) > 1 and len(set(calls)) == len(calls):
            for distinct, counts in found.items():
                _measure(counts, question, calls, distinct, draws)
    return found


def _measure(
    counts: Repeats, question: Mapping[str, Any], calls: list[str], distinct: bool, draws: int
) -> None:
    tools = [{**one, "parameters": as_json_schema(one["parameters"])} for one in question["function"]]
    pieces = [*(bytes([byte]) for byte in range(256)), b", ", *map(str.encode, calls)]
    tokens = Vocabulary.from_tokens(["<pad>", "<eos>", *pieces], end="<eos>", pad="<pad>")
    source = sg.Tools(tools, "required", min_calls=len(calls), max_calls=len(calls), distinct=distinct)
    try:
        constraint = sg.compile(source, tokens)
    except sg.StructgenError:
        return
    if not constraint.accepts(f"[{', '.join(calls)}]"):
        return
    ids = [len(tokens.offsets) - 1 - len(calls) + index for index in range(len(calls))]
    comma = ids[0] - 1
    likely = [[tokens.encode("[")[0]], *([ids, [comma]] * len(calls))[:-1], tokens.encode("]"), [1], [0]]
    rows = decode(
        Symmetric(likely, tokens.size),
        [[0]] * draws,
        [constraint.automaton] * draws,
        max_tokens=len(likely),
        options=DecodingOptions(steps=1, temperature=1.0, finish=Finish.SAMPLE),
        generators=[torch.Generator().manual_seed(counts.drawn + row) for row in range(draws)],
        reviews=[constraint.reviewer() for _ in range(draws)],
    )
    counts.questions += 1
    counts.expected += 0 if distinct else draws * (1 - factorial(len(calls)) / len(calls) ** len(calls))
    for row in rows:
        given = [json.dumps(one) for one in json.loads(tokens.decode(row.ids.tolist()).decode())]
        counts.drawn += 1
        counts.repeated += len(set(given)) < len(given)
