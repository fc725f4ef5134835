"""Grammars of the library over Gemma's vocabulary: the first step of a block, and the steps after it against a softmax.

SQL, Python's expressions and JSON have no limit on their depth, so all three are searched. A block of 256 positions is
refined with new logits at every step, of two kinds:

    noise    every logit is drawn anew at every step: nothing is preferred, and most of what is accepted is garbage
    peaked   the noise, and PEAK nats more for the tokens of a text, but for WRONG positions, other ones at every step,
             where a random token is preferred: a model that is nearly sure what to write

What a first step needs of the relaxed automaton is computed once and kept on disk, so the first step is measured twice:
new to the machine, and in a process that finds it there.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.clock import now, since
from bench.footprint import Footprint
from bench.scale import timed_step
from structgen.compiler.lazy import LazyAutomaton
from structgen_engine.lattice.beam import Beam

BLOCK = 256
NOISE = 3.0  # nats, the standard deviation of every logit
PEAK = 20.0  # nats above the noise
WRONG = 6
LATER = 6  # steps after the first
KINDS = ("noise", "peaked")
RULES = 2000
COLUMNS = (
    "grammar",
    "logits",
    "new, s",
    "first, s",
    "later, s",
    "worst, s",
    "later / softmax",
    "kept",
    "share left out",
)
TEXTS = {
    "sql-select": (
        "WITH recent AS (SELECT customer_id, SUM(total) AS spent, COUNT(*) AS orders FROM orders WHERE ordered_at >= "
        "TIMESTAMP '2026-01-01 00:00:00' AND status NOT IN ('cancelled', 'returned') GROUP BY customer_id HAVING "
        "SUM(total) > 100.50) SELECT c.name, c.city, r.spent / r.orders AS average, CASE WHEN r.spent > 1000 THEN "
        "'gold' WHEN r.spent > 500 THEN 'silver' ELSE 'none' END AS tier, ROW_NUMBER() OVER (PARTITION BY c.city "
        "ORDER BY r.spent DESC) FROM customers AS c INNER JOIN recent AS r ON r.customer_id = c.id WHERE EXISTS "
        "(SELECT 1 FROM visits AS v WHERE v.customer_id = c.id AND v.page LIKE '%offer%') ORDER BY r.spent DESC "
        "LIMIT 20 OFFSET 40"
    ),
    "python-expression": (
        '{name: [round(price * (1 + rates.get(country, 0.19)), 2) for price, country in rows if price is not None and '
        'country not in ("CH", "NO")] for name, rows in sorted(groups.items(), key=lambda pair: (-len(pair[1]), '
        'pair[0]))[:10] if not name.startswith("_")} if groups else dict(default=[0.0] * 3, note=\'nothing "yet"\', '
        '**options[-1:][0])'
    ),
    "json": (
        '{"orders": [{"id": 10482, "customer": {"name": "Ada Lovelace", "tags": ["vip", "early \\"bird\\""]}, "lines": '
        '[{"sku": "A-17", "quantity": 3, "price": 12.5}, {"sku": "B-2", "quantity": 1, "price": 1.0e3}], "paid": '
        'true, "note": null}, {"id": 10483, "customer": {"name": "Grace Hopper", "tags": []}, "lines": [[[]], {}], '
        '"paid": false, "note": "call before noon"}], "total": -0.25}'
    ),
}  # fmt: skip


def run(tokenizer: Path, console: Console, names: list[str] | None = None) -> dict[str, Any]:
    """Print a row for each grammar and kind of logits; CPU seconds, one thread."""
    vocabulary = sg.Vocabulary.from_file(tokenizer)
    table = Table(*COLUMNS)
    figures = dict[str, Any]()
    _steps(_lazy("json", vocabulary), _logits("noise", [], vocabulary, 1), 1)  # loads the compiled kernels
    for name in names or list(TEXTS):
        ids = _ids(name, vocabulary)
        for kind in KINDS:
            one = _measured(name, kind, ids, vocabulary)
            figures[f"{name}, {kind}"] = one
            later = sorted(one["later"])
            shown = (
                f"{one['new']:.2f}",
                f"{one['first']:.2f}",
                f"{statistics.median(later):.3f}",
                f"{later[-1]:.3f}",
            )
            ratios = f"{statistics.median(later) / one['softmax']:.2f}"
            table.add_row(name, kind, *shown, ratios, str(one["kept"]), f"{one['share']:.1e}")
            console.print(name, kind, *shown, ratios, one["kept"], f"{one['share']:.1e}", highlight=False)
    console.print(table)
    if not names:
        figures["rules"] = _many_rules(tokenizer)
        console.print(f"{RULES:,} rules: {figures['rules']}", highlight=False)
    return figures


def _lazy(name: str, vocabulary: sg.Vocabulary) -> LazyAutomaton:
    constraint = sg.compile(sg.library[name], vocabulary)
    assert constraint.info().regime == "lazy"
    return constraint.automaton


def _ids(name: str, vocabulary: sg.Vocabulary) -> list[int]:
    """The text's tokens, the end token and padding: a whole block."""
    special, ids = vocabulary.special, vocabulary.encode(TEXTS[name])
    assert len(ids) < BLOCK
    assert _lazy(name, vocabulary).accepts_ids(ids)
    ids.append(special[vocabulary.end or ""])
    return ids + [special[vocabulary.pad or ""]] * (BLOCK - len(ids))


def _logits(kind: str, ids: list[int], vocabulary: sg.Vocabulary, count: int) -> Iterator[torch.Tensor]:
    """[BLOCK, V] for so many steps."""
    noise = torch.randn(BLOCK, vocabulary.size, generator=torch.Generator().manual_seed(0)) * NOISE
    rng = random.Random(0)
    for _ in range(count):
        logits = noise.roll(rng.randrange(vocabulary.size), 1)
        if kind == "peaked":
            wanted = list(ids)
            for place in rng.sample(range(ids.index(vocabulary.special[vocabulary.end or ""])), WRONG):
                wanted[place] = rng.randrange(vocabulary.size)
            logits[torch.arange(BLOCK), torch.tensor(wanted)] += PEAK
        yield logits


def _measured(name: str, kind: str, ids: list[int], vocabulary: sg.Vocabulary) -> dict[str, Any]:
    before = os.environ.get("STRUCTGEN_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRUCTGEN_CACHE"] = folder
        try:
            new = _steps(_lazy(name, vocabulary), _logits(kind, ids, vocabulary, 1))["first"]
            again = _steps(_lazy(name, vocabulary), _logits(kind, ids, vocabulary, 1 + LATER))
        finally:
            os.environ.pop("STRUCTGEN_CACHE")
            if before is not None:
                os.environ["STRUCTGEN_CACHE"] = before
    return {"new": new, **again}


def _steps(lazy: LazyAutomaton, steps: Iterator[torch.Tensor]) -> dict[str, Any]:
    """A block's steps: search, beliefs and a joint draw each."""
    remaining = max(BLOCK, int(lazy.distance_upper[lazy.start]))
    beam, seconds, softmax = Beam(lazy, lazy.start, remaining), list[float](), list[float]()
    kept, share = 0, 0.0
    for logits in steps:
        buffer = torch.softmax(logits, -1)
        begun = now()
        torch.softmax(logits, -1, out=buffer)
        softmax.append(since(begun).cpu)
        spent, explored, lattice = timed_step(beam, logits)
        seconds.append(spent)
        kept, share = len(explored.configurations), float(lattice.dropped()[0])
    ratio = statistics.median(softmax)
    return {"first": seconds[0], "later": seconds[1:], "softmax": ratio, "kept": kept, "share": share}


def _many_rules(tokenizer: Path) -> dict[str, float]:
    """What a grammar of RULES rules takes to compile, in a process of its own."""
    command = [sys.executable, "-m", "bench.grammar_steps", str(tokenizer)]
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    seconds, gigabytes, components = map(float, line.split())
    return {"seconds": seconds, "gigabytes": gigabytes, "components": components}


def rules(count: int) -> str:
    """A grammar of so many rules, each used in three places by the next: written out it would have 3^count states."""
    body = [f'r{k}: "<{k}" r{k - 1}? ("," r{k - 1})* (";" r{k - 1})* ">"' for k in range(1, count)]
    return "\n".join([f"start: r{count - 1}", 'r0: "x"', *body])


if __name__ == "__main__":
    known = sg.Vocabulary.from_file(Path(sys.argv[1]))
    sg.compile(sg.library["json"], known)  # loads the compiled kernels and the vocabulary's tables
    memory, start = Footprint(), now()
    made = sg.compile(sg.Lark(rules(RULES)), known)
    print(since(start).cpu, memory.grown / 2**30, made.automaton.pushdown.components)
