"""Many documents through one model: documents for each CPU second and memory, one by one and with several in flight.

Each document has its own schema, compiled before, and its own seed. All ways take the same documents in one process, in
turns of a few, so that what else the machine does meets all of them alike; their values are compared.
"""

from __future__ import annotations

import resource
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bench.clock import now, since
from bench.problems import Problem, problems
from structgen.generation.batcher import Batcher
from structgen.model import Model

SIZES = (1, 4, 16, 64)
SPLIT = "values"
TURN = 64  # documents of a turn
COLUMNS = ("CPU s/document", "documents/CPU s", "times", "s/document", "peak MB", "equal values")
Numbered = tuple[int, Problem]


def run(model: Model, console: Console, *, documents: int, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Print the table; returns its rows."""
    warnings.simplefilter("ignore")
    asked = list(enumerate(problems(SPLIT, documents, model)))
    ways: dict[str, Callable[[Sequence[Numbered]], list[Any]]] = {
        "one by one": lambda some: alone(model, some)
    }
    for size in sizes:
        ways[str(size)] = lambda some, size=size: together(model, some, size)
    for _, problem in asked:  # compiled, and kept
        model.extract(problem.document, problem.schema, steps=1)
    wall, cpu, peak = (dict.fromkeys(ways, 0.0) for _ in range(3))
    values: dict[str, list[Any]] = {name: [] for name in ways}
    for some in (asked[at : at + TURN] for at in range(0, len(asked), TURN)):
        for name, way in ways.items():
            begun = now()
            values[name] += way(some)
            seconds = since(begun)
            wall[name] += seconds.wall
            cpu[name] += seconds.cpu
            peak[name] = peak[name] or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = next(iter(ways))
    rows = [
        {
            "rows in flight": name,
            "documents": len(asked),
            "cpu_seconds_per_document": cpu[name] / len(asked),
            "documents_per_cpu_second": len(asked) / cpu[name],
            "times": cpu[first] / cpu[name],
            "seconds_per_document": wall[name] / len(asked),
            "peak_mb": peak[name],
            "equal": sum(a == b for a, b in zip(values[first], values[name], strict=True)),
        }
        for name in ways
    ]
    console.print(table(rows))
    return {"threads": torch.get_num_threads(), "rows": rows}


def alone(model: Model, some: Sequence[Numbered]) -> list[Any]:
    return [model.extract(one.document, one.schema, seed=seed) for seed, one in some]


def together(model: Model, some: Sequence[Numbered], size: int) -> list[Any]:
    batcher = Batcher(model, size)
    futures = [
        batcher.submit(lambda own, seed=seed, one=one: own.extract(one.document, one.schema, seed=seed))
        for seed, one in some
    ]
    while batcher.busy:
        batcher.step()
    return [future.result() for future in futures]


def table(rows: Sequence[dict[str, Any]]) -> Table:
    shown = Table("rows in flight", *COLUMNS)
    for row in rows:
        shown.add_row(
            row["rows in flight"],
            f"{row['cpu_seconds_per_document']:.3f}",
            f"{row['documents_per_cpu_second']:.2f}",
            f"{row['times']:.2f}",
            f"{row['seconds_per_document']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['equal']} of {row['documents']}",
        )
    return shown
