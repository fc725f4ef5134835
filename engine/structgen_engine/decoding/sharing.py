"""Forward passes that several rows share: what each asks of the denoiser is collected, and answered together.

A row reads its prompt, is probed and refined at its own pace, but it waits whenever it needs the denoiser. When all
rows wait, their prompts are encoded in one pass, and those of their canvases that are of one form are read in one pass.
Rows need no common constraint for that, and none has to be at the same step as another.

Axes: b canvases of one row, N block, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.noise import Noise

T = TypeVar("T")
SIMILAR = (
    1.25  # times as long as the shortest may the longest prompt of a pass be: padding is work for nothing
)
CANVASES = 16  # of one pass; more need more memory, and on a CPU they fall out of the caches and take longer


@dataclass(frozen=True, eq=False)
class PromptQuestion:
    """A question of one row: the contexts of its prompts."""

    prompts: Sequence[Sequence[int]]

    @property
    def length(self) -> int:
        return max(map(len, self.prompts))

    @property
    def rows(self) -> int:
        return len(self.prompts)


@dataclass(frozen=True, eq=False)
class PassQuestion:
    """A question of one row: the logits of its canvases [b, N].

    length: of the longest prompt in the context; beliefs: [b, N, V] nats, None without self-conditioning
    """

    context: Any
    length: int
    canvas: Tensor
    beliefs: Tensor | None

    @property
    def rows(self) -> int:
        return len(self.canvas)


Question = PromptQuestion | PassQuestion
Ask = Callable[[Question], Any]  # waits for the answer


class SharedDenoiser:
    """The denoiser of one row, which asks and waits where another denoiser would compute."""

    def __init__(self, denoiser: Denoiser, ask: Ask) -> None:
        self.denoiser, self._ask, self._length = denoiser, ask, 0
        self.block_length, self.vocabulary_size = denoiser.block_length, denoiser.vocabulary_size
        self.self_conditioning = denoiser.self_conditioning
        self.unconditioned_start = denoiser.unconditioned_start

    @property
    def noise(self) -> Noise:
        """The denoiser's own."""
        return self.denoiser.noise

    def start(self, prompts: Sequence[Sequence[int]]) -> Any:
        """The denoiser's context of the prompts."""
        asked = PromptQuestion(prompts)
        self._length = asked.length
        return self._ask(asked)

    def extend(self, context: Any, block: Tensor) -> Any:
        """The denoiser's own."""
        return self.denoiser.extend(context, block)

    def __call__(self, context: Any, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        """The denoiser's logits [b, N, V]."""
        found: Tensor = self._ask(PassQuestion(context, self._length, canvas, beliefs))
        return found


def answers(denoiser: Denoiser, questions: Sequence[Question]) -> list[Any]:
    """The answer to each question, or the exception that it ends in when it is asked alone."""
    found: list[Any] = [None] * len(questions)
    for places in alike(questions):
        some = [questions[k] for k in places]
        for k, answer in zip(places, _together(denoiser, some), strict=True):
            found[k] = answer
    return found


def alike(questions: Sequence[Question]) -> Iterator[list[int]]:
    """The indices of the questions that one pass can answer, for each pass."""
    forms: dict[object, list[int]] = {}
    for k, asked in enumerate(questions):
        form = None if isinstance(asked, PromptQuestion) else (asked.canvas.shape[1], asked.beliefs is None)
        forms.setdefault(form, []).append(k)
    for places in forms.values():
        some: list[int] = []
        for k in sorted(places, key=lambda k: questions[k].length):
            full = sum(questions[one].rows for one in some) + questions[k].rows > CANVASES
            if some and (full or questions[k].length > SIMILAR * questions[some[0]].length):
                yield some
                some = []
            some.append(k)
        yield some


def _together(denoiser: Denoiser, questions: Sequence[Question]) -> list[Any]:
    """The answers of one pass; if it fails or cannot be made, those of a pass for each question."""
    try:
        found = (
            _read(denoiser, questions)
            if isinstance(questions[0], PromptQuestion)
            else _passed(denoiser, questions)
        )
    except Exception as error:
        if len(questions) == 1:
            return [error]
        found = None
    return found or [answer for one in questions for answer in _together(denoiser, [one])]


def _read(denoiser: Denoiser, questions: Sequence[Any]) -> list[Any]:
    context = denoiser.start([prompt for one in questions for prompt in one.prompts])
    if len(questions) == 1:
        return [context]
    return [context.select(at) for at in torch.arange(sum(_sizes(questions))).split(_sizes(questions))]


def _passed(denoiser: Denoiser, questions: Sequence[Any]) -> list[Any] | None:
    """None if the contexts cannot be joined."""
    context = questions[0].context
    if len(questions) > 1:
        context = context.join(*[one.context for one in questions[1:]])
        if context is None:
            return None
    given = [torch.cat([one.canvas for one in questions])]
    if questions[0].beliefs is not None:
        given.append(torch.cat([one.beliefs for one in questions]))
    return list(denoiser(context, *given).split(_sizes(questions)))


def _sizes(questions: Sequence[Question]) -> list[int]:
    return [one.rows for one in questions]
