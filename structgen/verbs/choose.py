"""The verb `choose`: one of several options, with a probability for each.

Nothing is generated. The denoiser looks at the task once, with the answer still noise, and the lattice says how much
probability each option has among all answers: the sum over every way to spell it in tokens. A causal model reads each
option's answer instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structgen.compiler.constraint import compile
from structgen.errors import InvalidDocument, InvalidSource
from structgen.generation.options import MOST_SEED, check_text, check_whole
from structgen.generation.prompts import choice_schema
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, refusing_overlong_steps
from structgen.layout import first_layout
from structgen.sources import as_source
from structgen_engine.decoding.jacobi import JacobiNoise
from structgen_engine.decoding.probe import Look

CANVASES = 8  # noisy canvases to average over


@dataclass(frozen=True)
class Choice:
    """The chosen option, and the probability of each, in the order given."""

    value: str
    probabilities: Mapping[str, float]


@refusing_overlong_steps()
def choose(runtime: Runtime, text: str, options: Sequence[str], *, seed: int = 0) -> Choice:
    """The most probable option.

    Raises InvalidDocument where the text is empty, InvalidSource where options are missing, repeated or no strings.
    """
    check_text(text, "text")
    if not text.strip():
        raise InvalidDocument("the text is empty: there is nothing to choose by")
    _check(options)
    check_whole("seed", seed, 0, MOST_SEED)
    schema = choice_schema(options)
    prompt = prompt_ids(runtime, runtime.prompts.extraction(schema, text))
    if isinstance(runtime.denoiser.noise, JacobiNoise):
        return _chosen(options, _likelihoods(runtime, prompt, options).softmax(0))
    layout = first_layout(runtime, schema)
    logits, settled = _first_look(
        runtime, prompt, layout and layout.block, torch.Generator().manual_seed(seed)
    )
    constraints = [compile(as_source(choice_schema([option])), runtime.vocabulary) for option in options]
    remaining = max(0, max(one.min_tokens for one in constraints) - runtime.denoiser.block_length)
    looks = [Look(one.automaton, logits, settled, remaining) for one in constraints]
    weights = torch.stack([one.lattice.log_partition().cpu() for one in looks], dim=1)
    return _chosen(options, weights.double().softmax(1).mean(0))


def _check(options: Sequence[str]) -> None:
    if not isinstance(options, list | tuple) or not all(isinstance(option, str) for option in options):
        raise InvalidSource(f"choose needs its options as a list of strings, not {options!r:.80}")
    if len(options) < 2 or len(set(options)) < len(options) or not all(options):
        raise InvalidSource("choose needs at least two options, all different and none of them empty")


def _chosen(options: Sequence[str], probabilities: Tensor) -> Choice:
    """The likeliest of the options; probabilities [options]."""
    return Choice(
        options[int(probabilities.argmax())], dict(zip(options, probabilities.tolist(), strict=True))
    )


def _first_look(
    runtime: Runtime, prompt: list[int], pinned: Sequence[int] | None, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Logits [CANVASES, N, V] of canvases that are noise but for the pinned ids, and those ids [CANVASES, N]."""
    denoiser = runtime.denoiser
    settled = torch.full((CANVASES, denoiser.block_length), -1)
    if pinned is not None:
        settled[:] = torch.tensor(pinned)
    noise = denoiser.noise.start((CANVASES, denoiser.block_length), generator)
    canvas = torch.where(settled >= 0, settled, noise)
    return denoiser(denoiser.start([prompt] * CANVASES), canvas), settled


def _likelihoods(runtime: Runtime, prompt: list[int], options: Sequence[str]) -> Tensor:
    """The log-likelihood of each option's answer as a causal model reads it, to which noise says nothing: [options]."""
    vocabulary = runtime.vocabulary
    end = [] if vocabulary.end is None else [vocabulary.special[vocabulary.end]]
    texts = [json.dumps({"choice": option}, ensure_ascii=False) for option in options]
    answers = [[*vocabulary.encode(text), *end] for text in texts]
    length = max(map(len, answers))
    canvas = torch.tensor([[*answer, *[0] * (length - len(answer))] for answer in answers])
    told = torch.tensor([[1.0] * len(answer) + [0.0] * (length - len(answer)) for answer in answers])
    logits = runtime.denoiser(runtime.denoiser.start([prompt] * len(options)), canvas).cpu().double()
    return (logits.log_softmax(-1).gather(-1, canvas[..., None])[..., 0] * told).sum(-1)
