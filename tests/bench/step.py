"""One refinement step against one softmax over the same logits, on one thread: `python -m bench step`.

The baseline is `torch.softmax(logits, -1, out=buffer)` with a buffer whose pages are there already; `amax`, which reads
every logit once, is the physical floor. Everything alternates with both, and a figure is the least CPU time of all
rounds, so that other work on the machine hits everything alike.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import structgen as sg
from bench.clock import now, since
from bench.schemas import EXPLOSIONS, SCHEMAS, Schema
from structgen.compiler.lazy import LazyAutomaton
from structgen.errors import StructgenError
from structgen.sources.json_schema import JsonSchema
from structgen_engine.automata.bundles import bundle_edges
from structgen_engine.automata.dfa import Dfa, block
from structgen_engine.decoding.blocks import first_block, nonempty
from structgen_engine.kernels import cpu
from structgen_engine.lattice.lattice import BlockLattice

BLOCK = 256
FEW = 32  # positions of a step that is timed for its first use
NOISE = 3.0  # nats, of normal logits
PEAK = 20.0  # nats by which the model prefers the token of an answer, in a lazy step
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
LAZY = ("kb_478", "o6356", "kb_676")  # real schemas of three sizes that run lazily, with a valid instance

# what is aimed at, in softmaxes of the same type: float32, bfloat16
AIMS = {
    "class scores, invoice": (0.35, 0.55),
    "step, invoice": (0.9, 0.6),
    "step, maxLength 40": (0.8, None),
    "step + self-conditioning, invoice": (1.5, None),
    "lazy, first step": (1.2, None),
    "lazy, later step": (0.7, None),
}

Action = Callable[[], object]


def run(tokenizer: Path, console: Console, *, rounds: int, data: Path | None) -> dict[str, Any]:
    """Print the tables and return their figures; `data` holds real schemas, of which a few are stepped lazily."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRUCTGEN_CACHE"] = folder
        vocabulary = sg.Vocabulary.from_file(tokenizer)
        vocabulary.trie  # noqa: B018  (built and cached here)
        sg.compile(SCHEMAS["flat"], vocabulary)  # loads the compiled kernels
        constraints, compiled = _compile(vocabulary, Path(folder), console, rounds)
    figures: dict[str, Any] = {"compile": compiled, "size": [BLOCK, vocabulary.size]}
    noise = torch.randn(1, BLOCK, vocabulary.size, generator=torch.Generator().manual_seed(0)) * NOISE
    for name, dtype in DTYPES.items():
        rows = measured(_rows(constraints, noise.to(dtype)), rounds)
        rows |= _lazy(vocabulary, noise.to(dtype), rows, data, console) if name == "float32" else {}
        figures[name] = _ratios(rows)
        console.print(_table(name, figures[name], list(DTYPES).index(name)))
    figures["explosions"] = _explosions(vocabulary, noise, rounds, console)
    figures["peers"] = _peers(tokenizer, constraints, noise, rounds, console)
    return figures


def timed(action: Action) -> tuple:
    """The result of an action and the seconds it took."""
    begun = time.perf_counter()
    result = action()
    return result, time.perf_counter() - begun


def measured(actions: Mapping[str, tuple[Action, Action]], rounds: int) -> dict[str, float]:
    """The least CPU milliseconds of each action, in rounds that alternate; before each, its preparation is run."""
    least = dict.fromkeys(actions, float("inf"))
    for number in range(rounds + 1):
        for name, (prepare, action) in actions.items():
            prepare()
            begun = now()
            action()
            seconds = since(begun).cpu
            if number:  # the first round warms up
                least[name] = min(least[name], 1000 * seconds)
    return least


def nothing() -> None:
    """A preparation of what needs none."""


def _rows(constraints: dict[str, sg.Constraint], logits: Tensor) -> dict[str, tuple[Action, Action]]:
    """What is timed over logits of one type: the baselines, parts of a step, and steps."""
    buffer, copy = torch.zeros_like(logits), logits.clone()
    invoice = constraints["invoice"].dfa
    rows: dict[str, tuple[Action, Action]] = {
        "softmax": (nothing, lambda: torch.softmax(logits, -1, out=buffer)),
        "amax": (nothing, lambda: logits.amax(-1)),
        "class scores, invoice": (nothing, lambda: cpu.class_scores(logits, invoice.alphabet)),
    }
    for name, constraint in constraints.items():
        rows[f"step, {name}"] = nothing, lambda dfa=constraint.dfa: stepped(dfa, logits)
    rows["step + self-conditioning, invoice"] = (
        lambda: copy.copy_(logits),
        lambda: stepped(invoice, copy).log_marginals_(),
    )
    rows["table of marginals, invoice"] = nothing, lambda: stepped(invoice, logits).marginals()
    return rows


def stepped(dfa: Dfa, logits: Tensor, remaining: int = 0) -> BlockLattice:
    """One step of a table: log Z, beliefs and a joint sample; remaining: tokens of budget left after the block."""
    lattice = BlockLattice([block(dfa, remaining=remaining)] * len(logits), logits)
    lattice.beliefs()
    if not torch.isfinite(lattice.log_partition()).all():
        raise AssertionError("no block is accepted")
    lattice.sample(torch.Generator().manual_seed(0))
    return lattice


def _ratios(rows: dict[str, float]) -> dict[str, dict[str, float]]:
    return {
        name: {"ms": ms, "softmaxes": ms / rows["softmax"], "floors": ms / rows["amax"]}
        for name, ms in rows.items()
    }


def _table(kind: str, figures: dict[str, dict[str, float]], column: int) -> Table:
    table = Table(f"{kind}, [{BLOCK}, V]", "CPU ms", "÷ softmax", "aim", "÷ amax")
    for name, row in figures.items():
        aim = AIMS.get(name, (None, None))[column]
        shown = "" if aim is None else f"≤ {aim:g}"
        table.add_row(name, f"{row['ms']:.1f}", f"{row['softmaxes']:.2f}", shown, f"{row['floors']:.1f}")
    return table


def _lazy(
    vocabulary: sg.Vocabulary, noise: Tensor, rows: dict[str, float], data: Path | None, console: Console
) -> dict[str, float]:
    """The first and a later step of real schemas that run lazily, medians over the schemas in CPU milliseconds."""
    if data is None:
        console.print("no real schemas are at hand: lazy steps are left out (see `python -m bench data`)")
        return {}
    first, later = [], []
    for name, schema, text in [("", {"type": "string"}, '"a"'), *_real(data)]:  # the first loads the kernels
        lazy = LazyAutomaton.of(JsonSchema(schema, unknown="ignore").lower(), vocabulary)
        ids = _answer(vocabulary, text)
        logits = noise / NOISE
        logits[0, torch.arange(BLOCK), ids] += PEAK
        remaining = max(BLOCK, int(lazy.distance_upper[lazy.start]))
        part, times, share = first_block(lazy, remaining - BLOCK), [], 0.0
        for _ in range(4):
            begun = now()
            lattice = nonempty([part], logits)
            lattice.sample(torch.Generator().manual_seed(0))
            times.append(1000 * since(begun).cpu)
            share = float(lattice.dropped()[0])
        if not name:
            continue
        console.print(
            f"lazy {name}: first step {times[0]:.0f} ms, later {min(times[1:]):.0f} ms, share left out {share:.1e}",
            highlight=False,
        )
        first.append(times[0])
        later.append(min(times[1:]))
    if not first:
        return {}
    return {"lazy, first step": statistics.median(first), "lazy, later step": statistics.median(later)}


def _real(data: Path) -> Iterator[tuple[str, Schema, str]]:
    """The schemas of LAZY, each with the text of its longest valid instance."""
    with gzip.open(data, "rt") as lines:
        for row in map(json.loads, lines):
            name = row["name"].rpartition("---")[2].removesuffix("_Normalized")
            texts = [json.dumps(test["data"], ensure_ascii=False) for test in row["tests"] if test["valid"]]
            if name in LAZY and texts:
                yield name, row["schema"], max(texts, key=len)


def _answer(vocabulary: sg.Vocabulary, text: str) -> Tensor:
    """The ids [N] of an answer, ended and padded."""
    end, pad = (vocabulary.special[name or ""] for name in (vocabulary.end, vocabulary.pad))
    return torch.tensor([*vocabulary.encode(text)[: BLOCK - 1], end, *[pad] * BLOCK][:BLOCK])


def _explosions(
    vocabulary: sg.Vocabulary, noise: Tensor, rounds: int, console: Console
) -> dict[str, dict[str, float]]:
    """Sources that once took seconds or gigabytes: compiling, and a step of those that become tables."""
    table, figures = Table("source", "compile ms", "edges", "pairs", "step ms", "÷ softmax"), {}
    buffer = torch.zeros_like(noise)
    for name, source in EXPLOSIONS.items():
        begun = now()
        try:
            constraint = sg.compile(source, vocabulary)
        except StructgenError as refusal:
            table.add_row(name, f"refused: {refusal}"[:40])
            continue
        row = {"compile_ms": 1000 * since(begun).cpu}
        if isinstance(constraint.automaton, Dfa):
            dfa = constraint.automaton
            times = measured(
                {
                    "softmax": (nothing, lambda: torch.softmax(noise, -1, out=buffer)),
                    "step": (nothing, lambda dfa=dfa: stepped(dfa, noise)),
                },
                min(rounds, 3),
            )
            row |= {"edges": len(dfa.edges), "pairs": len(bundle_edges(dfa.edges, dfa.states).source)}
            row |= {"step_ms": times["step"], "softmaxes": times["step"] / times["softmax"]}
        shown = [f"{row[key]:,.0f}" if key in row else "lazy" for key in ("edges", "pairs", "step_ms")]
        ratio = f"{row['softmaxes']:.2f}" if "softmaxes" in row else ""
        table.add_row(name, f"{row['compile_ms']:.0f}", *shown, ratio)
        figures[name] = row
    console.print(table)
    return figures


def _peers(
    tokenizer: Path, constraints: dict[str, sg.Constraint], noise: Tensor, rounds: int, console: Console
) -> dict[str, Any]:
    """The same work in other schemes: a dense product over sets of tokens, and a mask for each token in turn."""
    figures: dict[str, Any] = {}
    for name in ("flat", "invoice"):
        dfa = constraints[name].dfa
        sets = _sets(dfa, noise.shape[-1])
        times = measured(
            {
                "step": (nothing, lambda dfa=dfa: stepped(dfa, noise)),
                "dense": (nothing, lambda sets=sets: torch.softmax(noise[0], -1) @ sets),
            },
            min(rounds, 2),
        )
        figures[name] = {"dense_ms": times["dense"], "dense_steps": times["dense"] / times["step"]}
        console.print(
            f"{name}: probabilities times a matrix of {sets.shape[1]} sets of tokens, one for each kind of move "
            f"between states, take {times['dense']:.0f} ms, {times['dense'] / times['step']:.1f} of our whole steps",
            highlight=False,
        )
        masks = _masks(tokenizer, SCHEMAS[name])
        if masks is None:
            console.print("llguidance is not installed: its masks are left out")
        else:
            figures[name]["llguidance_us"] = masks
            console.print(
                f"{name}: llguidance computes a mask in {masks:.0f} µs, so {BLOCK} tokens in turn cost "
                f"{masks * BLOCK / 1000:.0f} ms without any sum over the logits",
                highlight=False,
            )
    return figures


def _sets(dfa: Dfa, width: int) -> Tensor:
    """[V, G] float32: the tokens of each distinct set that leads from one state to another."""
    bundles, label = bundle_edges(dfa.edges, dfa.states), dfa.alphabet.class_of.long()
    held = torch.zeros(len(bundles.offsets) - 1, dfa.alphabet.size)
    for number, (low, high) in enumerate(zip(bundles.offsets[:-1], bundles.offsets[1:], strict=True)):
        held[number, torch.from_numpy(bundles.member[low:high]).long()] = 1.0
    table = torch.zeros(width, len(held))
    table[: len(label)] = held.T[label]
    return table


def _masks(tokenizer: Path, schema: Schema) -> float | None:
    """Mean CPU microseconds of a token's mask in llguidance, along a greedy text; None if it is not installed."""
    if find_spec("llguidance") is None:
        return None
    import llguidance

    vocabulary = llguidance.LLTokenizer(str(tokenizer))
    matcher = llguidance.LLMatcher
    run = matcher(vocabulary, matcher.grammar_from_json_schema(json.dumps(schema)), log_level=0)
    draw, seconds, count = torch.Generator().manual_seed(0), 0.0, 0
    while count < BLOCK and not run.is_stopped():
        begun = now()
        mask = run.compute_bitmask()
        seconds += since(begun).cpu
        words = torch.frombuffer(bytearray(mask), dtype=torch.uint8)
        allowed = ((words[:, None] >> torch.arange(8)) & 1).flatten().nonzero().flatten()
        run.consume_token(int(allowed[torch.randint(len(allowed), (1,), generator=draw)]))
        count += 1
    return 1e6 * seconds / count


def _compile(
    vocabulary: sg.Vocabulary, cache: Path, console: Console, rounds: int
) -> tuple[dict[str, sg.Constraint], dict[str, dict[str, float]]]:
    """Compile times with a cold cache of constraints and a warm one of the vocabulary, alone and with the first use.

    The first use is what the first step of a constraint takes beyond the second.
    """
    logits = torch.zeros(1, FEW, vocabulary.size)
    table = Table("schema", "compile, CPU ms", "and first use", "states", "classes", "edges", "min tokens")
    constraints, figures = {}, {}
    for name, schema in SCHEMAS.items():
        times, used = [], []
        for _ in range(rounds):
            shutil.rmtree(cache / "constraint", ignore_errors=True)
            begun = now()
            constraint = sg.compile(schema, vocabulary)
            times.append(since(begun).cpu * 1000)
            first, second = (_step_ms(constraint.dfa, logits) for _ in range(2))
            used.append(times[-1] + first - second)
        info = constraint.info()
        sizes = ("states", "classes", "edges", "min_tokens")
        row = {
            "compile_ms": min(times),
            "used_ms": min(used),
            **{size: getattr(info, size) for size in sizes},
        }
        table.add_row(name, f"{min(times):.1f}", f"{min(used):.1f}", *(f"{row[size]:,}" for size in sizes))
        constraints[name], figures[name] = constraint, row
    console.print(table)
    return constraints, figures


def _step_ms(dfa: Dfa, logits: Tensor) -> float:
    begun = now()
    stepped(dfa, logits, remaining=BLOCK)
    return since(begun).cpu * 1000


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
