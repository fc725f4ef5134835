"""Filling blocks for a prompt under a constraint and parsing the result, the last step of every verb."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch

from structgen.compiler.constraint import Constraint
from structgen.documents import Document
from structgen.errors import InvalidDocument, Rejected, Unsatisfiable, Unsupported
from structgen.generation.options import Options
from structgen.generation.prompts import Markup, Prompt
from structgen.generation.remote import refusal
from structgen.generation.request import Kind, Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.sources import Capturing
from structgen.surface import flag, option
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import Decoded, StepEvent, decoding, drained
from structgen_engine.decoding.row import BudgetTooSmall
from structgen_engine.lattice.pruning import Overlong

T = TypeVar("T")
LONGER = 4  # times as many tokens as a document may be in an answer that is copied from it: names and room are added


@dataclass(frozen=True, eq=False)
class DirectWriter:
    """A writer that starts from an empty canvas, except for the ids that all answers of the model begin with."""

    denoiser: Denoiser
    vocabulary: Vocabulary

    def over(self, denoiser: Denoiser) -> DirectWriter:
        """The same writer with another denoiser of this model."""
        return replace(self, denoiser=denoiser)

    def writing(self, request: Request) -> Generator[StepEvent, None, Decoded]:
        """Fill blocks until the automaton accepts them."""
        preface, pad = _preface(self.vocabulary), self.vocabulary.pad
        written = yield from decoding(
            self.denoiser,
            [request.prompt],
            [request.automaton],
            max_tokens=request.max_tokens,
            options=request.options,
            pad_id=0 if pad is None else self.vocabulary.special[pad],
            generators=[torch.Generator().manual_seed(request.seed)],
            scaffold=None if preface is None else [torch.tensor(preface)],
            reviews=[request.reviewer()],
        )
        return written[0]


@contextmanager
def refusing_overlong_steps() -> Iterator[None]:
    """Raise Unsupported if a step of a lazy constraint takes too long; also usable as a decorator."""
    try:
        yield
    except Overlong as error:
        raise Unsupported(str(error), remedy="simplify what the source repeats or leaves open") from None


def request(
    runtime: Runtime,
    prompt: Prompt,
    constraint: Constraint[Any],
    options: Options | None = None,
    *,
    document: str | None = None,
    kinds: tuple[Kind, ...] = (),
) -> Request:
    """A request, with the runtime's defaults for options that the caller does not name.

    The default budget is the runtime's number of blocks, or more if the shortest answer needs it, or the prompt with a
    document is so long that an answer copied from it may. Raises InvalidDocument if the prompt is longer than the model
    reads.
    """
    options, block = options or Options(), runtime.denoiser.block_length
    ids = prompt_ids(runtime, prompt)
    likely = 0 if document is None else LONGER * len(ids)
    budget = options.max_tokens or block * max(
        runtime.blocks, -(-max(likely, constraint.min_tokens) // block)
    )
    decoding = runtime.decoding if options.steps is None else replace(runtime.decoding, steps=options.steps)
    return Request(
        ids,
        constraint,
        constraint.automaton,
        constraint.reviewer,
        budget,
        decoding,
        options.seed,
        document,
        kinds,
        options.on_step,
        options.partial,
        options.redraws,
        options.max_tokens,
    )


def write(runtime: Runtime, asked: Request) -> Decoded:
    """Fill blocks until the constraint is complete; raises what `writing` raises."""
    return drained(writing(runtime, asked), asked.on_step)


def writing(runtime: Runtime, asked: Request) -> Generator[StepEvent, None, Decoded]:
    """Fill blocks until the constraint is complete, step by step: yields each step and returns what was written.

    Raises Unsatisfiable, before anything is generated, if the budget is below the least number of tokens, and
    Unsupported if a step of a lazy constraint takes too long.
    """
    if runtime.remote is not None:
        raise refusal()
    writer = runtime.writer or DirectWriter(runtime.denoiser, runtime.vocabulary)
    try:
        with refusing_overlong_steps():
            return (yield from writer.writing(asked))
    except BudgetTooSmall as error:
        part = f", or a part of them with {flag('partial')}" if error.divisible else ""
        raise Unsatisfiable(
            f"the budget of {asked.max_tokens} tokens is too small: {error.need}; "
            f"allow at least {error.min_tokens} with {option('max_tokens', error.min_tokens)}{part}",
            min_tokens=error.min_tokens,
        ) from None


def read(runtime: Runtime, constraint: Constraint[T], written: Decoded) -> Generation[T]:
    """The parsed output. Raises Rejected if a Python validator of the class rejects it."""
    ids = tuple(written.ids.tolist())
    text = constraint.vocabulary.decode(ids).decode()
    value, drawn = (
        _parse(constraint, text),
        (written.log_prob, written.steps, written.blocks, written.dropped, written.certified),
    )
    source = constraint.source
    found = source.captures(text) if isinstance(source, Capturing) else {}
    return Generation(value, text, ids, *drawn, captures=found)


def _parse(constraint: Constraint[T], text: str) -> T:
    """The value of an output; no constraint can guarantee that it passes a class's Python validators."""
    try:
        return constraint.parse(text)
    except Rejected as error:
        error.text = text  # the whole text, even if only a part was rejected
        raise


def prompt_ids(runtime: Runtime, prompt: Prompt) -> list[int]:
    """The prompt as tokens; raises InvalidDocument if it is not text, empty, or longer than the model reads."""
    for piece in prompt:
        check_text(piece, "prompt")
    limit, encode = runtime.prompt_limit, runtime.vocabulary.encode
    texts = [
        piece for piece in prompt if not isinstance(piece, Markup)
    ]  # a special token's name is one token
    least = sum(len(text.encode()) for text in texts) // runtime.vocabulary.longest
    if limit is not None and least > limit:  # cutting a book into tokens takes seconds
        raise _too_long(runtime, f"at least {least}")
    ids = [index for piece in prompt for index in encode(piece, special=isinstance(piece, Markup))]
    if not ids:
        raise InvalidDocument("the prompt is empty: there is nothing to answer")
    if limit is not None and len(ids) > limit:
        raise _too_long(runtime, str(len(ids)))
    return ids


class PromptTooLong(InvalidDocument):
    """The prompt has more tokens than the model reads."""


def _too_long(runtime: Runtime, tokens: str) -> PromptTooLong:
    return PromptTooLong(
        f"the prompt takes {tokens} tokens and {runtime.name} reads at most {runtime.prompt_limit}: "
        "split the document or load a larger model"
    )


def text_of(given: str | Document, what: str = "document") -> str:
    """The text of what a verb works on; raises InvalidDocument if there is none."""
    if not isinstance(given, str | Document):
        raise InvalidDocument(f"the {what} must be a string or a Document, not {type(given).__name__}")
    text = given if isinstance(given, str) else given.text
    check_text(text, what)
    return text


def check_text(text: Any, what: str = "document") -> None:
    """Raise InvalidDocument if the model's input is not a string, or one that UTF-8 cannot encode."""
    if not isinstance(text, str):
        raise InvalidDocument(f"the {what} must be a string, not {type(text).__name__}")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidDocument(
            f"the {what} holds half a surrogate pair: decode it from bytes with errors='replace'"
        )


def _preface(vocabulary: Vocabulary) -> list[int] | None:
    """The ids that every answer begins with; None if there are none or an open thought comes between them."""
    preface = vocabulary.preface
    if preface is None or preface.thinking:
        return None
    return vocabulary.encode(preface.open + preface.label + preface.close, special=True)
