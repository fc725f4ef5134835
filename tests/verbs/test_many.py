"""Verbs for many texts: each value is what its text gives alone, and what is in work is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import structgen as sg
from minis import toy

pytestmark = pytest.mark.filterwarnings("ignore::structgen.AnswerWarning")  # a toy states nothing
TEXTS = ["Tea 3", "Acme Ltd sells tea and more", "seven", "it is urgent " * 5]


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return toy()


def word(a: int = 0) -> None:
    """Say a number."""


VERBS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("extract", (int,), {"seed": 3}),
    ("generate", (sg.Regex("[a-z]{2}|[0-9]{3}"),), {"seed": 3, "max_tokens": 256}),
    ("call", ([word],), {"tool_choice": "required"}),
    ("choose", (["a", "b"],), {}),
    ("decide", ({"urgent": bool},), {"seed": 1}),
]


@pytest.mark.parametrize(("verb", "given", "how"), VERBS, ids=lambda one: one if isinstance(one, str) else "")
def test_values_are_those_of_one_call_each(model: sg.Model, verb: str, given: Any, how: Any):
    alone = [getattr(model, verb)(text, *given, **how) for text in TEXTS]
    many = list(getattr(model, f"{verb}_many")(iter(TEXTS), *given, rows=3, **how))
    assert repr(many) == repr(alone)


def test_holes_are_filled_for_each_context(model: sg.Model):
    template = "Number {{n:[0-9]}}."
    assert list(model.fill_many(template, TEXTS)) == [model.fill(template, text) for text in TEXTS]


def test_unordered_values_have_their_numbers(model: sg.Model):
    found = dict(model.extract_many(TEXTS, bool, ordered=False, rows=2))
    assert found == dict(enumerate(model.extract_many(TEXTS, bool)))


def test_texts_are_taken_when_there_is_room(model: sg.Model):
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for text in TEXTS * 5:
            taken += 1
            yield text

    values = model.extract_many(texts(), bool, rows=2)
    for number, _ in enumerate(values, 1):
        assert taken <= number + 4
        if number == 5:
            values.close()  # type: ignore[attr-defined]
    assert taken < 20


def test_an_error_ends_the_iteration_or_is_kept(model: sg.Model):
    texts = [TEXTS[0], " ", TEXTS[1]]
    kept = list(model.extract_many(texts, bool, errors="keep"))
    assert [type(one) for one in kept] == [bool, sg.InvalidDocument, bool]
    with pytest.raises(sg.InvalidDocument):
        list(model.extract_many(texts, bool))
    with pytest.raises(sg.InvalidOption, match="errors must be"):
        list(model.extract_many(texts, bool, errors="ignore"))  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="takes no argument 'sead'"):
        model.extract_many(texts, bool, sead=1)  # type: ignore[call-overload]


def test_the_asynchronous_twin(model: sg.Model):
    async def texts() -> AsyncIterator[str]:
        for text in TEXTS:
            yield text

    async def main() -> tuple[list[Any], list[Any]]:
        ordered = [one async for one in model.aextract_many(TEXTS, bool, rows=2)]
        pairs = [one async for one in model.aextract_many(texts(), bool, ordered=False)]
        return ordered, pairs

    ordered, pairs = asyncio.run(main())
    assert ordered == [model.extract(text, bool) for text in TEXTS]
    assert sorted(pairs) == list(enumerate(ordered))


def test_warnings_are_told_for_each_text(model: sg.Model):
    with pytest.warns(sg.AnswerWarning):
        list(model.extract_many(TEXTS[1:2], int))
