"""An outline names every field and its type in one line; a scaffold follows the same shape."""

from __future__ import annotations

import datetime
import json
from typing import Literal

import pytest
from pydantic import BaseModel

from minis import SLOTS, outlined
from structgen import JsonSchema
from structgen_mini.outline import Outline, outline_text
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
    assert outline_text(outlined(Invoice)) == (
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
    assert outline_text(outlined(schema)) == line


def test_a_recursive_reference_becomes_any() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#"}}, "required": ["left"]}
    assert outline_text(outlined(tree)) == "left:{left:any}"


def test_an_optional_member_takes_its_comma_and_key_with_it() -> None:
    schema = {"properties": {"a": {"type": "boolean"}, "b": {"type": "integer"}}, "required": ["a"]}
    slots = {"/a": 5}
    assert (
        written(fill(outlined(schema), {"a": True, "b": 7}, encode, NULL, slots=SLOTS, sizes=slots))
        == '{"a":true,"b":7}'
    )
    assert (
        written(fill(outlined(schema), {"a": True}, encode, NULL, slots=SLOTS, sizes=slots)) == '{"a":true}'
    )
    plan = scaffold(outlined(schema), encode, NULL, slots=SLOTS, sizes=slots)
    assert [slot.kind for slot in plan.slots] == ["boolean", "member"]


def test_items_follow_each_other_at_a_fixed_stride() -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]},
    }
    gold = fill(outlined(schema), [{"n": "one"}, {"n": "three"}], encode, NULL, slots=SLOTS)
    starts = [index for index, token in enumerate(gold) if token == ord("{")]
    closing = [index for index, token in enumerate(gold) if token == ord("}")]
    assert starts[1] - starts[0] == closing[1] - closing[0]
    assert written(gold) == '[{"n":"one"},{"n":"three"}]'


def test_an_array_gives_up_items_until_the_block_is_long_enough() -> None:
    schema = {"properties": {"a": {"type": "array", "items": {"type": "string"}}}, "required": ["a"]}
    lengths = {
        block: len(scaffold(outlined(schema), encode, NULL, slots=SLOTS, block=block).ids)
        for block in (256, 60, 40)
    }
    assert lengths[256] > lengths[60] > lengths[40]
    assert all(length < block for block, length in lengths.items())
    assert scaffold(outlined(schema), encode, NULL, slots=SLOTS, block=15) is None


def test_a_value_longer_than_its_slot_is_refused_and_fits_a_larger_one() -> None:
    schema = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
    value = {"a": "x" * 20}
    assert fill(outlined(schema), value, encode, NULL, slots=SLOTS) is None
    assert written(fill(outlined(schema), value, encode, NULL, slots=SLOTS, sizes={"/a": 20})) == compact(
        value
    )


def test_constants_are_pinned() -> None:
    plan = scaffold(
        outlined({"properties": {"kind": {"const": "note"}}, "required": ["kind"]}),
        encode,
        NULL,
        slots=SLOTS,
    )
    assert plan.slots == ()
    assert OPEN not in plan.ids
    assert written(plan.ids) == '{"kind":"note"}'


def test_a_reference_keeps_the_outline_of_its_target() -> None:
    address = outlined(Invoice).fields[-1]
    assert address.name == "address"
    assert [field.name for field in address.value.fields] == ["street", "city"]


def test_plain_values_stand_for_an_outline() -> None:
    outline = JsonSchema(Invoice.model_json_schema()).outline()
    rebuilt = Outline.of(json.loads(json.dumps(outline.plain())))
    assert rebuilt == Outline.of(outline.plain())
    assert rebuilt.at("/address/city") == Outline("string", said=rebuilt.at("/address/city").said)
    assert rebuilt.at("/address/county") is None
