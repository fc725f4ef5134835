"""The lazy regime against a wider judge: logits peaked at a text of the language with six wrong tokens.

Each trial takes a real schema that compiles lazily, a text that it accepts, and logits over the whole vocabulary that
prefer this text's tokens, except at six positions where they prefer a random token. A search that follows forward
weight alone leaves the language's heaviest blocks at such a position.

Two judges know better. The text itself is accepted, so the best block must be as heavy. And where the certificate
leaves open whether too much is missed, a search keeps four times as much and never drops the text's path; all that it
keeps are accepted blocks, so the share that the product misses is at least 1 − Z(product) / Z(judge). Whether the
certificate can be trusted is another question, which `python -m conformance certificate` asks.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice, product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.clock import now, since
from conformance.sampler import Sampler
from conformance.suites import Group, rows
from structgen.compiler.lazy import LazyAutomaton
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen_engine.lattice.beam import Beam, PrunedBlock
from structgen_engine.lattice.lattice import BlockLattice
from structgen_engine.lattice.pruning import Pruning

BLOCK = 256
NOISE = 3.0  # nats, the standard deviation of every logit
PEAKS = (20.0, 30.0)  # nats above the noise
WRONG = 6
EVERY = 25  # MaskBench's schemas: 90 of 2,295, of which 29 are lazy
SHORTEST = 8  # tokens of a text
DRAWS = 200  # texts drawn of a schema without instances, until one fits
WIDER = Pruning(0.0, 1024, 8192)
FREE = {"$defs": {"v": {}}, "$ref": "#/$defs/v"}
ANY = (
    {"a": [1, 2.5, {"b": None, "c": [True, False, "some text here"]}], "d": {"e": [[], [1]]}},
    {"name": "root", "size": 3, "kids": [{"name": "leaf one"}, {"name": "two", "kids": [{"name": "x"}]}]},
)
MISSING, LIGHTER, WITHIN = 1e-3, 0.1, 0.95  # the aims
FIRST, LATER = 1.2, 0.7


@dataclass(frozen=True, eq=False)
class Trial:
    """A lazy automaton, the ids of a text that it accepts, and logits [N, V] that almost say so."""

    name: str
    lazy: LazyAutomaton
    ids: list[int]
    peak: float
    seed: int

    def logits(self, noise: torch.Tensor) -> torch.Tensor:
        """The noise [N, V], rolled by the seed, with peaks at the text and at the wrong tokens."""
        rng = random.Random(self.seed)
        wanted = list(self.ids)
        ends = wanted.index(self.lazy.vocabulary.special[self.lazy.vocabulary.end or ""])
        for place in rng.sample(range(ends), min(WRONG, ends // 2)):
            wanted[place] = rng.randrange(self.lazy.vocabulary.size)
        logits = noise.roll(rng.randrange(noise.shape[1]), 1)
        logits[torch.arange(BLOCK), torch.tensor(wanted)] += self.peak
        return logits


@dataclass(frozen=True)
class Found:
    """What a trial found: the missing share, nats by which the best block is lighter, the bound, and CPU seconds."""

    missing: float
    lighter: float
    bound: float
    certified: bool
    first: float
    later: float
    softmax: float
    kept: int
    wrongly: bool  # certified as the best, or the share within the bound, when it is not


def run(
    tokenizer: Path, schemas: Path, console: Console, *, trials: int = 96, judged: bool = True
) -> dict[str, Any]:
    """Print a line for each trial and the summary; CPU seconds, one thread."""
    vocabulary = sg.Vocabulary.from_file(tokenizer)
    noise = torch.randn(BLOCK, vocabulary.size, generator=torch.Generator().manual_seed(0)) * NOISE
    table = Table("schema", "peak", "kept", "missing", "lighter", "bound", "best certified", "first", "later")
    found: list[Found] = []
    for trial in islice(trials_of(schemas, vocabulary), trials):
        one = measured(trial, trial.logits(noise), judged=judged)
        found.append(one)
        row = (trial.name.rpartition("---")[2], f"{trial.peak:g}", str(one.kept), f"{one.missing:.1e}")
        row += (f"{one.lighter:.2f}", f"{one.bound:.1e}", "yes" if one.certified else "no")
        row += (f"{one.first / one.softmax:.2f}", f"{one.later / one.softmax:.2f}")
        console.print(*row, "WRONG" if one.wrongly else "", highlight=False)
        table.add_row(*row)
    figures = _summary(found)
    console.print(figures, highlight=False)
    return {**figures, "trials": [vars(one) for one in found]}


def _summary(found: list[Found]) -> dict[str, float]:
    good = [one.missing <= MISSING and one.lighter <= LIGHTER for one in found]
    return {
        "within": sum(good) / len(found),
        "missing": sum(one.missing <= MISSING for one in found) / len(found),
        "lighter": sum(one.lighter <= LIGHTER for one in found) / len(found),
        "bounded": sum(one.bound <= MISSING for one in found) / len(found),
        "certified": sum(one.certified for one in found) / len(found),
        "wrongly": sum(one.wrongly for one in found),
        "first": float(np.median([one.first / one.softmax for one in found])),
        "later": float(np.median([one.later / one.softmax for one in found])),
    }


def measured(trial: Trial, logits: torch.Tensor, *, judged: bool = True) -> Found:
    """Two steps of the product, a softmax in between, then the judge."""
    lazy, remaining = trial.lazy, max(BLOCK, int(trial.lazy.distance_upper[trial.lazy.start]))
    beam, seconds = Beam(lazy, lazy.start, remaining), []
    softmax = _softmax(logits)
    for _ in range(2):
        begun = now()
        explored = beam.explore(logits)
        lattice = BlockLattice([explored], logits[None])
        lattice.beliefs()
        if float(lattice.log_partition()[0]) > -math.inf:
            lattice.sample(torch.Generator().manual_seed(0))
        seconds.append(since(begun).cpu)
    kept, bound = len(explored.configurations), float(lattice.dropped()[0])
    log_z, weight, certified = float(lattice.log_partition()[0]), -math.inf, False
    if log_z > -math.inf:
        best = lattice.argmax()
        weight, certified = float(best.log_prob[0]) + log_z, bool(best.certified[0])
    whole, heaviest = log_z, _planted(trial, logits)
    if judged and (bound > MISSING or not certified):
        whole, found = _judge(trial, logits, remaining, explored)
        heaviest = max(heaviest, found)
    missing = 1 - math.exp(min(0.0, log_z - whole)) if whole > -math.inf else 0.0
    lighter = max(0.0, heaviest - weight) if heaviest > -math.inf else 0.0
    wrongly = missing > bound + 1e-6 or (certified and lighter > 1e-6)
    return Found(missing, lighter, bound, certified, *seconds, softmax, kept, wrongly)


def _softmax(logits: torch.Tensor) -> float:
    buffer = torch.softmax(logits, -1)
    begun = now()
    torch.softmax(logits, -1, out=buffer)
    return since(begun).cpu


def _planted(trial: Trial, logits: torch.Tensor) -> float:
    """The weight of the block with the text, in nats."""
    return float(logits[torch.arange(BLOCK), torch.tensor(trial.ids)].double().sum())


def _judge(trial: Trial, logits: torch.Tensor, remaining: int, explored: PrunedBlock) -> tuple[float, float]:
    """log Z and the heaviest block's weight in what the wide search keeps, and the product's if that is more."""
    wide = Beam(trial.lazy, trial.lazy.start, remaining, WIDER)
    wide.witness = trial.ids
    parts = [wide.explore(logits), explored]
    weights = []
    for part in parts:
        lattice = BlockLattice([part], logits[None])
        log_z = float(lattice.log_partition()[0])
        best = float(lattice.argmax().log_prob[0]) + log_z if log_z > -math.inf else -math.inf
        weights.append((log_z, best))
    return max(z for z, _ in weights), max(w for _, w in weights)


def trials_of(schemas: Path, vocabulary: sg.Vocabulary) -> Iterator[Trial]:
    """Every lazy schema with every peak, again and again with other seeds."""
    subjects = list(_subjects(schemas, vocabulary))
    for seed in count():
        for peak, (name, lazy, texts) in product(PEAKS, subjects):
            yield Trial(name, lazy, texts[seed % len(texts)], peak, seed)


def _subjects(
    schemas: Path, vocabulary: sg.Vocabulary
) -> Iterator[tuple[str, LazyAutomaton, list[list[int]]]]:
    """The lazy schemas among some, with the ids of texts that fit a block: valid instances, else drawn ones."""
    groups = [
        Group("free JSON", FREE, tuple((value, True) for value in ANY)),
        *islice(rows(schemas), 0, None, EVERY),
    ]
    for group in groups:
        try:
            source = sg.JsonSchema(group.schema, unknown="ignore")
            constraint = sg.compile(source, vocabulary)
        except StructgenError:
            continue
        if constraint.info().regime == "lazy":
            lazy = constraint.automaton
            given = (json.dumps(value, ensure_ascii=False) for value, valid in group.instances if valid)
            ids = list(_fitting(given, lazy)) or list(islice(_fitting(_drawn(source.whole()), lazy), 1))
            if ids:
                yield group.name, lazy, ids


def _drawn(grammar: Grammar) -> Iterator[str]:
    sampler = Sampler(grammar, random.Random(0))
    return (sampler.text() for _ in range(DRAWS))


def _fitting(texts: Iterator[str], lazy: LazyAutomaton) -> Iterator[list[int]]:
    """The ids of texts that are accepted and fit a block, with the end token and padding."""
    vocabulary, special = lazy.vocabulary, lazy.vocabulary.special
    for text in texts:
        ids = vocabulary.encode(text)
        if SHORTEST <= len(ids) < BLOCK and lazy.accepts_ids(ids):
            ids.append(special[vocabulary.end or ""])
            yield ids + [special[vocabulary.pad or ""]] * (BLOCK - len(ids))
