"""Extraction from long documents: hand-written ones among sentences that state nothing of what is asked.

The sentences stand before and behind the document, which itself is unchanged. So the fields that are right at each
length show what reading more costs, and nothing else.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence
from itertools import islice
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.clock import now, since
from bench.problems import Problem, fits, handwritten
from bench.scores import leaves, same
from papers.facts import SENTENCES
from structgen.model import Model

EVERY = 4  # hand-written documents: each so-manieth
TOGETHER = 3  # sentences that are added at once


def run(model: Model, console: Console, *, lengths: Sequence[int], documents: int) -> dict[str, Any]:
    """Print the table; the first row is of the documents as they are."""
    warnings.simplefilter("ignore")
    chosen = list(islice(handwritten(), 0, EVERY * documents, EVERY))
    found: dict[str, Any] = {}
    for length in (0, *lengths):
        draw = random.Random(1)
        found[str(length or "as written")] = _figures(
            model, [lengthened(model, one, length, draw) for one in chosen]
        )
    table = Table("tokens of the prompt", "fields", "right", "CPU s a document")
    for name, row in found.items():
        table.add_row(name, str(row["fields"]), f"{row['right']:.1%}", f"{row['seconds']:.2f}")
    console.print(table)
    return found


def lengthened(model: Model, problem: Problem, tokens: int, draw: random.Random) -> Problem:
    """The problem with as many sentences around its document as leave the prompt below a number of tokens."""
    before, after, known = list[str](), list[str](), problem
    while True:
        (before if draw.random() < 0.5 else after).append(" ".join(draw.sample(SENTENCES["en"], TOGETHER)))
        text = "\n".join([*before, problem.document, *after])
        longer = Problem(problem.schema, text, problem.value)
        if not fits(model, longer, tokens):
            return known
        known = longer


def _figures(model: Model, asked: Sequence[Problem]) -> dict[str, Any]:
    model.extract(asked[0].document, asked[0].schema)  # before the clock starts: kernels, caches
    begun, right, total = now(), 0, 0
    for problem in asked:
        done = dict(leaves(model.extract(problem.document, problem.schema)))
        for pointer, value in leaves(problem.value):
            total += 1
            right += pointer in done and same(value, done[pointer])
    return {"fields": total, "right": right / total, "seconds": since(begun).cpu / len(asked)}
