"""When the embedded model's values are doubted, fitted to generated documents of which one fact is left out.

Of all triples of constants that doubt at most a share of the right values, the one is taken that doubts most of the
values for facts that are left out. The documents are those of the conformance tool `faults` under seeds of their own,
and those of `answers`, which lack nothing and are asked for texts alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console

from papers import Paper, papers
from structgen import Document
from structgen.evidence.absence import Claim, Doubt, absent
from structgen.evidence.gather import compared
from structgen.evidence.looks import supports
from structgen.evidence.tokens import Spelled
from structgen.generation.leaves import Answer
from structgen.generation.writer import write
from structgen.model import Model
from structgen.reading.stated import Stated
from structgen.sources.json_schema.pointers import steps
from structgen.verbs.extract import extraction

SEEDS = (901, 902)  # looked at while the rule was chosen
LEAST = np.round(np.arange(-6.0, -1.0, 0.25), 2).tolist()
MARGINS = (0.0, 0.25, 0.5, 1.0, 2.0)
READING = (0.0, 0.1, 0.2, 0.3, 0.5)
MOST = 0.02  # share of right values that may be doubted


@dataclass(frozen=True, eq=False)
class Seen:
    """The claims of one answer by the model alone, and which of them are right.

    found: what was read of each, nats; lacking: the pointer of the fact that is left out
    """

    claims: dict[str, Claim]
    found: dict[str, float | None]
    stated: Stated
    right: frozenset[str]
    lacking: str | None


def run(model: Model, console: Console, *, documents: int, file: Path | None) -> Doubt:
    """Fit the three constants, print what they doubt, and write them into a weights.toml if one is given."""
    seen = [
        claims(model, paper)
        for seed, lacking in product(SEEDS, (True, False))
        for paper in papers(seed, documents, 1, lacking=lacking)
        if paper.kind != "pdf"
    ]
    rates = {one: doubted(seen, Doubt(*one)) for one in product(LEAST, MARGINS, READING)}
    allowed = {one: rate for one, rate in rates.items() if rate[0] <= MOST}
    best = max(allowed, key=lambda one: (allowed[one][1], -allowed[one][0]))
    console.print(f"{len(seen)} answers: least {best[0]}, margin {best[1]}, reading {best[2]}")
    console.print(f"doubted: {rates[best][0]:.1%} of right values, {rates[best][1]:.1%} of absent ones")
    if file is not None:
        file.write_text(written(file.read_text(encoding="utf-8"), Doubt(*best)), encoding="utf-8")
    return Doubt(*best)


def claims(model: Model, paper: Paper) -> Seen:
    """The claims of the answer to a paper: one that lacks a fact is asked for types, one that lacks none for texts."""
    text = Document.open(paper.content, name=paper.name).text
    schema, wanted = (
        (paper.schema, paper.values) if paper.absent is None else (paper.typed_schema, paper.typed)
    )
    asked = extraction(model, text, schema)
    done = write(model, asked)
    spelled = Spelled(done.ids.tolist(), model.vocabulary)
    answer, stated = Answer.of(model.vocabulary.decode(done.ids.tolist()).decode()), Stated(text)
    leaves = compared(asked, answer)
    known = supports(asked, done, spelled, leaves, answer.text, pad=0)
    found = {
        one.pointer: Claim(one, known[one.pointer], stated.places(one.value, steps(one.pointer)))
        for one in leaves
    }
    right = frozenset(f"/{name}" for name, value in wanted.items() if _same(found, name, value))
    finds = model.finds and model.finds(asked.kinds[0].outline, text)
    read = {at: finds(at, claim.places) if finds else None for at, claim in found.items()}
    return Seen(found, read, stated, right, None if paper.absent is None else f"/{paper.absent}")


def _same(found: dict[str, Claim], name: str, value: object) -> bool:
    return f"/{name}" in found and found[f"/{name}"].leaf.value == value


def doubted(seen: list[Seen], doubt: Doubt) -> tuple[float, float]:
    """The shares of right values and of values for absent facts that are doubted or not stated at all."""
    right, lacking = [], []
    for one in seen:
        claims = {
            at: replace(claim, support=doubt.supported(claim.support, one.found[at]))
            for at, claim in one.claims.items()
        }
        told = absent(claims, one.stated, doubt)
        bad = {at for at, claim in one.claims.items() if at in told or not claim.places}
        right += [at in bad for at in one.right]
        lacking += [] if one.lacking is None else [one.lacking in bad]
    return float(np.mean(right)), float(np.mean(lacking))


def written(text: str, doubt: Doubt) -> str:
    """The text of a weights.toml with the fitted constants; everything else stays as it is."""
    table, found = (
        f"[doubt]\nleast = {doubt.least!r}\nmargin = {doubt.margin!r}\nreading = {doubt.reading!r}",
        r"\[doubt\]\nleast = .*\nmargin = .*\nreading = [-\d.]+",
    )
    text, count = re.subn(found, table, text)
    if count != 1:
        raise ValueError("the file must have one table [doubt] with least, margin and reading")
    return text
