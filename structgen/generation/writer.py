"""From a prompt and a constraint to a value: the step every verb ends in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidDocument, InvalidOption, Rejected, Unsatisfiable, Unsupported
from structgen.generation.prompts import Markup, Prompt, Prompts
from structgen.surface import option
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.loop import BudgetTooSmall, Decoded, Schedule, StepEvent, StoppingRule, decode
from structgen_engine.decoding.policy import Policy
from structgen_engine.lattice.beam import Overlong

T = TypeVar("T")

MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Generation(Generic[T]):
    """One finished output.

    value: what the text parses into; text: as generated; ids: committed tokens, the end token and padding included
    log_prob: nats, of the committed blocks under the constrained distribution of their last step
    steps: refinement steps taken over all blocks; blocks: how many blocks they filled
    dropped_share: of the probability of all accepted blocks at most this share was left out, in the step that left out
    most; 0.0 where the constraint is one table
    """

    value: T
    text: str
    ids: tuple[int, ...]
    log_prob: float
    steps: int
    blocks: int
    dropped_share: float = 0.0


@dataclass(frozen=True, eq=False)
class Runtime:
    """A denoiser with its vocabulary and its form of prompts.

    prompt_limit: the most prompt tokens the model reads, None for no limit
    blocks: blocks of budget where the caller names none
    steps: refinement steps a block at most, where the caller names none
    temperature, pace, policy: of decoding; see `structgen_engine.decoding.loop.decode`
    """

    name: str
    denoiser: Denoiser
    vocabulary: Vocabulary
    prompts: Prompts
    prompt_limit: int | None = None
    scaffolds: bool = False  # whether the model was trained to fill scaffolds
    copier: bool = False  # whether text and numbers in slots are copies of the document's as a rule
    overlap: Callable[[str, Sequence[str]], Sequence[float]] | None = (
        None  # of a text with each of some others, 0 … 1
    )
    blocks: int = 4
    temperature: Schedule = Schedule()  # noqa: RUF009  (frozen)
    pace: Schedule | None = None
    steps: int = 16
    stop: StoppingRule | None = None
    policy: Policy | None = None

    @property
    def null_id(self) -> int:
        """The zero-width token that fills slots, −1 where the vocabulary has none."""
        null = self.vocabulary.null
        return -1 if null is None else self.vocabulary.special[null]


@dataclass(frozen=True)
class Options:
    """How to decode.

    max_tokens: budget, None for the runtime's blocks, or more where the least answer is longer
    steps: refinement steps a block at most, None for the runtime's; seed: of the only source of randomness
    """

    max_tokens: int | None = None
    steps: int | None = None
    seed: int = 0
    on_step: Callable[[StepEvent], None] | None = None

    def __post_init__(self) -> None:
        check_whole("seed", self.seed, 0, MOST_SEED)
        if self.steps is not None:
            check_whole("steps", self.steps, 1)
        if self.max_tokens is not None:
            check_whole("max_tokens", self.max_tokens, 1)


def check_whole(option: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise InvalidOption where the value of an option is no whole number in its range."""
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        upto = "on" if most is None else f"to {most}"
        raise InvalidOption(f"{option} must be a whole number from {least} {upto}, not {value!r}")


def check_text(text: Any, what: str = "document") -> None:
    """Raise InvalidDocument where what the model is to read is no text, or none that UTF-8 can write."""
    if not isinstance(text, str):
        raise InvalidDocument(f"the {what} must be a string, not {type(text).__name__}")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidDocument(
            f"the {what} holds half a surrogate pair: decode it from bytes with errors='replace'"
        )


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
            steps=runtime.steps if options.steps is None else options.steps,
            stop=runtime.stop,
            policy=runtime.policy,
            temperature=runtime.temperature,
            pace=runtime.pace,
            pad_id=_pad_id(runtime.vocabulary),
            generator=torch.Generator().manual_seed(options.seed),
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
