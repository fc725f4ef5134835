"""Ways to answer an extraction problem, each giving an Answer.

Unconstrained decoding is the same loop with an automaton that accepts every token, so that only the constraint
differs; with a scaffold it uses the layout that the constrained run found. Copies are the preference for what the
document says (structgen_mini.copies), which the product adds for a model that copies; it is left out of the other rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from jsonschema import Draft202012Validator

import structgen as sg
from bench.autoregressive import Greedy, Written
from bench.clock import Seconds, now, since
from bench.confidence import Witness, confidences
from bench.problems import Problem
from bench.schemas import closed
from bench.scores import Answer
from structgen.generation.options import Options
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, read
from structgen.model import Model
from structgen.verbs.extract import extract, extraction
from structgen_engine.automata.dfa import Alphabet, Dfa
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import StoppingRule
from structgen_mini.writer import MiniWriter
from writing import generate

Way = Callable[[Problem], Answer]


def diffusion_ways(model: Model, steps: int | None) -> dict[str, Way]:
    """The ways of a block-diffusion model, by name; steps: a block at most, None for the model's own number."""
    names = (
        "free canvas, unconstrained",
        "free canvas, grammar",
        "scaffold, unconstrained",
        "scaffold, grammar",
        "scaffold, copies, unconstrained",
        "scaffold, copies, grammar",
    )
    return {name: _way(model, steps, name) for name in names}


def causal_ways(model: Model) -> dict[str, Way]:
    """The ways of a causal model: token by token with llguidance's masks, and read in blocks through our lattice."""
    greedy = Greedy(model)

    def masked(problem: Problem) -> Answer:
        begun = now()
        prompt = prompt_ids(model, model.prompts.extraction(sg.JsonSchema(problem.schema), problem.document))
        written = greedy(prompt, closed(problem.schema))
        return _judged(model, problem, written, since(begun))

    def lattice(problem: Problem) -> Answer:
        sg.compile(problem.schema, model.vocabulary)
        witness, begun = Witness(), now()
        done = extract(model, problem.document, problem.schema, Options(on_step=witness))
        return _judged(model, problem, _written(done, witness), since(begun))

    return {"token by token, llguidance": masked, "in blocks, our lattice": lattice}


def _way(model: Model, steps: int | None, name: str) -> Way:
    writer = model.writer
    if isinstance(writer, MiniWriter):
        writer = replace(writer, copies=writer.copies and "copies" in name)

    def answer(problem: Problem) -> Answer:
        constraint, witness = sg.compile(problem.schema, model.vocabulary), Witness()
        options = Options(steps=steps, on_step=witness)
        prompt = model.prompts.extraction(sg.JsonSchema(problem.schema), problem.document)
        begun, pinned, denoiser = now(), None, model.denoiser
        if name == "free canvas, grammar":
            done = generate(model, prompt, constraint, options)
            return _judged(model, problem, _written(done, witness), since(begun))
        if name.startswith("scaffold") and isinstance(writer, MiniWriter):
            asked = extraction(model, problem.document, problem.schema, options)
            ours, layout = writer.filled(asked)
            done = read(model, asked.constraint, ours)
            if name.endswith("grammar"):
                return _judged(model, problem, _written(done, witness), since(begun))
            pinned = None if layout is None else layout.block
            denoiser = writer.canvas.denoiser
            if layout is not None:
                offer = writer.offer(layout, problem.document) if writer.copies else None
                denoiser = writer.filling(layout, offer).denoiser
        begun = now()
        written = unconstrained(model, denoiser, prompt_ids(model, prompt), pinned, options, witness)
        return _judged(model, problem, written, since(begun))

    return answer


def _written(done: Generation[Any], witness: Witness) -> Written:
    return Written(done.text, done.ids, done.steps, tuple(witness.probabilities))


def _judged(model: Model, problem: Problem, written: Written, seconds: Seconds) -> Answer:
    """The answer that a text is; jsonschema says whether it is valid, not the automaton that made it."""
    tokens = sum(bool(model.vocabulary.decode([one])) for one in written.ids)
    try:
        value = json.loads(written.text)
    except ValueError:
        return Answer(None, False, written.steps, tokens, seconds)
    judge = Draft202012Validator(closed(problem.schema), format_checker=Draft202012Validator.FORMAT_CHECKER)
    beliefs = confidences(written.text, written.ids, written.probabilities, model.vocabulary)
    return Answer(value, judge.is_valid(value), written.steps, tokens, seconds, beliefs)


def unconstrained(
    model: Runtime,
    denoiser: Denoiser,
    prompt: list[int],
    pinned: Sequence[int] | None,
    options: Options,
    witness: Witness,
) -> Written:
    """What the same loop writes in a layout (None for a free canvas), every token allowed everywhere."""
    anything = Dfa(
        Alphabet(torch.ones(model.vocabulary.size, dtype=torch.int32), 2),
        torch.tensor([[0, 0], [0, 1]], dtype=torch.int32),
        torch.tensor([False, True]),
        1,
    )
    decoded = decode(
        denoiser,
        [prompt],
        [anything],
        max_tokens=denoiser.block_length,
        pad_id=0,
        generators=[torch.Generator().manual_seed(options.seed)],
        scaffold=None if pinned is None else [torch.tensor(pinned)],
        on_step=witness,
        options=replace(model.decoding, steps=options.steps or model.decoding.steps, stop=StoppingRule()),
    )[0]
    ids = tuple(decoded.ids.tolist())
    text = model.vocabulary.decode(ids).decode(errors="replace")
    return Written(text, ids, decoded.steps, tuple(witness.probabilities))
