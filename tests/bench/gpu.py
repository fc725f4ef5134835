"""The GPU kernels: right first, then how fast, beside a softmax over the same logits and beside dense matrices.

Times are medians of CUDA events over warm runs. Where there is no GPU the table says what each kernel reads and writes,
and what the compiler makes of it for an H100.

Axes: B batch, N block, V vocabulary, K classes, S states.
"""

from __future__ import annotations

import datetime
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import structgen as sg
from bench.schemas import SCHEMAS, Schema
from structgen_engine.automata.dfa import BlockAutomaton, block
from structgen_engine.kernels import gpu, reference
from structgen_engine.kernels.gpu import Step
from structgen_engine.lattice.lattice import BlockLattice

BLOCK, VOCABULARY = 256, 262_144
DENSE = (64, 128, 256, 512)
DEVICE = "cuda"
WARM = 5  # runs before the clock starts
HEAD_START = 50_000_000  # cycles for which the GPU sleeps while launches queue up, so that none is waited for
Figures = dict[str, Any]


def run(
    tokenizer: Path | None, console: Console, *, rounds: int = 50, batches: tuple[int, ...] = (1, 8, 32)
) -> Figures:
    """Print the tables and return their figures."""
    automata = compiled(tokenizer, console)
    if not torch.cuda.is_available():
        console.print(
            "There is no GPU in this machine: nothing was timed; these are counts.", highlight=False
        )
        return {"device": None, "counts": counts(automata, console)}
    name = torch.cuda.get_device_name()
    console.print(
        f"{name}, torch {torch.__version__}, {BLOCK} positions × {VOCABULARY:,} tokens", highlight=False
    )
    figures: Figures = {
        "device": name,
        "date": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "steps": [],
        "kernels": [],
    }
    figures["errors"] = {key: errors(automaton, console, key) for key, automaton in automata.items()}
    for dtype in (torch.bfloat16, torch.float32):
        for batch in batches:
            logits = torch.randn(batch, BLOCK, VOCABULARY, device=DEVICE, dtype=dtype)
            base = softmax(logits, rounds)
            for key, automaton in automata.items():
                figures["steps"].append(
                    {"automaton": key, **whole([automaton] * batch, logits, base, rounds)}
                )
                if batch == 1:
                    figures["kernels"] += [
                        {"automaton": key, "dtype": str(dtype), **line}
                        for line in apart(automaton, logits, rounds)
                    ]
            del logits
    figures["dense"] = [{"states": S, "ms": dense(S, rounds)} for S in DENSE]
    for title in ("steps", "kernels", "dense"):
        console.print(_table(title, figures[title]))
    return figures


def compiled(tokenizer: Path | None, console: Console) -> dict[str, BlockAutomaton]:
    """The benchmark's automata by name, over a real vocabulary or a made one."""
    vocabulary = sg.Vocabulary.from_file(tokenizer).narrowed(VOCABULARY) if tokenizer else made_vocabulary()
    if tokenizer is None:
        console.print("No tokenizer file: a made vocabulary stands in for it.", highlight=False)
    schemas = {**SCHEMAS, "JSON depth 3": free_json(3), "JSON depth 6": free_json(6)}
    automata = {}
    for name, schema in schemas.items():
        try:
            automata[name] = block(sg.compile(schema, vocabulary).dfa)
        except sg.StructgenError as refusal:
            console.print(f"{name} is left out: {refusal}", highlight=False)
    return automata


def free_json(depth: int) -> Schema:
    """Any JSON value nested no deeper than this."""
    kinds: list[Schema] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
    if depth:
        inner = free_json(depth - 1)
        kinds += [{"type": "array", "items": inner}, {"type": "object", "additionalProperties": inner}]
    return {"anyOf": kinds}


def made_vocabulary(size: int = VOCABULARY) -> sg.Vocabulary:
    """All bytes, JSON's punctuation in pairs, digits, and made words with and without a space; then end and padding."""
    draw, marks = (
        np.random.default_rng(0),
        [b'{"', b'":', b'",', b'"}', b"},", b"[]", b"[{", b"}]", b": ", b", "],
    )
    tokens = dict.fromkeys([bytes([b]) for b in range(256)] + marks + [b"%d" % n for n in range(1000)])
    letters = np.frombuffer(b"eeeetttaaaooinshrdlucmfwypvbgkqjxzETAOIN", np.uint8)
    while len(tokens) < size - 2:
        for length in draw.integers(2, 11, 50_000):
            word = letters[draw.integers(0, len(letters), length)].tobytes()
            tokens[word if draw.random() < 0.5 else b" " + word] = None
    spelled: list[bytes | str | None] = [*list(tokens)[: size - 2], "<eos>", "<pad>"]
    return sg.Vocabulary.from_tokens(spelled, end="<eos>", pad="<pad>")


def errors(automaton: BlockAutomaton, console: Console, name: str) -> Figures:
    """The largest differences from the reference in float64; an assertion fails where they are not rounding."""
    generator = torch.Generator(DEVICE).manual_seed(0)
    logits = torch.randn(1, BLOCK, VOCABULARY, device=DEVICE, generator=generator) * 3
    step = _step([automaton], DEVICE)
    step.run(logits)
    truth = BlockLattice(automaton, logits.double(), backend=reference)
    uniforms = step.uniforms
    drawn = truth._runs[0].sample(uniforms[:, : BLOCK + 1], uniforms[:, BLOCK + 1 :])
    best, beliefs = truth.argmax(), truth.beliefs()
    found = {
        "log Z": float((step.log_partition - truth.log_partition()).abs()),
        "entropy": float((step.entropy - beliefs.entropy).abs().max()),
        "top": float((step.top - beliefs.top_probability).abs().max()),
        "best": float((step.best_weight - truth.log_partition() - best.log_prob).abs()),
        "drawn differently": int((step.ids != drawn).sum()),
    }
    assert found["log Z"] < 1e-3, (name, found)
    assert max(found["entropy"], found["top"], found["best"]) < 1e-3, (name, found)
    assert torch.equal(step.free, beliefs.free), name
    assert automaton.dfa.accepts(step.ids[0].cpu()), name
    assert automaton.dfa.accepts(step.best[0].cpu()), name
    console.print(
        f"{name}: " + ", ".join(f"{key} {value:.1e}" for key, value in found.items()), highlight=False
    )
    return found


def milliseconds(action: Callable[[], object], rounds: int, *, head_start: int = HEAD_START) -> float:
    """Median time of an action on the GPU.

    head_start: cycles of sleep before the first; with none, the time that the host takes to launch counts too
    """
    for _ in range(WARM):
        action()
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(rounds)]
    torch.cuda.synchronize()
    if head_start:
        torch.cuda._sleep(head_start)
    for begin, end in marks:
        begin.record()
        action()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in marks)


def softmax(logits: Tensor, rounds: int) -> float:
    """torch.softmax over the vocabulary, into memory that is there already."""
    out = torch.empty_like(logits)
    return milliseconds(lambda: torch.softmax(logits, -1, out=out), rounds)


def whole(rows: list[BlockAutomaton], logits: Tensor, base: float, rounds: int) -> Figures:
    """The whole step, launched one by one as the host manages to and as a CUDA graph, and its memory."""
    step = _step(rows, DEVICE)
    eager = milliseconds(lambda: step.run(logits), rounds, head_start=0)
    graph = step.capture(logits)
    replayed = milliseconds(graph.replay, rounds)
    out = torch.empty_like(logits, dtype=torch.bfloat16)
    marginals = milliseconds(lambda: step.spread(logits, out), rounds)
    generator = torch.Generator().manual_seed(0)
    looped = milliseconds(lambda: refinement(rows, logits, generator), rounds, head_start=0)
    return {
        "dtype": str(logits.dtype),
        "batch": len(rows),
        "softmax ms": base,
        "step ms": eager,
        "graph ms": replayed,
        "graph / softmax": replayed / base,
        "marginals ms": marginals,
        "decode ms": looped,
        "MiB besides logits": step.nbytes / 2**20,
    }


def refinement(rows: list[BlockAutomaton], logits: Tensor, generator: torch.Generator) -> Tensor:
    """What `decode` does with the logits of a step, through the lattice: beliefs and a joint draw."""
    lattice = BlockLattice(rows, logits, backend=gpu)
    lattice.beliefs()
    return lattice.sample(generator)


def apart(automaton: BlockAutomaton, logits: Tensor, rounds: int) -> list[Figures]:
    """Every stage of a step alone."""
    step = _step([automaton], DEVICE)
    step.run(logits)
    scratch = torch.empty_like(logits, dtype=torch.bfloat16)
    stages: dict[str, Callable[[], object]] = {
        **step.stages(logits),
        "marginals of tokens": lambda: step.spread(logits, scratch),
    }
    return [{"kernel": name, "ms": milliseconds(stage, rounds)} for name, stage in stages.items()]


def dense(S: int, rounds: int) -> float:
    """log Z by a product tree over dense log-space transition matrices [N, S, S], blind to an automaton's zeros.

    Every product shifts rows and columns by their maxima and multiplies in float32, the fastest form of it; building
    the matrices from logits, the way back for marginals, and the sampling are left out.
    """
    matrices = torch.randn(BLOCK, S, S, device=DEVICE)

    def tree() -> Tensor:
        level = matrices
        while len(level) > 1:
            left, right = level[::2], level[1::2]
            rows, columns = left.amax(-1, keepdim=True), right.amax(-2, keepdim=True)
            level = ((left - rows).exp() @ (right - columns).exp()).log() + rows + columns
        return level

    return milliseconds(tree, rounds)


def _step(rows: list[BlockAutomaton], device: str) -> Step:
    return Step.of(rows, positions=BLOCK, device=device)


def counts(automata: dict[str, BlockAutomaton], console: Console) -> list[Figures]:
    """What each launch of a step reads and writes for one row of bfloat16 logits, and its resources on an H100."""
    from bench.offline import every_kernel

    logits = torch.empty(1, BLOCK, VOCABULARY, dtype=torch.bfloat16)
    lines = []
    for name, automaton in automata.items():
        step = _step([automaton], "cpu")
        moved = traffic(step, logits)
        for made in every_kernel(automaton, logits)[: len(moved)]:
            lines.append({"automaton": name, "MiB moved": moved[len(lines) % len(moved)] / 2**20, **made})
        lines[-1]["MiB besides logits"] = step.nbytes / 2**20
    console.print(_table("one step, one row, bfloat16", lines))
    return lines


def traffic(step: Step, logits: Tensor) -> list[float]:
    """Bytes that each launch of `run` and `spread` moves, everything once that fits the second-level cache."""
    alphabet, automaton, N, size = step.alphabets, step.automata, BLOCK, logits.itemsize
    wide, narrow = alphabet.most("wide") * 2048, alphabet.most("narrow") * 16
    per_chunk, per_class = 16 * alphabet.chunks, 28 * alphabet.classes
    tables = sum(one.table.nbytes for one in automaton.placed)
    alpha, beta, sets = step.alpha.nbytes, step.beta.nbytes, step.bundles.nbytes
    scratch = 2 * (step.marginals.joint.nbytes + step.marginals.gathered.nbytes)
    found = []
    for items in (wide, narrow):
        if items:
            found.append(N * items * size + 4 * items + N * per_chunk * items / (wide + narrow))
    return [
        *found,
        N * (per_chunk + per_class),
        step.uniforms.nbytes,
        2 * (N * 8 * automaton.classes + sets) + tables / 5,
        4 * sets + 2 * (alpha + 2 * beta) + tables,
        alpha + beta + scratch + N * (per_class + 13 * automaton.classes),
        2 * N * 256 * 24,
        2 * N * (8 * alphabet.most("pieces") + 2048 * (4 + size)),
        logits.nbytes + 2 * logits.numel() + N * 4 * automaton.classes,
    ]


def _table(title: str, lines: list[Figures]) -> Table:
    columns = list(dict.fromkeys(key for line in lines for key in line))
    table = Table(*columns, title=title)
    for line in lines:
        table.add_row(*(_cell(line.get(key, "")) for key in columns))
    return table


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
