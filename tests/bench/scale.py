"""The largest real schemas in the lazy regime: components, memory, and lazy steps on 256 positions.

Objects hold the members that a schema declares, as when text is generated. A valid instance that is rejected for that
reason alone is accepted with `additional="open"`; the table counts such instances as "open".
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.clock import now, since
from bench.step import _peak
from structgen.compiler.lazy import LazyAutomaton
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.sources.json_schema import JsonSchema
from structgen_engine.lattice.beam import Beam, PrunedBlock
from structgen_engine.lattice.lattice import BlockLattice

BLOCK = 256
PEAK = 20.0  # nats by which the model prefers the token of an answer to the others
COLUMNS = (
    "schema",
    "KiB",
    "s",
    "MiB",
    "components",
    "states",
    "least",
    "accepted",
    "µs/byte",
    "first s",
    "later s",
    "/ softmax",
    "kept",
    "dropped",
)


def run(tokenizer: Path, schemas: Path, console: Console, *, count: int) -> list[dict[str, Any]]:
    """Print the table of the `count` largest schemas that compile; CPU seconds."""
    vocabulary = sg.Vocabulary.from_file(tokenizer)
    LazyAutomaton.of(JsonSchema({"type": "string"}).lower(), vocabulary)  # loads the compiled kernels
    noise = torch.randn(BLOCK, vocabulary.size, generator=torch.Generator().manual_seed(0))
    _steps(LazyAutomaton.of(JsonSchema({"type": "string"}).lower(), vocabulary), "", noise, 1)
    table, figures = Table(*COLUMNS), []
    for name, row, grammar in _lowered(schemas):
        if len(figures) == count:
            break
        try:
            figures.append(_measure(name, row, grammar, vocabulary, noise))
        except StructgenError as refusal:
            console.print(f"{name}: {refusal}", highlight=False)
            continue
        table.add_row(*map(str, figures[-1].values()))
        console.print(*figures[-1].values(), highlight=False)
    console.print(table)
    return figures


def _lowered(path: Path) -> Iterator[tuple[str, dict[str, Any], Grammar]]:
    """Schemas that only use what is supported, the largest first."""
    with gzip.open(path, "rt") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: -len(json.dumps(row["schema"])))
    for row in rows:
        try:
            yield row["name"], row, JsonSchema(row["schema"], unknown="ignore").lower()
        except StructgenError:
            continue


def _measure(
    name: str, row: dict[str, Any], grammar: Grammar, vocabulary: sg.Vocabulary, noise: torch.Tensor
) -> dict[str, Any]:
    begun = now()
    lazy = LazyAutomaton.of(grammar, vocabulary)
    seconds = since(begun).cpu
    memory = _peak(lambda: LazyAutomaton.of(grammar, vocabulary))
    texts = [json.dumps(test["data"], ensure_ascii=False) for test in row["tests"] if test["valid"]]
    ids = {text: vocabulary.encode(text) for text in texts}
    begun = now()
    accepted = [text for text in texts if lazy.accepts_ids(ids[text])]
    reading = since(begun).cpu / max(1, sum(len(text.encode()) for text in texts))
    steps = _steps(lazy, max(accepted, key=len, default=""), noise, 3)
    return {
        "schema": name.rpartition("---")[2],
        "KiB": len(json.dumps(row["schema"])) >> 10,
        "s": round(seconds, 2),
        "MiB": memory >> 20,
        "components": lazy.pushdown.components,
        "states": lazy.pushdown.states,
        "least": int(lazy.distance_upper[lazy.start]),
        "accepted": f"{len(accepted)}/{len(texts)}{_open(row, [t for t in texts if t not in accepted])}",
        "µs/byte": round(reading * 1e6, 1),
        **steps,
    }


def _open(row: dict[str, Any], rejected: list[str]) -> str:
    """How many of the rejected texts hold undeclared members, and are right apart from that."""
    if not rejected:
        return ""
    source = JsonSchema(row["schema"], unknown="ignore", additional="open")
    constraint = sg.compile(source, regime="lazy")
    return f" +{sum(map(constraint.accepts, rejected))} open"


def timed_step(beam: Beam, logits: torch.Tensor) -> tuple[float, PrunedBlock, BlockLattice]:
    """CPU seconds of a step over logits [N, V]: search, beliefs and a joint draw; and what was found."""
    begun = now()
    explored = beam.explore(logits)
    lattice = BlockLattice([explored], logits[None])
    lattice.beliefs()
    lattice.sample(torch.Generator().manual_seed(0))
    return since(begun).cpu, explored, lattice


def _steps(lazy: LazyAutomaton, text: str, noise: torch.Tensor, count: int) -> dict[str, Any]:
    """`count` steps over the same logits, peaked at the text; log Z, beliefs and a joint draw each."""
    vocabulary = lazy.vocabulary
    special = vocabulary.special
    ids = (vocabulary.encode(text) if text else [])[: BLOCK - 1]
    ids += [special[vocabulary.end or ""], *[special[vocabulary.pad or ""]] * BLOCK]
    logits = noise.clone()
    logits[torch.arange(BLOCK), torch.tensor(ids[:BLOCK])] += PEAK
    remaining = max(BLOCK, int(lazy.distance_upper[lazy.start]))
    explorer, seconds, explored, lattice = Beam(lazy, lazy.start, remaining), [], None, None
    for _ in range(count):
        spent, explored, lattice = timed_step(explorer, logits)
        seconds.append(spent)
    begun = now()
    torch.softmax(logits, -1)
    softmax = since(begun).cpu
    assert explored is not None
    assert lattice is not None
    return {
        "first s": round(seconds[0], 2),
        "later s": round(seconds[-1], 2),
        "/ softmax": round(seconds[-1] / softmax, 2),
        "kept": len(explored.configurations),
        "dropped": f"{float(lattice.dropped()[0]):.1e}",
    }
