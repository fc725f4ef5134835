"""A causal language model as a denoiser, on the hand-written documents: the baseline to compare with.

Run by `python -m bench causal PATH`, or `python tests/bench/causal.py PATH [DOCUMENTS]`. Times are CPU seconds of
one thread, so that another process on the machine does not count; a top-level field is right if it is the gold value.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from structgen.generation.result import Generation
from structgen.model import Model
from structgen.verbs.extract import extract

HANDWRITTEN = Path(__file__).parents[2] / "engine" / "training" / "handwritten.jsonl"
ABSENT = object()


@dataclass(frozen=True)
class Result:
    """One document: fields in all and right, tokens of the answer, passes, and CPU seconds."""

    text: str
    valid: bool
    fields: int
    right: int
    tokens: int
    passes: int
    seconds: float


def run(
    path: str | Path, console: Console | None = None, *, documents: int = 10, flat: bool = True
) -> list[Result]:
    """Print a row per document and the totals; flat: only schemas of plain strings, numbers and booleans."""
    console = console or Console(width=150)
    torch.set_num_threads(1)
    model = sg.load(path, device="cpu")
    entries = (entry for entry in _entries() if not flat or _flat(entry["schema"]))
    results = [_extract(model, entry) for entry, _ in zip(entries, range(documents), strict=False)]
    table = Table("answer", "valid", "right", "tokens", "passes", "tokens/pass", "CPU s")
    for r in results:
        table.add_row(
            " ".join(r.text.split()),
            str(r.valid),
            f"{r.right}/{r.fields}",
            *_costs(r.tokens, r.passes, r.seconds),
        )
    totals = [sum(getattr(r, name) for r in results) for name in ("valid", "right", "fields")]
    costs = _costs(*(sum(getattr(r, name) for r in results) for name in ("tokens", "passes", "seconds")))
    table.add_row("all", f"{totals[0]}/{len(results)}", f"{totals[1]}/{totals[2]}", *costs)
    console.print(table)
    return results


def _costs(tokens: int, passes: int, seconds: float) -> tuple[str, str, str, str]:
    return str(tokens), str(passes), f"{tokens / passes:.2f}", f"{seconds:.1f}"


def _entries() -> Iterator[dict[str, Any]]:
    yield from map(json.loads, HANDWRITTEN.read_text().splitlines())


def _flat(schema: dict[str, Any]) -> bool:
    kinds = ("string", "integer", "number", "boolean")
    return all(part.get("type") in kinds and len(part) == 1 for part in schema["properties"].values())


def _extract(model: Model, entry: dict[str, Any]) -> Result:
    schema, gold = entry["schema"], entry["value"]
    constraint = sg.compile(schema, model.vocabulary)  # compiled and cached before the clock starts
    begun = time.process_time()
    done: Generation[dict[str, Any]] = extract(model, entry["document"], schema)
    seconds = time.process_time() - begun
    right = sum(done.value.get(name, ABSENT) == value for name, value in gold.items())
    end = model.vocabulary.special.get(model.vocabulary.end or "", -1)
    tokens = done.ids.index(end) + 1 if end in done.ids else len(done.ids)
    return Result(done.text, constraint.accepts(done.text), len(gold), right, tokens, done.steps, seconds)


if __name__ == "__main__":
    run(sys.argv[1], documents=int(sys.argv[2]) if len(sys.argv) > 2 else 10)
