"""Coverage, compile time and memory on real schemas, beside the engines that are installed.

Every engine has a process of its own, so that a crash, a memory limit or a schema that takes for ever is that engine's
alone; schemas go to all of them in turn. Times are of CPU, from schema to ready to step, with the tokenizer loaded.
What takes longer than the limit is killed, whatever it is doing.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.engines import ENGINES, installed
from bench.footprint import Footprint, cpu_seconds, resident
from conformance.suites import Group, rows

OFTEN = 20  # schemas between two lines of progress
WATCH = 0.25  # seconds between two looks at a process that computes
WORST = 10  # schemas named at the end
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
NO_ANSWER = ("refused", "slow", "died")


@dataclass(frozen=True)
class Result:
    """One engine on one schema; seconds of CPU; bytes that compiling it had the process grow by, at its peak.

    kind: right, accepts, rejects, refused, slow or died
    """

    kind: str
    seconds: float
    reason: str = ""
    grown: int = 0
    name: str = ""


class Worker:
    """An engine in a process of its own, started again when it had to be stopped; `began` and `peak` in bytes."""

    def __init__(self, name: str, tokenizer: Path, limit: float):
        self.name, self.tokenizer, self.limit = name, tokenizer, limit
        self.peak = 0
        self._start()
        self.began = resident(self.process.pid)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(self.name, self.tokenizer, theirs), daemon=True)
        self.process.start()
        theirs.close()
        if not self.pipe.poll(600):
            raise TimeoutError(f"{self.name} does not load its tokenizer")
        self.pipe.recv()

    def result(self, group: Group) -> Result:
        """What the engine makes of a schema and its instances, within the limit."""
        self.pipe.send((group.name, group.schema, group.instances))
        begun, before = cpu_seconds(self.process.pid), resident(self.process.pid)
        while not self.pipe.poll(WATCH):
            here = resident(self.process.pid)
            self.peak = max(self.peak, here)
            used = cpu_seconds(self.process.pid) - begun
            if used > self.limit:
                self._restart()
                return Result("slow", used, grown=here - before, name=group.name)
        try:
            result, peak = self.pipe.recv()
        except EOFError:
            self._restart()
            return Result("died", self.limit, name=group.name)
        self.peak = max(self.peak, peak)
        return result if result.seconds <= self.limit else replace(result, kind="slow")

    def _restart(self) -> None:
        self.process.kill()
        self.process.join()
        self._start()

    @property
    def memory(self) -> dict[str, int]:
        """MB of the process with its tokenizer loaded, of now, and at its peak."""
        sizes = {"start MB": self.began, "end MB": resident(self.process.pid), "peak MB": self.peak}
        return {name: size >> 20 for name, size in sizes.items()}

    def close(self) -> None:
        """End the process."""
        self.process.kill()


def _serve(name: str, tokenizer: Path, pipe: Connection) -> None:
    os.environ["STRUCTGEN_CACHE"] = ""
    engine = ENGINES[name][1](tokenizer)
    pipe.send("ready")
    while True:
        name, schema, instances = pipe.recv()
        footprint = Footprint()
        pipe.send((_judged(engine, name, schema, instances, footprint), footprint.peak))


def _judged(
    engine: Any, name: str, schema: Any, instances: Sequence[tuple[Any, bool]], footprint: Footprint
) -> Result:
    begun = time.process_time()
    try:
        accepts = engine.compile(schema)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:120]
        return Result("refused", time.process_time() - begun, reason, footprint.grown, name)
    seconds, grown = time.process_time() - begun, footprint.grown
    wrong = {valid for value, valid in instances if accepts(json.dumps(value, ensure_ascii=False)) != valid}
    return Result("accepts" if False in wrong else "rejects" if wrong else "right", seconds, "", grown, name)


def run(
    tokenizer: Path,
    data: Path,
    console: Console,
    *,
    schemas: int,
    engines: Sequence[str] | None = None,
    limit: float = 20.0,
) -> dict[str, Any]:
    """Print the table; returns its figures, by engine."""
    names = [name for name in engines or installed() if name in ENGINES]
    groups = list(rows(data))
    every = max(1, len(groups) // schemas)
    if not any(group.instances for group in groups):
        console.print("these schemas have no instances: right means no more than compiled")
    workers = [Worker(name, tokenizer, limit) for name in names]
    results: dict[str, list[Result]] = {name: [] for name in names}
    for number, group in enumerate(groups[every // 2 :: every], 1):
        for worker in workers:
            results[worker.name].append(worker.result(group))
        if number % OFTEN == 0:
            console.print(f"{number} schemas: {_line(results)}", highlight=False)
    figures = {w.name: _figures(results[w.name]) | w.memory for w in workers}
    for worker in workers:
        worker.close()
    _print(figures, console)
    for worker in workers:
        _print_worst(worker.name, results[worker.name], console)
    detail = {name: [asdict(result) for result in found] for name, found in results.items()}
    return {"figures": figures, "results": detail}


def _line(results: dict[str, list[Result]]) -> str:
    """The quantiles so far, engine by engine."""
    figures = {name: _figures(found) for name, found in results.items()}
    return "; ".join(
        f"{name} {found['right']} right, p50 {found['p50 ms']} p90 {found['p90 ms']} p99 {found['p99 ms']} ms"
        for name, found in figures.items()
    )


def _figures(results: list[Result]) -> dict[str, Any]:
    kinds = [result.kind for result in results]
    seconds = sorted(result.seconds for result in results if result.kind not in NO_ANSWER)
    counts = {kind: kinds.count(kind) for kind in ("right", "accepts", "rejects", "refused", "slow", "died")}
    share = {"fully right %": round(100 * counts["right"] / max(len(results), 1), 1)}
    times = {
        f"{name} ms": round(1000 * seconds[min(int(q * len(seconds)), len(seconds) - 1)], 1)
        if seconds
        else None
        for name, q in QUANTILES.items()
    }
    return {"schemas": len(results), **share, **counts, **times}


def _print(figures: dict[str, dict[str, Any]], console: Console) -> None:
    table = Table(title="Real schemas: coverage, and CPU time until ready to step")
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
    for row in next(iter(figures.values()), {}):
        table.add_row(row, *(str(figures[name][row]) for name in figures))
    console.print(table)


def _print_worst(name: str, results: list[Result], console: Console) -> None:
    """The schemas that took longest, and those that took most memory, refused ones among them."""
    slowest = sorted(results, key=lambda result: -result.seconds)[:WORST]
    largest = sorted(results, key=lambda result: -result.grown)[:WORST]
    parts = (
        ", ".join(f"{r.name} {r.seconds:.2f} s{_of(r)}" for r in slowest),
        ", ".join(f"{r.name} {r.grown / 2**20:.0f} MB{_of(r)}" for r in largest),
    )
    console.print(f"{name}: slowest {parts[0]}\n{name}: most memory {parts[1]}", highlight=False)


def _of(result: Result) -> str:
    return f" ({result.kind})" if result.kind in NO_ANSWER else ""
