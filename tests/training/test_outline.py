"""An outline names every field and its type in one line; a scaffold follows the same shape."""

from __future__ import annotations

import datetime
from typing import Literal

import pytest
from pydantic import BaseModel

from structgen_mini.outline import outline, shape_of
from structgen_mini.scaffold import OPEN, compact, fill, scaffold

NULL = 0


class Address(BaseModel):
    street: str
    city: str


class Line(BaseModel):
    description: str
    quantity: int


class Invoice(BaseModel):
    vendor: str
    total: float
    paid: bool
    status: Literal["open", "closed"]
    notes: str | None
    date: datetime.date
    lines: list[Line]
    address: Address


def encode(text: str) -> list[int]:
    """One token a character, none of them NULL."""
    return [ord(character) for character in text]


def written(ids: tuple[int, ...]) -> str:
    return "".join(chr(token) for token in ids if token != NULL)


def test_a_pydantic_model_is_one_line() -> None:
    assert outline(Invoice.model_json_schema()) == (
        "vendor:string; total:number; paid:boolean; status:open|closed; notes:string?; date:date; "
        "lines:[description:string; quantity:integer]; address:{street:string; city:string}"
    )


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        ({"type": "array", "items": {"type": "string"}}, "[string]"),
        ({"properties": {"a": {"type": "integer"}}}, "a:integer?"),
        ({"properties": {"a": {"type": ["number", "null"]}}, "required": ["a"]}, "a:number?"),
        ({"properties": {"a": {"enum": ["x", None]}}, "required": ["a"]}, "a:x?"),
        ({"properties": {"a": {"const": 3}}, "required": ["a"]}, "a:3"),
        ({"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, "required": ["a"]},
         "a:string|integer"),
        ({"properties": {"a": {"type": "string", "format": "email"}}, "required": ["a"]}, "a:email"),
        ({"properties": {"a": True}, "required": ["a"]}, "a:any"),
    ],
)  # fmt: skip
def test_each_kind_has_a_word(schema: dict, line: str) -> None:
    assert outline(schema) == line


def test_a_recursive_reference_becomes_any() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}}, "required": ["left"]}
    assert outline(tree) == "left:{left:any}"


def test_an_optional_member_takes_its_comma_and_key_with_it() -> None:
    schema = {"properties": {"a": {"type": "boolean"}, "b": {"type": "integer"}}, "required": ["a"]}
    slots = {"/a": 5}
    assert written(fill(schema, {"a": True, "b": 7}, encode, NULL, sizes=slots)) == '{"a":true,"b":7}'
    assert written(fill(schema, {"a": True}, encode, NULL, sizes=slots)) == '{"a":true}'
    plan = scaffold(schema, encode, NULL, sizes=slots)
    assert [slot.kind for slot in plan.slots] == ["boolean", "member"]


def test_items_follow_each_other_at_a_fixed_stride() -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]},
    }
    gold = fill(schema, [{"n": "one"}, {"n": "three"}], encode, NULL)
    starts = [index for index, token in enumerate(gold) if token == ord("{")]
    closing = [index for index, token in enumerate(gold) if token == ord("}")]
    assert starts[1] - starts[0] == closing[1] - closing[0]
    assert written(gold) == '[{"n":"one"},{"n":"three"}]'


def test_an_array_gives_up_items_until_the_block_is_long_enough() -> None:
    schema = {"properties": {"a": {"type": "array", "items": {"type": "string"}}}, "required": ["a"]}
    lengths = {block: len(scaffold(schema, encode, NULL, block=block).ids) for block in (256, 60, 40)}
    assert lengths[256] > lengths[60] > lengths[40]
    assert all(length < block for block, length in lengths.items())
    assert scaffold(schema, encode, NULL, block=15) is None


def test_a_value_longer_than_its_slot_is_refused_and_fits_a_larger_one() -> None:
    schema = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    value = {"a": "x" * 20}
    assert fill(schema, value, encode, NULL) is None
    assert written(fill(schema, value, encode, NULL, sizes={"/a": 20})) == compact(value)


def test_constants_are_pinned() -> None:
    plan = scaffold({"properties": {"kind": {"const": "note"}}, "required": ["kind"]}, encode, NULL)
    assert plan.slots == ()
    assert OPEN not in plan.ids
    assert written(plan.ids) == '{"kind":"note"}'


def test_a_reference_keeps_the_shape_of_its_target() -> None:
    shape = shape_of(Invoice.model_json_schema())
    assert [member.name for member in shape.members][-1] == "address"
    assert [member.name for member in shape.members[-1].shape.members] == ["street", "city"]
