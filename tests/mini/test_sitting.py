"""A sitting encodes its prompt once, passes once over one canvas, and gives the denoiser's own logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from minis import toy
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_mini.sitting import Sitting

PROMPT = [3, 4, 5]


@dataclass(frozen=True)
class Counted(RandomDenoiser):
    """A denoiser that notes what it is asked to do."""

    asked: list[str] = field(default_factory=list)

    def start(self, prompts: Sequence[Sequence[int]]) -> RandomContext:
        self.asked.append("start")
        return super().start(prompts)

    def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        self.asked.append("pass")
        return super().__call__(context, canvas, beliefs)


@pytest.fixture
def denoiser() -> Counted:
    return Counted(Uniform(2, 9), 16, 9)


def canvas(seed: int, length: int = 16) -> Tensor:
    return torch.randint(2, 9, (1, length), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("length", [16, 5])
def test_the_logits_are_the_denoisers_own(denoiser: Counted, length: int) -> None:
    sitting = Sitting(denoiser, PROMPT).cut(length)
    seen = sitting(sitting.start([PROMPT]), canvas(0, length))
    assert sitting.block_length == length
    assert torch.equal(seen, denoiser(denoiser.start([PROMPT]), canvas(0, length)))


def test_the_prompt_is_encoded_once_for_all_cuts(denoiser: Counted) -> None:
    sitting = Sitting(denoiser, PROMPT)
    for one in (sitting, sitting.cut(8), sitting.cut(4)):
        one.start([PROMPT])
    assert denoiser.asked == ["start"]
    sitting.start([PROMPT, PROMPT])
    sitting.start([[7]])
    assert denoiser.asked == ["start"] * 3


def test_a_pass_is_made_once_and_another_canvas_is_another_pass(denoiser: Counted) -> None:
    sitting = Sitting(denoiser, PROMPT)
    context = sitting.start([PROMPT])
    first, again, other = (sitting(context, canvas(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert denoiser.asked == ["start", "pass", "pass"]


def test_other_beliefs_are_another_pass(denoiser: Counted) -> None:
    sitting = Sitting(denoiser, PROMPT)
    context = sitting.start([PROMPT])
    for belief in (0.0, 1.0, 1.0):
        sitting(context, canvas(0), torch.full((1, 16, 9), belief))
    assert denoiser.asked.count("pass") == 2


def test_a_context_that_went_on_is_never_taken_for_the_first(denoiser: Counted) -> None:
    sitting = Sitting(denoiser, PROMPT)
    context = sitting.start([PROMPT])
    further = sitting.extend(context, canvas(1))
    assert not torch.equal(sitting(context, canvas(0)), sitting(further, canvas(0)))


def test_an_answer_takes_no_pass_twice() -> None:
    """Not the look at the chosen layout either, with which the writing begins."""
    model, passes = toy(copies=True), list[tuple[bytes, ...]]()

    class Recording:
        def __getattr__(self, name: str) -> object:
            return getattr(model.denoiser, name)

        def __call__(self, context: RandomContext, *given: Tensor) -> Tensor:
            passes.append(tuple(one.numpy().tobytes() for one in given))
            return model.denoiser(context, *given)

    schema = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    model.over(Recording()).extract("tea 3, milk 4", schema, steps=1)  # type: ignore[arg-type]
    assert len(passes) == len(set(passes)) > 2
