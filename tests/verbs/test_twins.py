"""Every verb has an asynchronous twin with its arguments: several run at once, and a cancelled one ends early."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any

import pytest
from pydantic import BaseModel

import structgen as sg
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing
from structgen_mini import mini_folder

VERBS = ("extract", "stream", "generate", "fill", "choose", "decide", "call")
TEXT = "Invoice {number} from Acme Ltd, total {number}.50 EUR"


class Invoice(BaseModel):
    vendor: str
    total: float


class Part(BaseModel):
    whole: bool
    parts: list[Part] = []


def pay(amount: float) -> None:
    """Pay an amount."""


@pytest.fixture(scope="module")
def model() -> Model:
    return sg.load()


@pytest.fixture(scope="module")
def slow() -> Model:
    """A model that commits a few tokens a step."""
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    denoiser = RandomDenoiser(Absorbing(0), 64, vocabulary.size)
    return Model("random", denoiser, vocabulary, OutlinePrompts())


@pytest.mark.parametrize("verb", VERBS)
def test_a_twin_takes_the_arguments_of_its_verb(verb: str):
    given = inspect.signature(getattr(Model, verb)).parameters
    twin = inspect.signature(getattr(Model, f"a{verb}")).parameters
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert [name for name, one in twin.items() if one.kind is positional] == [
        name for name, one in given.items() if one.kind is positional
    ]


def test_twins_return_what_their_verbs_return(model: Model):
    text = TEXT.format(number=7)

    async def all_of_them() -> list[Any]:
        return [
            await model.aextract(text, Invoice),
            await model.agenerate(text, sg.Regex("[0-9]{2}"), steps=2),
            await model.afill("{{vendor}}", text),
            await model.achoose(text, ["invoice", "mail"]),
            await model.adecide(text, paid=bool),
            (await model.acall(text, [pay]))[0].arguments,
            [event async for event in model.astream(text, Invoice)][-1].result.to_dict(),
        ]

    *events, done = model.stream(text, Invoice)
    assert isinstance(done, sg.Done)
    assert events
    assert asyncio.run(all_of_them()) == [
        model.extract(text, Invoice),
        model.generate(text, sg.Regex("[0-9]{2}"), steps=2),
        model.fill("{{vendor}}", text),
        model.choose(text, ["invoice", "mail"]),
        model.decide(text, paid=bool),
        model.call(text, [pay])[0].arguments,
        done.result.to_dict(),
    ]


def test_several_at_once_on_one_model_are_as_each_alone(model: Model, slow: Model):
    texts = [TEXT.format(number=number) for number in range(3)]

    async def at_once() -> list[Any]:
        return await asyncio.gather(
            *(model.aextract(text, Invoice) for text in texts),
            *(
                slow.aextract(text, Part, steps=2, seed=seed, max_tokens=48)
                for seed, text in enumerate(texts)
            ),
            *(model.adecide(text, paid=bool) for text in texts),
        )

    assert asyncio.run(at_once()) == [
        *(model.extract(text, Invoice) for text in texts),
        *(slow.extract(text, Part, steps=2, seed=seed, max_tokens=48) for seed, text in enumerate(texts)),
        *(model.decide(text, paid=bool) for text in texts),
    ]


def test_a_cancelled_verb_ends_after_the_step_under_way(slow: Model):
    seen: list[Any] = []

    async def cancelled() -> int:
        work = asyncio.create_task(
            slow.aextract("a", list[bool], steps=64, max_tokens=64, on_step=seen.append)
        )
        while not seen:
            await asyncio.sleep(0.001)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        return len(seen)

    before = asyncio.run(cancelled())  # which waits for its threads
    assert len(seen) <= before + 1 < 64


def test_a_stream_that_is_left_ends_the_work(slow: Model):
    seen: list[Any] = []

    async def first() -> Any:
        stream = slow.astream("a", list[bool], steps=64, max_tokens=64, on_step=seen.append)
        async for event in stream:
            await stream.aclose()  # type: ignore[attr-defined]
            return event

    assert isinstance(asyncio.run(first()), sg.Partial | sg.Settled)
    assert len(seen) < 10
    done = len(seen)
    time.sleep(0.05)
    assert len(seen) == done


def test_errors_reach_the_one_who_waits(model: Model):
    with pytest.raises(sg.InvalidDocument, match="empty"):
        asyncio.run(model.aextract(" ", Invoice))
    with pytest.raises(sg.InvalidOption, match="steps"):
        asyncio.run(model.aextract("a", Invoice, steps=0))
