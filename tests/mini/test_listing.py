"""Lists of a document: as many items as it has, over as many blocks as they take, or an error or a warning."""

from __future__ import annotations

import random
import warnings

import pytest
from pydantic import BaseModel, Field

import structgen as sg

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jo", "Kim", "Lea"]
GUESTS = "Guests:\n" + "\n".join(f"- {name}" for name in NAMES)


class Party(BaseModel):
    names: list[str]


class Few(BaseModel):
    names: list[str] = Field(max_length=7)


class Row(BaseModel):
    product: str
    quantity: int
    price: float


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def rows(count: int) -> list[tuple[str, int, float]]:
    draw, words = (
        random.Random(count),
        ["bolt", "nut", "washer", "glue", "hammer", "saw", "drill", "tape", "nail", "screw"],
    )
    return [
        (f"{draw.choice(words)} {draw.choice(words)}", draw.randint(1, 99), draw.randint(100, 9999) / 100)
        for _ in range(count)
    ]


def test_all_names_of_a_list(model: sg.Model):
    assert model.extract(GUESTS, Party).names == NAMES


def test_forty_rows_take_as_many_blocks_as_they_need(model: sg.Model):
    wanted = rows(40)
    text = "item,qty,unit price\n" + "\n".join(f"{name},{count},{price}" for name, count, price in wanted)
    done = model.extract(text, list[Row])
    assert [(row.product, row.quantity, row.price) for row in done] == wanted


def test_a_map_has_the_pairs_of_the_document(model: sg.Model):
    assert model.extract("pen: 1.50\nruler: 2.20", dict[str, float]) == {"pen": 1.5, "ruler": 2.2}


def test_a_list_that_exceeds_the_budget_is_refused_with_what_it_takes(model: sg.Model):
    with pytest.raises(
        sg.Unsatisfiable, match=r"lists 12 items for /names.*or a part of them with partial=True"
    ) as caught:
        model.extract(GUESTS, Party, max_tokens=32)
    assert model.extract(GUESTS, Party, max_tokens=caught.value.min_tokens).names == NAMES


def test_a_part_of_a_list_comes_with_a_warning(model: sg.Model):
    with pytest.warns(
        sg.AnswerWarning, match="/names: shortened: the list in the document has 12 items"
    ) as caught:
        done = model.extract(GUESTS, Party, max_tokens=48, partial=True)
    assert 0 < len(done.names) < len(NAMES)
    assert caught[0].message.kind == "shortened"  # type: ignore[union-attr]


def test_a_list_that_the_schema_bounds_comes_with_a_warning(model: sg.Model):
    with pytest.warns(sg.AnswerWarning, match="has 12 items, the answer has 7"):
        assert model.extract(GUESTS, Few).names == NAMES[:7]


def test_a_whole_list_is_no_reason_to_warn(model: sg.Model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.extract(GUESTS, Party)
