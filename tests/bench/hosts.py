"""Whether everything that DiffusionGemma writes under a constraint is valid, in each loop that can run it.

The network is the real architecture with random weights, which knows nothing: whatever is valid is so because of the
constraint. So what a constraint does to the number of refinement steps is measured with the embedded model, which has
been trained.
"""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.confidence import Witness
from bench.problems import Problem, problems
from bench.ways import unconstrained
from structgen.generation.options import Options
from structgen.model import Model
from structgen.verbs.extract import extraction
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_mini.writer import MiniWriter
from tiny_gemma import CANVAS, save_checkpoint, small_tokenizer, tiny_model

STEPS = 4
OBJECT = {
    "type": "object",
    "properties": {"id": {"type": "integer", "maximum": 999}, "ok": {"type": "boolean"}},
    "required": ["id", "ok"],
    "additionalProperties": False,
}
ANSWERS: dict[
    int, list[Any]
] = {  # by the number of canvases that hold them; the preface takes a third of the first
    1: [sg.Regex("[a-z]{1,9}-(yes|no)"), ["red", "green"], sg.Regex("[0-9]{4}-[0-9]{2}")],
    2: [sg.Regex("[a-z]{3,40}-(yes|no)"), OBJECT, ["a", "an answer of two canvases, no less"]],
    3: [sg.Regex("[a-z]{40,70}-(yes|no)"), {**OBJECT, "required": ["ok"]}, {"type": "array", "maxItems": 4}],
}
Write = Callable[
    [list[Any], int, Finish, int], list[list[int]]
]  # rows, canvases, finish, seed -> ids of each row


def run(console: Console, *, count: int) -> list[dict[str, Any]]:
    """`count` constrained outputs in every loop: up to three canvases, best and sampled, alone and in a mixed batch."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = _checkpoint(Path(folder))
        loops = {"structgen": _own(model), "transformers": _transformers(model)}
        if importlib.util.find_spec("diffusers") is not None:
            loops["diffusers"] = _diffusers(model, tokenizer)
        from structgen.integrations.answers import vocabulary_of

        vocabulary = vocabulary_of(model, tokenizer)
        for name, write in loops.items():
            figures.append({"loop": name, **_count(write, vocabulary, count)})
    table = Table("loop", "outputs", "valid", "longest, canvases", "seconds")
    for row in figures:
        table.add_row(*(f"{row[key]}" for key in ("loop", "outputs", "valid", "canvases", "seconds")))
    console.print(table)
    return figures


def refinement(console: Console, *, documents: int) -> list[dict[str, Any]]:
    """Steps of the embedded model on held-out documents, constrained and not, in the layout that `extract` found.

    And how many it takes in all the layouts that `extract` tries.
    """
    model = sg.load()
    taken = [_steps(model, problem) for problem in problems("values", documents, model)]
    means = {name: round(sum(one[name] for one in taken) / len(taken), 2) for name in taken[0]}
    pairs = [(one["constrained"], one["unconstrained"]) for one in taken]
    figures = {
        "documents": len(taken),
        **means,
        "fewer": sum(ours < free for ours, free in pairs),
        "more": sum(ours > free for ours, free in pairs),
    }
    table = Table(*figures, title="Refinement steps of the embedded model")
    table.add_row(*map(str, figures.values()))
    console.print(table)
    return [figures]


def _steps(model: Model, problem: Problem) -> dict[str, int]:
    writer, asked = model.writer, extraction(model, problem.document, problem.schema)
    assert isinstance(writer, MiniWriter)
    done, layout = writer.filled(asked)
    pinned = None if layout is None else layout.block
    ours, denoiser = writer.decoded(asked, layout), writer.copier(layout, problem.document).denoiser
    free = unconstrained(model, denoiser, list(asked.prompt), pinned, Options(), Witness())
    return {"unconstrained": free.steps, "constrained": ours.steps, "in all layouts": done.steps}


def _count(write: Write, vocabulary: sg.Vocabulary, count: int) -> dict[str, Any]:
    begun, outputs, valid, longest = time.perf_counter(), 0, 0, 0
    compiled = {n: [sg.compile(source, vocabulary) for source in sources] for n, sources in ANSWERS.items()}
    settings = itertools.product(Finish, compiled, (1, 4))
    for seed, (finish, canvases, batch) in enumerate(itertools.cycle(list(settings))):
        if outputs >= count:
            break
        choices = compiled[canvases]
        rows = [*choices, None] if batch == 4 else [choices[seed % len(choices)]]
        for constraint, ids in zip(rows, write(rows, canvases, finish, seed), strict=True):
            if constraint is not None:
                outputs += 1
                valid += _is_valid(constraint, ids)
                longest = max(longest, -(-len(ids) // CANVAS))
    seconds = round(time.perf_counter() - begun, 1)
    return {"outputs": outputs, "valid": valid, "canvases": longest, "seconds": seconds}


def _is_valid(constraint: sg.Constraint[Any], ids: list[int]) -> bool:
    """Whether the tokens are accepted, and the text by itself, and it parses."""
    text = constraint.vocabulary.decode(ids)
    if not constraint.accepts_ids(ids) or not constraint.accepts(text):
        return False
    constraint.parse(text.decode())
    return True


def _checkpoint(folder: Path) -> tuple[Any, Any]:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    tokenizer = small_tokenizer(folder / "small.json")
    save_checkpoint(folder / "model", tiny_model(), tokenizer, eos_token_id=[1, 8])
    loaded = transformers.DiffusionGemmaForBlockDiffusion.from_pretrained(folder / "model").eval()
    return loaded, transformers.AutoTokenizer.from_pretrained(folder / "model")


def _prompts(rows: int) -> torch.Tensor:
    return torch.randint(11, 260, (rows, 9), generator=torch.Generator().manual_seed(rows))


def _own(model: Any) -> Write:
    """structgen's loop has no unconstrained rows: they are left out, the others keep prompts of several lengths."""
    from structgen_engine.models.diffusion_gemma import DiffusionGemmaDenoiser

    denoiser = DiffusionGemmaDenoiser(model)

    def write(rows: list[Any], canvases: int, finish: Finish, seed: int) -> list[list[int]]:
        constrained = [row for row in rows if row is not None]
        done = decode(
            denoiser,
            [prompt[: 9 - k].tolist() for k, prompt in enumerate(_prompts(len(constrained)))],
            [row.automaton for row in constrained],
            max_tokens=canvases * CANVAS,
            generators=[torch.Generator().manual_seed(seed + k) for k in range(len(constrained))],
            options=DecodingOptions(steps=STEPS, finish=finish),
        )
        written = iter(done)
        return [[] if row is None else next(written).ids.tolist() for row in rows]

    return write


def _transformers(model: Any) -> Write:
    from structgen.integrations.transformers import constrain

    def write(rows: list[Any], canvases: int, finish: Finish, seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        arguments = constrain(model, rows, max_new_tokens=canvases * CANVAS, finish=finish, seed=seed)
        output = model.generate(_prompts(len(rows)), max_denoising_steps=STEPS, **arguments)
        return output.sequences[:, 9:].tolist()

    return write


def _diffusers(model: Any, tokenizer: Any) -> Write:
    """The pipeline's canvases end with their best blocks; its draws are in between."""
    import diffusers

    from structgen.integrations.diffusers import ConstrainedScheduler

    inner = diffusers.EntropyBoundScheduler()
    pipe = diffusers.DiffusionGemmaPipeline(model=model, scheduler=inner, processor=tokenizer)
    pipe.set_progress_bar_config(disable=True)

    def write(rows: list[Any], canvases: int, finish: Finish, seed: int) -> list[list[int]]:
        length = canvases * CANVAS
        pipe.scheduler = ConstrainedScheduler(inner, rows, canvas_length=CANVAS, gen_length=length, seed=seed)
        return pipe(
            prompt=["Who is it?"] * len(rows),
            gen_length=length,
            num_inference_steps=STEPS,
            generator=torch.Generator().manual_seed(seed),
            output_type="seq",
        ).sequences.tolist()

    return write
