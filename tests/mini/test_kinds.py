"""Which alternative of a union a text asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from minis import outlined, toy
from structgen.model import Model
from structgen_mini.alternatives import description


class Refund(BaseModel):
    """Money back for something that was bought."""

    kind: Literal["refund"]
    orderNumber: str


class Booking(BaseModel):
    """A table in a restaurant."""

    kind: Literal["booking"]
    guest: str


def shared_words(text: str, options: Sequence[str]) -> list[float]:
    """The share of each option's words that the text has."""
    known = set(re.findall(r"\w+", text.lower()))
    words = [re.findall(r"\w+", option.lower()) for option in options]
    return [sum(word in known for word in one) / max(1, len(one)) for one in words]


@pytest.fixture(scope="module")
def model() -> Model:
    return toy(shared_words)


def test_the_alternatives_of_a_union_say_what_they_are() -> None:
    first, second = outlined(Refund | Booking).alternatives
    assert [field.name for field in first.fields] == ["kind", "orderNumber"]
    assert [field.name for field in second.fields] == ["kind", "guest"]
    assert {"refund", "Refund", "order", "Number", "Money"} <= set(description(first).split())
    assert "restaurant." in description(second).split()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"anyOf": [{"type": "object"}, {"type": "string"}]},
        {"anyOf": [{"type": "object"}]},
        {"anyOf": [True, {"type": "object"}]},
    ],
)
def test_anything_else_has_none(schema: dict) -> None:
    assert outlined(schema).alternatives == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I bought a lamp, order number A-17, and want my money back.", Refund),
        ("A table for tonight in your restaurant for Ida Solberg, please.", Booking),
    ],
)
def test_the_nearest_alternative_of_a_union_is_extracted(model: Model, text: str, kind: type) -> None:
    assert isinstance(model.extract(text, Refund | Booking), kind)


def test_a_discriminated_union_too(model: Model) -> None:
    class Message(BaseModel):
        body: Refund | Booking = Field(discriminator="kind")

    done = model.extract("A table in the restaurant for Ida Solberg", Message)
    assert isinstance(done.body, Refund | Booking)


def object_with(**properties: dict) -> dict:
    return {"type": "object", "properties": properties, "required": list(properties)[:1]}


@pytest.mark.parametrize(
    "options",
    [
        [object_with(a={"type": "string"}, next={"$ref": "#/anyOf/0"}), object_with(a={"type": "integer"})],
        [object_with(a={"type": "string"}, next={"$ref": "#"}), object_with(a={"type": "integer"})],
        [{"$ref": "#/anyOf/1", "anyOf": [{"type": "object"}]}, object_with(a={"type": "integer"})],
        [object_with(a={"$ref": "#/$defs/odd%20name"}), object_with(a={"type": "integer"})],
        [{**object_with(a={"$ref": "#/$defs/own"}), "$id": "urn:own", "$defs": {"own": {}}}, object_with()],
    ],
)  # fmt: skip
def test_references_of_alternatives_lead_where_they_led(model: Model, options: list) -> None:
    schema = {"anyOf": options, "$defs": {"odd name": {"type": "string"}}}
    assert "a" in model.extract("a is 12", schema)
