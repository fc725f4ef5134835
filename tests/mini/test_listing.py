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


class Guest(BaseModel):
    name: str
    paid: bool
    seat: int


@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("ja", "nein"), ("✓", "✗")])
def test_a_cell_that_says_yes_or_no_is_true_or_false(model: sg.Model, yes: str, no: str):
    paid = [bool(at % 3) for at in range(len(NAMES))]
    lines = [
        f"{name};{yes if one else no};{at + 20}"
        for at, (name, one) in enumerate(zip(NAMES, paid, strict=True))
    ]
    done = model.extract("\n".join(["name;paid;seat", *lines]), list[Guest])
    assert [(one.name, one.paid) for one in done] == list(zip(NAMES, paid, strict=True))


class Load(BaseModel):
    trailer: str
    customs_code: str | None
    max_payload_kg: int
    positions: list[Position]
    free_rows: list[int]


class Position(BaseModel):
    row: int
    consignment: str
    weight: int
    stackable: bool


def test_no_number_is_cut_where_the_slots_are_snug(model: sg.Model):
    weights = [3215, 2761, 4108, 1985, 5046, 2219, 6073]
    lines = [f"Row {at}: MUC/{at}4{at}, {one} kg, keep dry" for at, one in enumerate(weights, 1)]
    document = "\n".join(
        ["Load plan trailer TR-88, payload limit 24500 kg", *lines, "Row 8: empty", "Row 9: empty"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = model.extract(document, Load)
    stated = {*weights, 24500, 88, *range(1, 10), *(int(f"{at}4{at}") for at in range(1, 8))}
    numbers = [done.max_payload_kg, *done.free_rows, *(one.weight for one in done.positions)]
    assert {*numbers, *(one.row for one in done.positions)} <= stated
