"""Scores on the sealed sets: documents in kinds that no model is trained on, and receipts as scanners read them.

A sealed set is written before the next model is trained, and nobody looks at it while deciding anything. So this prints
and returns sums over a whole set, and nothing by which a document, an answer or a single error could be known.

No document is left out: one that `model.extract` refuses has all its fields wrong. A field whose gold value is null is
*absent*; a value given for it is a silent error unless a warning names it.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.clock import Seconds, now, since
from bench.problems import SEALED, Problem, written
from bench.scores import Answer, Tally, calibration_error, leaves, same
from structgen.model import Model

DATE = re.compile(r"\d{4}-\d\d-\d\d")
SHARES = ("exact", "alike", "objects", "valid", "absent_right", "invented_warned", "wrong_warned")
COLUMNS = (
    "fields right",
    "alike",
    "documents whole",
    "valid",
    "absent right",
    "invented, warned",
    "wrong, warned",
)


@dataclass
class Scores:
    """Sums over the answers to one sealed set."""

    tally: Tally = field(default_factory=Tally)
    refused: int = 0
    raw: list[tuple[float, bool]] = field(default_factory=list)  # uncalibrated confidence, whether right
    fields: Counter[str] = field(default_factory=Counter[str])  # by type of the gold value
    right: Counter[str] = field(default_factory=Counter[str])  # by type of the gold value
    wrong: int = 0  # leaves of answers that are not gold
    warned: int = 0  # of those, named by a warning
    invented: int = 0  # values where gold is null
    invented_warned: int = 0

    def add(self, model: Model, problem: Problem) -> None:
        """Answer one problem, and count the answer."""
        begun, gold = now(), dict(leaves(problem.value))
        try:
            done = model.extract(problem.document, problem.schema, details=True)
        except sg.StructgenError:
            self.refused += 1
            self.fields.update(map(kind_of, gold.values()))
            self.tally.add(problem.value, Answer(None, False, 0, 0, since(begun)))
            return
        self.count(problem, done, since(begun))

    def count(self, problem: Problem, done: sg.Generation[Any], seconds: Seconds) -> None:
        """Count an answer that is not refused."""
        valid = Draft202012Validator(problem.schema).is_valid(done.value)
        beliefs = done.calibrated or done.confidence
        self.tally.add(problem.value, Answer(done.value, valid, done.steps, len(done.ids), seconds, beliefs))
        gold, got = dict(leaves(problem.value)), dict(leaves(done.value))
        named = {one.pointer for one in done.warnings}
        right = {pointer for pointer, leaf in gold.items() if pointer in got and same(got[pointer], leaf)}
        self.raw += [(belief, pointer in right) for pointer, belief in done.confidence.items()]
        self.fields.update(map(kind_of, gold.values()))
        self.right.update(kind_of(gold[pointer]) for pointer in right)
        wrong = got.keys() - right
        invented = {pointer for pointer in wrong if pointer in gold and gold[pointer] is None}
        self.wrong += len(wrong)
        self.warned += len(wrong & named)
        self.invented += len(invented)
        self.invented_warned += len(invented & named)

    def figures(self) -> dict[str, Any]:
        """The shares by name; None for a share of nothing."""
        kinds = {kind: self.right[kind] / count for kind, count in sorted(self.fields.items())}
        return {
            **self.tally.figures(),
            "refused": self.refused,
            "absent": self.fields["absent"],
            "absent_right": kinds.get("absent"),
            "invented": self.invented,
            "invented_warned": self.invented_warned / self.invented if self.invented else None,
            "wrong_warned": self.warned / self.wrong if self.wrong else None,
            "ece_uncalibrated": calibration_error(self.raw) if self.raw else None,
            "right_by_type": kinds,
            "fields_by_type": dict(sorted(self.fields.items())),
        }


def run(
    model: Model, console: Console, *, documents: int = 100, splits: Sequence[str] = SEALED
) -> dict[str, Any]:
    """Print the scores of each set, and those by type of value; returns both."""
    warnings.simplefilter("ignore")
    rows = {}
    for split in splits:
        scores = Scores()
        with console.status(split):
            for problem in islice(written(split), documents):
                scores.add(model, problem)
        rows[split] = scores.figures()
    console.print(table(rows))
    console.print(by_type(rows))
    return rows


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """A row of scores for each set."""
    made = Table("set", "documents", "refused", "fields", *COLUMNS, "ECE", "uncalibrated", "CPU s")
    for split, row in rows.items():
        counts = [str(row[name]) for name in ("documents", "refused", "fields")]
        errors = [_shown(row[name], ".3f") for name in ("ece", "ece_uncalibrated")]
        seconds = _shown(row["cpu_seconds_per_document"], ".2f")
        made.add_row(split, *counts, *(_shown(row[name], ".1%") for name in SHARES), *errors, seconds)
    return made


def by_type(rows: dict[str, dict[str, Any]]) -> Table:
    """The share of fields that are right, by type of the gold value."""
    made = Table("set", "type", "fields", "right")
    for split, row in rows.items():
        for kind, share in row["right_by_type"].items():
            made.add_row(split, kind, str(row["fields_by_type"][kind]), f"{share:.1%}")
    return made


def kind_of(value: Any) -> str:
    """The type of a gold value, as the table has it."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, str) and DATE.match(value) else "text"


def _shown(share: float | None, form: str) -> str:
    return "" if share is None else format(share, form)
