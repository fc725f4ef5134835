"""Field accuracy of a model on held-out documents: constrained and not, with and without scaffolds.

Unconstrained decoding is the same loop with an automaton that accepts every token, so that only the constraint differs.
A field counts as right if the value at its JSON pointer is the gold value, type and all; missing fields are wrong.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from structgen.extract import extract_in_layout
from structgen.generate import Generation, Options, generate, prompt_ids
from structgen.generator import Generator
from structgen.prompt import Prompt
from structgen_engine.automaton import Alphabet, Dfa
from structgen_engine.decode import decode

TRAINING = Path(__file__).parents[2] / "engine"
SEED = 4242
WAYS = ("free canvas, unconstrained", "free canvas, grammar", "scaffold, unconstrained", "scaffold, grammar")


@dataclass(frozen=True)
class Problem:
    """A document, the schema to fill and the value a perfect reader returns."""

    schema: dict[str, Any]
    document: str
    value: Any


@dataclass
class Tally:
    """What one way of decoding got right on one split."""

    fields: int = 0
    right: int = 0
    documents: int = 0
    exact: int = 0
    valid: int = 0
    steps: int = 0
    seconds: float = 0.0

    def add(self, gold: Any, value: Any, valid: bool, steps: int, seconds: float) -> None:
        wanted, got = dict(leaves(gold)), dict(leaves(value))
        self.fields += len(wanted)
        self.right += sum(pointer in got and same(got[pointer], leaf) for pointer, leaf in wanted.items())
        self.documents += 1
        self.exact += same(value, gold)
        self.valid += valid
        self.steps += steps
        self.seconds += seconds

    def cells(self) -> list[str]:
        shares = (self.right / self.fields, self.exact / self.documents, self.valid / self.documents)
        means = (self.steps / self.documents, self.seconds / self.documents)
        return [str(self.fields), *(f"{share:.1%}" for share in shares), f"{means[0]:.1f}", f"{means[1]:.2f}"]


def run(model: Generator, console: Console, *, documents: int = 100, steps: int = 16) -> None:
    """Print the table over the splits values, names and handwritten."""
    table = Table("split", "decoding", "fields", "right", "exact objects", "valid", "steps", "s/document")
    for split in ("values", "names", "handwritten"):
        problems = list(_problems(split, documents, model))
        for way in WAYS:
            tally = Tally()
            for problem in problems:
                begun = time.perf_counter()
                value, valid, taken = _answer(model, problem, way, steps)
                tally.add(problem.value, value, valid, taken, time.perf_counter() - begun)
            table.add_row(split, way, *tally.cells())
    console.print(table)


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The scalars of a JSON value by pointer; empty containers count as leaves."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from leaves(part, f"{pointer}/{name}")
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, f"{pointer}/{index}")
    else:
        yield pointer, value


def same(left: Any, right: Any) -> bool:
    """JSON equality: 1 and 1.0 are one number, true is no number."""
    return normal(left) == normal(right)


def normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: normal(part) for name, part in value.items()}
    if isinstance(value, list):
        return [normal(part) for part in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    return ("number", float(value))


def _problems(split: str, count: int, model: Generator) -> Iterator[Problem]:
    """The first `count` problems of a split that the model can read."""
    if str(TRAINING) not in sys.path:
        sys.path.append(str(TRAINING))
    found = 0
    for problem in _handwritten() if split == "handwritten" else _generated(split):
        if found == count:
            return
        try:
            prompt_ids(model, model.prompts.extraction(problem.schema, problem.document))
        except sg.InvalidDocument:
            continue
        found += 1
        yield problem


def _handwritten() -> Iterator[Problem]:
    for line in (TRAINING / "training" / "handwritten.jsonl").read_text().splitlines():
        entry = json.loads(line)
        yield Problem(entry["schema"], entry["document"], entry["value"])


def _generated(split: str) -> Iterator[Problem]:
    from training.documents import make_sample
    from training.pools import make_pools
    from training.train import TrainConfig

    pools, rng = make_pools(TrainConfig().seed, TrainConfig().pool_size), random.Random(SEED)
    while True:
        sample = make_sample(rng, pools, split)
        yield Problem(sample.schema, sample.document, json.loads(json.dumps(sample.value, default=float)))


def _answer(model: Generator, problem: Problem, way: str, steps: int) -> tuple[Any, bool, int]:
    """The value (None where the text is no JSON), whether it satisfies the schema, and the steps taken."""
    options = Options(steps=steps)
    constraint = sg.compile(problem.schema, model.vocabulary)
    prompt = model.prompts.extraction(problem.schema, problem.document)
    if way == "free canvas, grammar":
        done: Generation[Any] = generate(model, prompt, constraint, options)
        return done.value, constraint.accepts(done.text), done.steps
    pinned = None
    if way.startswith(
        "scaffold"
    ):  # the layout found with the constraint serves both, so that only the constraint differs
        done, layout = extract_in_layout(model, problem.document, problem.schema, options)
        if way == "scaffold, grammar":
            return done.value, constraint.accepts(done.text), done.steps
        pinned = None if layout is None else layout.block
    text, taken = _unconstrained(model, prompt, pinned, steps)
    try:
        value = json.loads(text)
    except ValueError:
        return None, False, taken
    return value, constraint.accepts(text), taken


def _unconstrained(
    model: Generator, prompt: Prompt, pinned: Sequence[int] | None, steps: int
) -> tuple[str, int]:
    """The same loop, every token allowed everywhere."""
    size = model.vocabulary.size
    anything = Dfa(
        Alphabet(torch.ones(size, dtype=torch.int32), 2),
        torch.tensor([[0, 0], [0, 1]], dtype=torch.int32),
        torch.tensor([False, True]),
        1,
    )
    block = model.denoiser.block_length
    decoded = decode(
        model.denoiser,
        [prompt_ids(model, prompt)],
        [anything],
        max_tokens=block,
        steps=steps,
        pad_id=0,
        temperature=model.temperature,
        pace=model.pace,
        generator=torch.Generator().manual_seed(0),
        scaffold=None if pinned is None else [torch.tensor(pinned)],
    )[0]
    return model.vocabulary.decode(decoded.ids).decode(errors="replace"), decoded.steps
