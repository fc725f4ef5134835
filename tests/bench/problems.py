"""Documents to extract from: drawn by the training generator's held-out splits, and written by hand.

The sealed splits are scored by `bench.sealed` and read by nothing else, so that no option prints what they say.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import structgen as sg
from structgen.generation.writer import prompt_ids
from structgen.model import Model

ENGINE = Path(__file__).parents[2] / "engine"
SEED = 4242
MOST_TOKENS = 512  # of a prompt, the longest in training
SPLITS = ("values", "names", "handwritten")
KINDS = "kinds"  # written documents of kinds that no reader is trained on; for development, their errors are looked at
SEALED = ("unseen", "receipts")


@dataclass(frozen=True)
class Problem:
    """A document, the schema to fill and the value a perfect reader returns."""

    schema: dict[str, Any]
    document: str
    value: Any


def problems(split: str, count: int, model: Model) -> list[Problem]:
    """The first `count` problems of a split whose prompts are no longer than those of training."""
    own = {"handwritten": handwritten, KINDS: _other_kinds}
    drawn = own[split]() if split in own else _generated(split)
    return list(islice((problem for problem in drawn if fits(model, problem)), count))


def handwritten() -> Iterator[Problem]:
    """The hand-written documents, in the order of the file."""
    return written("handwritten")


def written(split: str) -> Iterator[Problem]:
    """The documents of a split that is a file, in the order of the file."""
    for line in (ENGINE / "training" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield Problem(entry["schema"], entry["document"], entry["value"])


def fits(model: Model, problem: Problem, tokens: int = MOST_TOKENS) -> bool:
    """Whether the prompt takes no more than so many tokens, and no more than the model reads."""
    try:
        ids = prompt_ids(model, model.prompts.extraction(sg.JsonSchema(problem.schema), problem.document))
    except sg.InvalidDocument:
        return False
    return len(ids) <= tokens


def _other_kinds() -> Iterator[Problem]:
    """The written documents that the reader is examined on, and never learns from."""
    if str(ENGINE) not in sys.path:
        sys.path.append(str(ENGINE))
    from training.reader.material import written_samples
    from training.written import FOLDER

    for sample in written_samples(FOLDER)[1]:
        yield Problem(sample.schema, sample.document, json.loads(json.dumps(sample.value, default=float)))


def _generated(split: str) -> Iterator[Problem]:
    if str(ENGINE) not in sys.path:
        sys.path.append(str(ENGINE))
    from training.documents import make_sample
    from training.pools import make_pools
    from training.train import TrainConfig

    pools, rng = make_pools(TrainConfig().seed, TrainConfig().pool_size), random.Random(SEED)
    while True:
        sample = make_sample(rng, pools, split)
        yield Problem(sample.schema, sample.document, json.loads(json.dumps(sample.value, default=float)))
