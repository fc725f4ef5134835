"""From a prompt and a constraint to a value: the step every verb ends in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidDocument, Rejected, Unsatisfiable, Unsupported
from structgen.generation.options import Options, check_text
from structgen.generation.prompts import Markup, Prompt
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.surface import option
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import DecodingOptions, Schedule, StoppingRule
from structgen_engine.decoding.policy import EntropyBound
from structgen_engine.decoding.row import BudgetTooSmall, Decoded
from structgen_engine.lattice.beam import Overlong

T = TypeVar("T")


@contextmanager
def refusing_overlong_steps() -> Iterator[None]:
    """Raise Unsupported where a step of a lazy constraint takes too long; a decorator too."""
    try:
        yield
    except Overlong as error:
        raise Unsupported(str(error), remedy="simplify what the source repeats or leaves open") from None


def generate(
    runtime: Runtime, prompt: Prompt, constraint: Constraint[T], options: Options | None = None
) -> Generation[T]:
    """Fill blocks until the constraint is complete, and parse what they say. Raises what `write` and `read` raise."""
    return read(runtime, constraint, write(runtime, prompt, constraint, options))


@refusing_overlong_steps()
def write(
    runtime: Runtime,
    prompt: Prompt,
    constraint: Constraint[Any],
    options: Options | None = None,
    *,
    pinned: Sequence[int] | None = None,
) -> Decoded:
    """Fill blocks until the constraint is complete.

    pinned: preferred ids of the first block, −1 where open (a scaffold); dropped where the constraint rules it out

    Raises Unsatisfiable, before anything is generated, where the budget is below the least number of tokens,
    InvalidDocument where the prompt is longer than the model reads, and Unsupported where a step of a lazy constraint
    takes too long.
    """
    options = options or Options()
    budget = options.max_tokens or _default_budget(runtime, constraint)
    if pinned is None:
        pinned = _preface(runtime.vocabulary)
    try:
        return decode(
            runtime.denoiser,
            [prompt_ids(runtime, prompt)],
            [constraint.automaton],
            max_tokens=budget,
            options=decoding_options(runtime, options.steps),
            pad_id=_pad_id(runtime.vocabulary),
            generators=[torch.Generator().manual_seed(options.seed)],
            scaffold=None if pinned is None else [torch.tensor(pinned)],
            on_step=options.on_step,
            reviews=[constraint.reviewer()],
        )[0]
    except BudgetTooSmall as error:
        raise Unsatisfiable(
            f"the budget of {budget} tokens is too small: {error.need}; "
            f"allow at least {error.min_tokens} with {option('max_tokens', error.min_tokens)}",
            min_tokens=error.min_tokens,
        ) from None


def decoding_options(runtime: Runtime, steps: int | None) -> DecodingOptions:
    """The runtime's options, with the caller's number of steps where one is given."""
    return DecodingOptions(
        steps=runtime.steps if steps is None else steps,
        temperature=runtime.temperature,
        pace=runtime.pace or Schedule(0.0, 0.0),
        policy=runtime.policy or EntropyBound(),
        stop=runtime.stop or StoppingRule(),
    )


def read(runtime: Runtime, constraint: Constraint[T], written: Decoded) -> Generation[T]:
    """What the written ids say. Raises Rejected where a Python validator of the class refuses it."""
    ids = tuple(written.ids.tolist())
    text = runtime.vocabulary.decode(ids).decode()
    value, drawn = (
        _parse(constraint, text),
        (written.log_prob, written.steps, written.blocks, written.dropped),
    )
    return Generation(value, text, ids, *drawn)


def _default_budget(runtime: Runtime, constraint: Constraint[Any]) -> int:
    """The runtime's blocks in tokens, or as many blocks as the least answer takes."""
    block = runtime.denoiser.block_length
    return block * max(runtime.blocks, -(-constraint.min_tokens // block))


def _parse(constraint: Constraint[T], text: str) -> T:
    """The value of an output; what a class checks in Python no constraint can promise."""
    try:
        return constraint.parse(text)
    except Rejected as error:
        error.text = text  # all of it, whatever part was refused
        raise


def prompt_ids(runtime: Runtime, prompt: Prompt) -> list[int]:
    """The prompt as tokens; raises InvalidDocument where it is no text, empty, or longer than the model reads."""
    for piece in prompt:
        check_text(piece, "prompt")
    encode = runtime.vocabulary.encode
    ids = [index for piece in prompt for index in encode(piece, special=isinstance(piece, Markup))]
    if not ids:
        raise InvalidDocument("the prompt is empty: there is nothing to answer")
    if runtime.prompt_limit is not None and len(ids) > runtime.prompt_limit:
        raise InvalidDocument(
            f"the prompt takes {len(ids)} tokens and {runtime.name} reads at most {runtime.prompt_limit}: "
            "split the document or load a larger model"
        )
    return ids


def _preface(vocabulary: Vocabulary) -> list[int] | None:
    """The ids that every answer begins with, None where there are none or a thought stands between them."""
    preface = vocabulary.preface
    if preface is None or preface.thinking:
        return None
    return vocabulary.encode(preface.open + preface.label + preface.close, special=True)


def _pad_id(vocabulary: Vocabulary) -> int:
    return 0 if vocabulary.pad is None else vocabulary.special[vocabulary.pad]
