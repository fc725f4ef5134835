"""Lessons of the reader: targets stand at the pieces that spell the value, or say that it is not stated."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from readers import pieces_of
from training.documents import make_sample
from training.pools import make_pools
from training.reader.lessons import NULL, Lesson, Teacher, without_a_line
from training.samples import Sample
from training.written import unmarked

PIECES = pieces_of()


def teacher(seed: int = 1, **shares: float) -> Teacher:
    usual = {"absent": 0.0, "foreign": 0.0, "said": 0.0, "opaque": 0.0}
    return Teacher(PIECES.split, random.Random(seed), **{**usual, **shares})  # pyright: ignore[reportArgumentType]


def sample(text: str, properties: dict[str, Any], value: dict[str, Any]) -> Sample:
    document, spans = unmarked(text)
    return Sample({"type": "object", "properties": properties}, document, value, spans)


def spelled(lesson: Lesson, document: str, at: int) -> list[str]:
    """What the document has at each span of a target."""
    page, target = lesson.page, lesson.targets[at]
    assert target is not None
    offsets = [
        (page.offsets[first - page.base][0], page.offsets[last - page.base][1])
        for first, last in target.spans
    ]
    return [document[start:end] for start, end in offsets]


def test_targets_of_generated_samples_spell_their_values():
    rng, pools, found = random.Random(5), make_pools(size=200), 0
    for _ in range(30):
        one = make_sample(rng, pools)
        lesson = teacher(limit=4000).lesson(one)
        if lesson is None:
            continue
        surfaces = {span.surface for span in one.spans}
        for at, target in enumerate(lesson.targets):
            if target is not None and target.spans and target.spans[0] != NULL:
                found += 1
                assert all(
                    any(surface in text for surface in surfaces) for text in spelled(lesson, one.document, at)
                )
    assert found > 50


def test_a_list_has_a_target_at_each_of_its_values():
    schema = {"names": {"type": "array", "items": {"type": "string"}}}
    one = sample("Ann: ⟦/names/0|Ann⟧, ⟦/names/1|Bob⟧", schema, {"names": ["Ann", "Bob"]})
    lesson = teacher().lesson(one)
    assert lesson is not None
    assert lesson.targets[0] is not None
    assert lesson.targets[0].every
    assert spelled(lesson, one.document, 0) == ["Ann", "Bob"]


def test_what_the_value_lacks_is_not_stated():
    schema = {
        "name": {"type": "string"},
        "paid": {"type": ["boolean", "null"]},
        "age": {"type": ["integer", "null"]},
    }
    lesson = teacher().lesson(sample("I am ⟦/name|Ann⟧", schema, {"name": "Ann", "paid": None, "age": None}))
    assert lesson is not None
    _, paid, age = lesson.targets
    assert paid is not None
    assert paid.option == 2
    assert age is not None
    assert list(age.spans) == [NULL]


def test_a_field_of_another_sample_is_not_stated():
    other = sample("I am ⟦/name|Ann⟧", {"name": {"type": "string"}}, {"name": "Ann"})
    one = sample("Total ⟦/total|12⟧", {"total": {"type": "integer"}}, {"total": 12})
    made = teacher(foreign=1.0)
    made.lesson(other)
    lesson = made.lesson(one)
    assert lesson is not None
    assert sorted(list(one.spans) == [NULL] for one in lesson.targets if one is not None) == [False, True]


def test_a_line_that_goes_takes_its_value_with_it():
    schema = {"name": {"type": "string"}, "age": {"type": "integer"}}
    one = sample("Name: ⟦/name|Ann⟧\nAge: ⟦/age|41⟧\nBye", schema, {"name": "Ann", "age": 41})
    for seed in range(9):
        new = without_a_line(one, random.Random(seed))
        assert new.document in ("Age: 41\nBye", "Name: Ann\nBye")
        assert all(new.document[span.start : span.end] == span.surface for span in new.spans)
        assert (new.value["name"], new.value["age"]) in ((None, 41), ("Ann", None))


def test_a_description_alone_says_what_a_hidden_name_means():
    one = sample("Total ⟦/total|12⟧", {"total": {"type": "integer"}}, {"total": 12})
    lesson = teacher(opaque=1.0).lesson(one)
    assert lesson is not None
    first, last = lesson.page.fields[0]
    text = "".join(PIECES.tokenizer.id_to_token(piece) for piece in lesson.page.ids[first:last])
    assert text.count("total") == 1
    assert not text.startswith("▁total")
