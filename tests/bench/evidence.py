"""Whether the evidence can be relied on: how well confidence tells right values from wrong, and what is warned about.

Reliability: the expected calibration error (Guo et al. 2017), the Brier score, and the AUROC of confidence against
being right. Warnings: their share among right and among wrong values, and the share of planted faults that is named.

Faults are planted in documents that the generator draws: a bound below a stated number, a pattern that a stated text
breaks, a value whose every mention is taken out of the document.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.problems import SPLITS, Problem, problems
from bench.scores import calibration_error, leaves, same
from structgen.model import Model

Judged = list[
    tuple[float, bool, bool]
]  # confidence of a value, whether it is right, whether it is warned about


def run(
    model: Model, console: Console, *, documents: int = 60, splits: Sequence[str] = SPLITS
) -> dict[str, Any]:
    """Print both tables; returns their figures."""
    warnings.simplefilter("ignore")
    rows = {}
    for split in splits:
        with console.status(split):
            rows[split] = reliability(list(judged(model, problems(split, documents, model))))
    planted = {}
    for name, plant in FAULTS.items():
        with console.status(name):
            found = [_planted(model, plant, problem) for problem in problems("values", documents, model)]
            planted[name] = [one for one in found if one is not None]
    table = Table(
        "values", "count", "right", "ECE", "Brier", "AUROC", "right ones warned", "wrong ones warned"
    )
    for split, row in rows.items():
        table.add_row(split, str(row["count"]), *(f"{row[name]:.3f}" for name in list(row)[1:]))
    console.print(table)
    faults = Table("planted fault", "count", "named")
    for name, told in planted.items():
        faults.add_row(name, str(len(told)), f"{np.mean(told):.1%}" if told else "")
    console.print(faults)
    shares = {
        name: {"count": len(told), "named": float(np.mean(told))} for name, told in planted.items() if told
    }
    return {"reliability": rows, "planted": shares}


def judged(model: Model, asked: Sequence[Problem]) -> Iterator[tuple[float, bool, bool]]:
    """Every value of the answers with its confidence, whether it is right, and whether it is warned about."""
    for problem in asked:
        done = model.extract(problem.document, problem.schema, details=True)
        gold, warned = dict(leaves(problem.value)), {one.pointer for one in done.warnings}
        for pointer, value in leaves(done.value):
            if pointer in done.confidence:
                right = pointer in gold and same(gold[pointer], value)
                yield done.confidence[pointer], right, pointer in warned


def reliability(found: Judged) -> dict[str, float]:
    """The share of right values, the two errors of confidence, its AUROC, and the shares that are warned about."""
    sure, right, warned = (np.array(column) for column in zip(*found, strict=True))
    return {
        "count": len(found),
        "right": float(right.mean()),
        "ece": calibration_error(list(zip(sure.tolist(), right.tolist(), strict=True))),
        "brier": float(((sure - right) ** 2).mean()),
        "auroc": auroc(sure, right),
        "right_warned": float(warned[right].mean()) if right.any() else 0.0,
        "wrong_warned": float(warned[~right].mean()) if (~right).any() else 0.0,
    }


def auroc(score: np.ndarray, right: np.ndarray) -> float:
    """The probability that a right value has a higher score than a wrong one; ties count half."""
    if right.all() or not right.any():
        return float("nan")
    above = score[right][:, None] - score[~right][None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


Plant = Callable[[Problem, str, Any], Problem | None]


def _planted(model: Model, plant: Plant, problem: Problem) -> bool | None:
    """Whether the fault that is planted in a problem is named; None if it has no place for one."""
    if not isinstance(problem.value, dict) or "properties" not in problem.schema:
        return None
    for name, value in problem.value.items():
        if "type" not in problem.schema["properties"].get(name, {}):
            continue
        faulty = plant(problem, name, value)
        if faulty is not None:
            done = model.extract(faulty.document, faulty.schema, details=True)
            return any(one.pointer == f"/{name}" for one in done.warnings)
    return None


def _changed(problem: Problem, name: str, **keywords: Any) -> Problem:
    schema = copy.deepcopy(problem.schema)
    schema["properties"][name] |= keywords
    return Problem(schema, problem.document, problem.value)


def bound(problem: Problem, name: str, value: Any) -> Problem | None:
    """A maximum below the number that the document states."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 4:
        return None
    return _changed(problem, name, maximum=int(value // 2), minimum=0)


def pattern(problem: Problem, name: str, value: Any) -> Problem | None:
    """A pattern that the text of the document breaks with its first letter."""
    plain = problem.schema["properties"].get(name, {}).get("type") == "string"
    if (
        not plain
        or not isinstance(value, str)
        or not re.match(r"[A-Za-z]", value)
        or value not in problem.document
    ):
        return None
    return _changed(problem, name, pattern=f"^[^{value[0].upper()}{value[0].lower()}].*$")


def absent(problem: Problem, name: str, value: Any) -> Problem | None:
    """Every mention of a text is taken out of the document."""
    plain = problem.schema["properties"].get(name, {}) == {"type": "string"}
    required = name in problem.schema.get("required", ())
    if (
        not plain
        or not required
        or not isinstance(value, str)
        or len(value) < 4
        or value not in problem.document
    ):
        return None
    return Problem(problem.schema, problem.document.replace(value, ""), problem.value)


FAULTS: dict[str, Plant] = {"bound": bound, "pattern": pattern, "absent": absent}
