"""What a reading settles before slots are laid out: optional members that are stated, and the options of a list."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minis import canvas_of, outlined, toy
from structgen_mini.copies import Offer, copying
from structgen_mini.layout import lay
from structgen_mini.outline import Outline
from structgen_mini.reader.reading import DocumentReading, FieldReading
from structgen_mini.selecting import chosen_options, with_stated

UNITS = {"enum": ["celsius", "fahrenheit"]}
PARTS = {"type": "array", "items": {"enum": ["tea", "milk", "rye bread"]}}


def sure(*shares: float) -> FieldReading:
    """A reading of options with these probabilities, the last one that of none of them."""
    return FieldReading(options=torch.tensor(shares).log())


def names(outline: Outline) -> dict[str, bool]:
    """Which members are required."""
    return {field.name: field.required for field in outline.fields}


@pytest.mark.parametrize("absent", [0.2, 0.8])
def test_an_optional_member_that_the_document_states_is_laid_out_as_a_required_one(absent: float) -> None:
    inside = {"type": "object", "properties": {"unit": UNITS, "parts": PARTS}}
    outline = outlined({"type": "object", "properties": {"id": {"type": "string"}, "more": inside}})
    reading = DocumentReading(
        {"/more/unit": sure(1 - absent, 0.0, absent), "/more/parts/*": sure(0, 0, 0, 1)}
    )
    found = with_stated(outline, reading, 0.5)
    assert names(found) == {"id": False, "more": absent < 0.5}
    assert names(found.fields[1].value) == {"unit": absent < 0.5, "parts": False}


def test_members_of_the_items_of_a_list_stay_optional() -> None:
    items = {"type": "array", "items": {"type": "object", "properties": {"unit": UNITS}}}
    found = with_stated(
        outlined({"type": "object", "properties": {"items": items}}),
        DocumentReading({"/items/*/unit": sure(1, 0, 0)}),
        0.5,
    )
    (array,) = found.fields
    assert array.required
    assert array.value.item is not None
    assert names(array.value.item) == {"unit": False}


@pytest.mark.parametrize(
    ("document", "shares", "more", "chosen"),
    [
        ("Rye bread with milk.", (0.3, 0.3, 0.3, 0.1), {}, ("rye bread", "milk", "tea")),
        ("Rye bread with milk.", (0.1, 0.4, 0.4, 0.1), {}, ("rye bread", "milk")),
        ("Something white to drink.", (0.1, 0.7, 0.0, 0.2), {}, ("milk",)),
        ("Nothing at all.", (0.1, 0.1, 0.1, 0.7), {}, None),
        ("Tea, milk, rye bread.", (0.3, 0.3, 0.3, 0.1), {"maxItems": 2}, None),
        ("Tea.", (0.9, 0.0, 0.0, 0.1), {"minItems": 2}, None),
    ],
)
def test_the_items_of_a_list_of_options_are_those_that_are_named_or_read(
    document: str, shares: tuple[float, ...], more: dict[str, Any], chosen: tuple[str, ...] | None
) -> None:
    outline = outlined({"type": "object", "properties": {"parts": PARTS | more}, "required": ["parts"]})
    found = chosen_options(
        outline, document, DocumentReading({"/parts/*": sure(*shares)}), share=0.3, short=2
    )
    assert found.get("/parts") == chosen


def test_each_slot_of_a_list_of_options_holds_one_that_is_chosen() -> None:
    model = toy()
    outline, canvas = (
        outlined({"type": "object", "properties": {"parts": PARTS}, "required": ["parts"]}),
        canvas_of(model),
    )
    offer = Offer(
        canvas, "Rye bread with milk.", outline, DocumentReading({"/parts/*": sure(0.1, 0.4, 0.4, 0.1)})
    )
    layout = lay(canvas, outline, {}, {"/parts": 2})
    assert layout is not None
    copier = copying(canvas, offer, layout)
    assert copier is not None
    spelled = [model.vocabulary.decode(region.choices[0].tolist()).decode() for region in copier.regions]
    assert spelled == ["rye bread", "milk"]
