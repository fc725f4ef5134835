"""Calls that share their passes: each gives what it gives alone, whoever joins, leaves or fails beside it."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError
from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from minis import toy
from structgen.generation.batcher import Batcher
from structgen_engine.decoding.sharing import CANVASES, PassQuestion, PromptQuestion, alike, answers

pytestmark = pytest.mark.filterwarnings("ignore::structgen.AnswerWarning")  # a toy states nothing
SPECS: list[Any] = [bool, list[bool], int, {"enum": ["a", "bb"]}, int]
TEXTS = [f"Number {k}: {'word ' * (k * 7 % 11)}{k * 37}." for k in range(6)]


def call(model: Any, k: int) -> Any:
    if k % 4 == 3:
        return model.decide(TEXTS[k], urgent=bool, seed=k).probabilities["urgent"][True]
    return model.extract(TEXTS[k], SPECS[k % len(SPECS)], seed=k)


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return toy()


@pytest.fixture(scope="module")
def alone(model: sg.Model) -> list[Any]:
    return [call(model, k) for k in range(len(TEXTS))]


def drained(batcher: Batcher[Any]) -> int:
    steps = 0
    while batcher.busy:
        batcher.step()
        steps += 1
    return steps


class TestEachCallGivesWhatItGivesAlone:
    @pytest.mark.parametrize("rows", [2, 6])
    def test_with_any_number_in_flight(self, model: sg.Model, alone: list[Any], rows: int):
        batcher = Batcher(model, rows)
        futures = [batcher.submit(lambda own, k=k: call(own, k)) for k in range(len(TEXTS))]
        while batcher.busy:
            batcher.step()
            assert batcher.flying <= rows
        for future, wanted in zip(futures, alone, strict=True):
            assert future.result() == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)

    def test_rows_share_their_passes(self, model: sg.Model):
        class Counting:
            calls = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(model.denoiser, name)

            def __call__(self, *given: Any) -> Tensor:
                Counting.calls += 1
                return model.denoiser(*given)

        batcher = Batcher(model.over(Counting()), 8)  # type: ignore[arg-type]
        for seed in range(8):
            batcher.submit(lambda own, seed=seed: own.extract(TEXTS[0], bool if seed % 2 else int, seed=seed))
        steps = drained(batcher)
        assert 2 <= Counting.calls <= 2 * steps  # a pass for each length of canvas

    def test_calls_that_join_later(self, model: sg.Model, alone: list[Any]):
        batcher, futures = Batcher(model, 4), []
        for k in range(4):
            futures.append(batcher.submit(lambda own, k=k: call(own, k)))
            batcher.step()
        drained(batcher)
        for future, wanted in zip(futures, alone, strict=False):
            assert future.result() == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)


class TestCallsThatEndEarly:
    def test_an_error_ends_its_own_call(self, model: sg.Model, alone: list[Any]):
        batcher = Batcher(model, 3)
        good = batcher.submit(lambda own: call(own, 0))
        empty = batcher.submit(lambda own: own.extract("  ", int))
        wrong = batcher.submit(lambda own: own.extract("x", {"type": "nothing"}))
        drained(batcher)
        assert good.result() == alone[0]
        with pytest.raises(sg.InvalidDocument):
            empty.result()
        with pytest.raises(sg.InvalidSource):
            wrong.result()

    def test_a_pass_that_fails_ends_only_the_call_that_it_fails_for(self, model: sg.Model, alone: list[Any]):
        class Failing:
            def __getattr__(self, name: str) -> Any:
                return getattr(model.denoiser, name)

            def start(self, prompts: Any) -> Any:
                if any(len(prompt) > 60 for prompt in prompts):
                    raise MemoryError("too long")
                return model.denoiser.start(prompts)

            def __call__(self, *given: Any) -> Tensor:
                return model.denoiser(*given)

        batcher = Batcher(model.over(Failing()), 3)  # type: ignore[arg-type]
        good = batcher.submit(lambda own: call(own, 0))
        long = batcher.submit(lambda own: own.extract("word " * 80, int))
        drained(batcher)
        assert good.result() == alone[0]
        with pytest.raises(MemoryError):
            long.result()

    @pytest.mark.parametrize("steps", [0, 2])
    def test_a_cancelled_call_leaves(self, model: sg.Model, alone: list[Any], steps: int):
        batcher, ended = Batcher(model, 2), []

        def work(own: sg.Model) -> object:
            try:
                return call(own, 2)
            finally:
                ended.append(True)

        good, gone = batcher.submit(lambda own: call(own, 0)), batcher.submit(work)
        for _ in range(steps):
            batcher.step()
        assert gone.cancel()
        drained(batcher)
        assert good.result() == alone[0]
        assert ended == [True] * bool(steps)
        with pytest.raises(CancelledError):
            gone.result()


class TestTheThreadThatMakesTheSteps:
    def test_serves_an_event_loop(self, model: sg.Model, alone: list[Any]):
        async def main(batcher: Batcher[sg.Model]) -> list[Any]:
            futures = [batcher.submit(lambda own, k=k: call(own, k)) for k in (0, 1, 2)]
            return await asyncio.gather(*map(asyncio.wrap_future, futures))

        with Batcher(model, 2) as batcher:
            assert asyncio.run(main(batcher)) == alone[:3]

    def test_ends_what_is_left(self, model: sg.Model):
        with Batcher(model, 1) as batcher:
            futures = [batcher.submit(lambda own: call(own, 0)) for _ in range(50)]
        assert all(future.done() for future in futures)
        with pytest.raises(RuntimeError, match="closed"):
            batcher.submit(lambda own: None)


class TestPassesForSeveralQuestions:
    def test_questions_of_one_form_and_of_similar_prompts_are_together(self):
        passes = [
            PassQuestion(None, length, torch.zeros(rows, N, dtype=torch.int64), None)
            for length, rows, N in [(10, 1, 4), (100, 1, 4), (11, 1, 4), (10, 1, 8), (12, CANVASES, 4)]
        ]
        questions = [*passes, PromptQuestion([[1]]), PromptQuestion([[1], [2]])]
        assert sorted(map(sorted, alike(questions))) == [[0, 2], [1], [3], [4], [5, 6]]

    def test_padded_prompts_change_no_logits(self, model: sg.Model):
        denoiser, canvas = model.denoiser, torch.arange(2, 34)[None]
        prompts = [[5, 6, 7, 8, 9], [9, 8, 7, 6]]
        contexts = [denoiser.start([prompt]) for prompt in prompts]
        together = answers(denoiser, [PassQuestion(one, 5, canvas, None) for one in contexts])
        for context, found in zip(contexts, together, strict=True):
            torch.testing.assert_close(found, denoiser(context, canvas), atol=1e-4, rtol=1e-4)
