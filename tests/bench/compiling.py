"""`python -m bench compile`: real schemas compiled for whole vocabularies, beside figures that others have published.

The published figures are of other machines and of other constraints on white space and numbers, so the orders of
magnitude compare, not the digits. A schema is compiled in this process with its cache turned off, after one other; the
time is of CPU, from the schema to an automaton that is ready to step.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.bfcl import as_json_schema
from bench.clock import now, since
from structgen.errors import StructgenError

WARM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@dataclass(frozen=True)
class Published:
    """Figures of another implementation of the automaton method. seconds: of one schema, on average; states: as said"""

    who: str
    seconds: float
    states: str


DINGO = Published("DINGO (Suresh et al., 2025)", 11.9, "169 mean")
PORT = Published("an open port of the automaton method", 5.9, "97 / 205 / 595")


@dataclass(frozen=True)
class Found:
    """Our figures over a set of schemas: CPU seconds and states, each as mean, p50, p90 and max; seconds in all."""

    schemas: int
    refused: int
    lazy: int
    total: float
    seconds: tuple[float, ...]
    states: tuple[float, ...]


def json_mode(data: Path) -> Iterator[Any]:
    """MaskBench's schemas of JSON-Mode-Eval."""
    for row in _rows(data):
        if row["name"].startswith("JME_"):
            yield row["schema"]


def bfcl_live(data: Path) -> Iterator[Any]:
    """The parameters of the functions that BFCL's live questions offer, each once."""
    seen = set[str]()
    for row in _rows(data):
        for function in row["function"] if row["category"].startswith("live_") else ():
            schema = as_json_schema(function["parameters"])
            key = json.dumps(schema, sort_keys=True)
            if key not in seen:
                seen.add(key)
                yield schema


def _rows(data: Path) -> Iterator[Any]:
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def compiled(schemas: Sequence[Any], vocabulary: sg.Vocabulary) -> Found:
    """Compile all schemas for a vocabulary; the lazy ones have the states of their components."""
    sg.compile(WARM, vocabulary)  # the kernels and the vocabulary's trie are loaded
    seconds, states, lazy, refused = list[float](), list[int](), 0, 0
    for schema in schemas:
        begun = now()
        try:
            info = sg.compile(schema, vocabulary).info()
        except StructgenError:
            refused += 1
            continue
        seconds.append(since(begun).cpu)
        states.append(info.states)
        lazy += info.regime == "lazy"
    return Found(len(schemas), refused, lazy, sum(seconds), _spread(seconds), _spread(states))


def _spread(values: Sequence[float]) -> tuple[float, ...]:
    ranked = sorted(values)
    return (
        statistics.fmean(ranked),
        *(ranked[min(int(q * len(ranked)), len(ranked) - 1)] for q in (0.5, 0.9, 1.0)),
    )


def run(
    parts: Sequence[tuple[str, Sequence[Any], sg.Vocabulary, Published]], console: Console
) -> list[dict[str, Any]]:
    """Print the table; parts: a name, the schemas, the vocabulary, and the published figures."""
    torch.set_num_threads(1)
    os.environ["STRUCTGEN_CACHE"] = ""
    table = Table("schemas", "tokens", "who", "CPU s a schema", "p50 / p90 / max", "states")
    figures = []
    for name, schemas, vocabulary, published in parts:
        found = compiled(schemas, vocabulary)
        mean, *rest = found.seconds
        states = " / ".join(f"{number:,.0f}" for number in found.states[1:])
        shown = f"{found.schemas} {name}"
        table.add_row(
            shown, f"{vocabulary.size:,}", published.who, f"{published.seconds}", "", published.states
        )
        ours = f"structgen ({found.refused} refused, {found.lazy} lazy)"
        times = " / ".join(f"{one:.3f}" for one in rest)
        table.add_row("", "", ours, f"{mean:.3f}", times, f"{found.states[0]:,.0f} mean, {states}")
        figures.append(
            {"name": name, "tokens": vocabulary.size, "published": asdict(published), **asdict(found)}
        )
    console.print(table)
    return figures
