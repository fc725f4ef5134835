"""The cost of an extraction in CPU seconds: a document, a fresh process, and beside the same model writing freely.

Every figure comes from processes of their own that are asked in turn, so that what else the machine does meets all
alike. With another checkout of the project (`--base`) each figure is also given as a ratio to the one there.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.problems import handwritten

HERE = Path(__file__).parents[2]
ASKED = Path(__file__).parent / "cost_asked.py"
FREE = "the same model writing freely"
Figures = dict[str, Any]


class Checkout:
    """A checkout of the project that answers questions in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = folder / ".venv" / "bin" / "python"
        self.python = str(own) if own.exists() else sys.executable
        paths = os.pathsep.join(str(folder / part) for part in ("", "engine", "tests"))
        threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "STRUCTGEN_THREADS"), "1")
        self.environment = {**os.environ, **threads, "PYTHONPATH": paths}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A process that has loaded nothing yet."""
        with subprocess.Popen(
            [self.python, str(ASKED)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Worker(process)
            assert process.stdin is not None
            process.stdin.close()

    def fresh_process(self, folder: Path) -> float:
        """CPU seconds of `structgen extract` on the document in a folder."""
        command = [self.python, "-m", "structgen.cli", "extract", "-s", "schema.json", "document.txt"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=folder, env=self.environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Worker:
    """A process that answers one question a line: see cost_asked.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, **question: Any) -> Figures:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def run(
    console: Console, *, documents: int, rounds: int, base: Path | None, splits: Sequence[str]
) -> Figures:
    """Print the costs here, and their ratios to those of another checkout; returns them."""
    checkouts = {"here": Checkout(HERE)} | ({} if base is None else {"base": Checkout(base.resolve())})
    found: dict[str, dict[str, Figures]] = {name: {} for name in checkouts}
    for split in splits:
        with console.status(split):
            for name, figures in _documents(checkouts, split, documents).items():
                found[name][split] = figures
    with console.status("fresh processes"):
        for name, figures in _processes(checkouts, rounds).items():
            found[name]["process"] = figures
    console.print(_table(found, splits))
    return found


def _documents(checkouts: Mapping[str, Checkout], split: str, documents: int) -> dict[str, Figures]:
    """Sums over the documents of a split, each extracted and freely written in turn by all checkouts."""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(one.worker()) for name, one in checkouts.items()}
        total = min(
            worker(do="load", split=split, documents=documents)["documents"] for worker in workers.values()
        )
        sums = {name: dict.fromkeys(("extract", "free", "right", "fields"), 0.0) for name in workers}
        for number in range(total):
            for name, worker in workers.items():
                for key, value in worker(do="document", number=number).items():
                    sums[name][key] += value
    return {name: {**one, "documents": total} for name, one in sums.items()}


def _processes(checkouts: Mapping[str, Checkout], rounds: int) -> dict[str, Figures]:
    """CPU seconds of a fresh `structgen extract`, and of the first and second extraction in one process: medians."""
    seen: dict[str, list[tuple[float, float, float]]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as name:
        folder, problem = Path(name), next(handwritten())
        (folder / "schema.json").write_text(json.dumps(problem.schema), encoding="utf-8")
        (folder / "document.txt").write_text(problem.document, encoding="utf-8")
        for attempt in range(rounds + 1):
            for name, checkout in checkouts.items():
                whole = checkout.fresh_process(folder)
                with checkout.worker() as worker:
                    twice = worker(do="twice")
                if attempt:  # the first fills caches
                    seen[name].append((whole, twice["first"], twice["second"]))
    names = "fresh", "first", "second"
    return {
        name: dict(zip(names, map(statistics.median, zip(*rows, strict=True)), strict=True))
        for name, rows in seen.items()
    }


def _table(found: Mapping[str, Mapping[str, Figures]], splits: Sequence[str]) -> Table:
    base = found.get("base")
    table = Table(
        "figure", "here", *(("base", "here ÷ base") if base else ()), title="CPU seconds, one thread"
    )

    def row(what: str, shown: str, values: Sequence[float]) -> None:
        ratio = [f"{values[0] / values[1]:.2f}"] if base else []
        table.add_row(what, *map(shown.format, values), *ratio)

    every = list(found.values())
    for split in splits:
        row(f"extract, a document, {split}", "{:.3f}", [_mean(one[split], "extract") for one in every])
        row(f"fields right, {split}", "{:.1%}", [one[split]["right"] / one[split]["fields"] for one in every])
    for split in splits:
        ratios = [one[split]["extract"] / one[split]["free"] for one in every]
        row(f"extract ÷ {FREE}, {split}", "{:.2f}", ratios)
    row("fresh `structgen extract`", "{:.2f}", [one["process"]["fresh"] for one in every])
    ratios = [one["process"]["first"] / one["process"]["second"] for one in every]
    row("first extract ÷ second", "{:.2f}", ratios)
    return table


def _mean(figures: Figures, key: str) -> float:
    return figures[key] / figures["documents"]
