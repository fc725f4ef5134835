"""Extraction on held-out documents: fields right, valid objects, passes, seconds and calibration, way by way.

A table, and the same figures as JSON. Seconds are wall time and CPU time of one document, its constraint compiled and
cached before; the first document of each row is answered once more before the clock starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import structgen as sg
from bench import sealed
from bench.problems import SEALED, SPLITS, Problem, handwritten, problems
from bench.scores import Tally
from bench.ways import Way, causal_ways, diffusion_ways
from structgen.model import Model

COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "fields": ("fields", str),
    "exact": ("right", "{:.1%}".format),
    "alike": ("alike", "{:.1%}".format),
    "objects": ("exact objects", "{:.1%}".format),
    "valid": ("valid", "{:.1%}".format),
    "steps": ("steps", "{:.1f}".format),
    "seconds_per_document": ("s/document", "{:.2f}".format),
    "cpu_seconds_per_document": ("CPU s", "{:.2f}".format),
    "tokens_per_second": ("tokens/s", "{:.0f}".format),
    "ece": ("ECE", "{:.3f}".format),
}
Row = dict[str, Any]


def run(
    model: Model,
    console: Console,
    *,
    documents: int = 100,
    steps: int | None = None,
    causal: Path | None = None,
    causal_documents: int = 8,
    splits: Sequence[str] = SPLITS,
) -> dict[str, Any]:
    """Print the table over the splits, and what one extraction costs in a process of its own; returns both.

    Of sealed splits, which are named by themselves, only scores are printed and returned.
    """
    if set(splits) <= set(SEALED):
        return sealed.run(model, console, documents=documents, splits=splits)
    rows = measured(diffusion_ways(model, steps), model, splits, documents, console)
    if causal is not None:
        baseline = sg.load(causal, device="cpu")
        ways = {f"{Path(baseline.name).stem}, {name}": way for name, way in causal_ways(baseline).items()}
        rows += measured(ways, model, splits, causal_documents, console)
    console.print(table(rows))
    seconds = one_extraction()
    console.print(
        f"one extraction, loading included, by `structgen extract` in a fresh process: {seconds:.2f} s"
    )
    return {"rows": rows, "one_extraction_seconds": seconds}


def measured(
    ways: Mapping[str, Way], reader: Model, splits: Sequence[str], documents: int, console: Console
) -> list[Row]:
    """A row for each split and way; the documents are the first that `reader` can read."""
    rows = []
    for split in splits:
        asked = problems(split, documents, reader)
        for name, way in ways.items():
            with console.status(f"{split}: {name}"):
                rows.append({"split": split, "decoding": name, **_figures(way, asked)})
    return rows


def _figures(way: Way, asked: Sequence[Problem]) -> dict[str, Any]:
    tally = Tally()
    way(asked[0])  # before the clock starts: kernels, caches
    for problem in asked:
        tally.add(problem.value, way(problem))
    return tally.figures()


def table(rows: Sequence[Row]) -> Table:
    """The rows, their shares in per cent."""
    made = Table("split", "decoding", *(title for title, _ in COLUMNS.values()))
    for row in rows:
        cells = ("" if row[name] is None else shown(row[name]) for name, (_, shown) in COLUMNS.items())
        made.add_row(row["split"], row["decoding"], *cells)
    return made


def one_extraction() -> float:
    """Wall seconds of `structgen extract` on the first hand-written document, the second time it is run."""
    problem = next(handwritten())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "schema.json").write_text(json.dumps(problem.schema), encoding="utf-8")
        (folder / "document.txt").write_text(problem.document, encoding="utf-8")
        command = [sys.executable, "-m", "structgen.cli", "extract", "-s", "schema.json", "document.txt"]
        for _ in range(2):
            begun = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            seconds = time.perf_counter() - begun
    return seconds
