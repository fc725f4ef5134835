"""Compile times on a real vocabulary, and one refinement step against one softmax over the same logits."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.schemas import SCHEMAS
from structgen_engine.automata.dfa import block
from structgen_engine.lattice.lattice import BlockLattice

BLOCK = 256


def run(tokenizer: Path, console: Console, *, rounds: int = 5, batch: int = 1) -> dict[str, dict[str, float]]:
    """Print the whole table and return its figures by schema.

    Compilation is timed with a cold cache of constraints and a warm one of the vocabulary.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRUCTGEN_CACHE"] = folder
        vocabulary, cold = timed(lambda: sg.Vocabulary.from_file(tokenizer))
        vocabulary.trie  # noqa: B018  (built and cached here)
        (vocabulary, warm) = timed(lambda: sg.Vocabulary.from_file(tokenizer))
        _, trie = timed(lambda: vocabulary.trie)
        console.print(
            f"vocabulary {vocabulary.size:,} ids: read {cold:.2f} s, from the cache {warm + trie:.2f} s",
            highlight=False,
        )
        sg.compile(SCHEMAS["flat"], vocabulary)  # loads the compiled kernels
        constraints, compiled = _compile(vocabulary, Path(folder), console, rounds)
    steps = _steps(vocabulary.size, constraints, console, rounds, batch)
    return {name: {**compiled[name], **steps[name]} for name in compiled}


def timed(action: Callable[[], object]) -> tuple:
    """The result of an action and the seconds it took."""
    begun = time.perf_counter()
    result = action()
    return result, time.perf_counter() - begun


def _compile(
    vocabulary: sg.Vocabulary, cache: Path, console: Console, rounds: int
) -> tuple[dict[str, sg.Constraint], dict[str, dict[str, float]]]:
    table = Table("schema", "ms (median)", "states", "classes", "edges", "min tokens")
    constraints, figures = {}, {}
    for name, schema in SCHEMAS.items():
        times = []
        for _ in range(rounds):
            shutil.rmtree(cache / "constraint", ignore_errors=True)
            constraint, seconds = timed(lambda schema=schema: sg.compile(schema, vocabulary))
            times.append(seconds * 1000)
        info = constraint.info()
        sizes = ("states", "classes", "edges", "min_tokens")
        row = {"compile_ms": statistics.median(times), **{size: getattr(info, size) for size in sizes}}
        table.add_row(name, f"{row['compile_ms']:.0f}", *(f"{row[size]:,}" for size in sizes))
        constraints[name], figures[name] = constraint, row
    console.print(table)
    return constraints, figures


def _steps(
    size: int, constraints: dict[str, sg.Constraint], console: Console, rounds: int, batch: int
) -> dict[str, dict[str, float]]:
    """One step: log Z, beliefs and a joint sample. Softmax and step alternate, so that noise meets both."""
    logits = torch.randn(batch, BLOCK, size, generator=torch.Generator().manual_seed(0)) * 3
    table = Table("constraint", "softmax ms", "step ms", "step / softmax", "extra memory MiB", "logits MiB")
    figures = {}
    for name, constraint in constraints.items():
        _step(constraint, logits)
        extra = _peak(lambda constraint=constraint: _step(constraint, logits))
        softmax, steps = [], []
        for _ in range(rounds):
            softmax.append(timed(lambda: torch.softmax(logits, -1))[1] * 1000)
            steps.append(timed(lambda constraint=constraint: _step(constraint, logits))[1] * 1000)
        ratio = statistics.median(step / base for step, base in zip(steps, softmax, strict=True))
        row = {
            "softmax_ms": statistics.median(softmax),
            "step_ms": statistics.median(steps),
            "ratio": ratio,
            "extra_mib": extra / 2**20,
        }
        shown = (f"{row[key]:.0f}" for key in ("softmax_ms", "step_ms"))
        table.add_row(name, *shown, f"{ratio:.2f}", f"{row['extra_mib']:.0f}", f"{logits.nbytes / 2**20:.0f}")
        figures[name] = row
    console.print(table)
    console.print(
        f"{torch.get_num_threads()} threads, float32 logits [{batch}, {BLOCK}, {size}]", highlight=False
    )
    return figures


def _step(constraint: sg.Constraint, logits: torch.Tensor) -> None:
    lattice = BlockLattice([block(constraint.dfa)] * len(logits), logits)
    if not torch.isfinite(lattice.log_partition()).all():
        raise AssertionError("no block is accepted")
    lattice.beliefs()
    lattice.sample(torch.Generator().manual_seed(0))


def _peak(action: Callable[[], object]) -> int:
    """Bytes by which an action raises the peak memory of a fork of this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        torch.set_num_threads(1)
        before = _resident()
        _reset_peak()
        action()
        os.write(writer, str(_peak_resident() - before).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    return int(os.read(reader, 64) or b"-1")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _resident() -> int:
    return _status("VmRSS")


def _peak_resident() -> int:
    return _status("VmHWM")


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")
