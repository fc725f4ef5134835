"""What the slots of a layout may hold of a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from minis import CONSTANTS, SLOTS, canvas_of, filler, outlined, toy
from structgen.model import Model
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_mini.copies import Offer, copying
from structgen_mini.copy_prior import CopyPrior
from structgen_mini.layout import Layout, lay

DOCUMENT = (
    "Invoice 2026-17 from Northwind Paper Ltd.\nTotal: 1.234,50 EUR, due 3 March 2026. Contact: jo@acme.nl"
)


@pytest.fixture(scope="module")
def model() -> Model:
    return toy()


def offered_by(model: Model, document: str, layout: Layout) -> CopyPrior | None:
    """The copies of a document in the slots of a layout."""
    canvas = canvas_of(model)
    return copying(canvas, Offer(canvas, document, layout.outline), layout)


UNSTATED = CONSTANTS.copies.unstated


def offered(
    model: Model, properties: dict[str, Any], required: list[str], document: str = DOCUMENT
) -> dict[str, list[str]]:
    """What each slot is offered, as text, by JSON pointer."""
    layout = lay(
        canvas_of(model), outlined({"type": "object", "properties": properties, "required": required}), {}, {}
    )
    assert layout is not None
    pointers = {slot.start: slot.pointer for slot in layout.scaffold.slots}
    found = offered_by(model, document, layout)
    return {
        pointers[region.start]: [model.vocabulary.decode(row).decode() for row in region.choices.tolist()]
        for region in (found.regions if isinstance(found, CopyPrior) else ())
    }


def test_text_is_offered_whole_words_of_one_line(model: Model) -> None:
    texts = offered(model, {"vendor": {"type": "string"}}, ["vendor"])["/vendor"]
    assert {"Northwind Paper Ltd", "Northwind", "EUR", "Invoice 2026-17"} <= set(texts)
    assert not {"Northwi", "Northwind Paper Ltd.", "EUR,", "Northwind "} & set(texts)
    assert not any("\n" in text for text in texts)


def test_a_point_inside_a_sentence_belongs_to_the_word(model: Model) -> None:
    asked = ({"vendor": {"type": "string"}}, ["vendor"])
    assert "Acme Corp." in offered(model, *asked, "by Acme Corp. of Delft")["/vendor"]
    assert "Acme Corp." not in offered(model, *asked, "by Acme Corp. It was late")["/vendor"]


def test_quotes_inside_a_text_are_escaped(model: Model) -> None:
    texts = offered(model, {"title": {"type": "string"}}, ["title"], 'the "Blue" one')["/title"]
    assert '\\"Blue\\"' in texts


def test_numbers_dates_and_mail_addresses_are_spelled_as_json(model: Model) -> None:
    properties = {
        "total": {"type": "number"},
        "count": {"type": "integer"},
        "due": {"type": "string", "format": "date"},
        "mail": {"type": "string", "format": "email"},
    }
    found = offered(model, properties, list(properties))
    assert "1234.50" in found["/total"]
    assert "17" in found["/count"]
    assert not any("." in one for one in found["/count"])
    assert found["/due"] == ["2026-03-03"]
    assert "jo@acme.nl" in found["/mail"]


def test_what_may_be_null_or_absent_is_offered_that_too(model: Model) -> None:
    maybe = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    found = offered(
        model,
        {"a": {"type": "string"}, "b": maybe, "c": {"type": "string"}, "d": {"type": "integer"}},
        ["a", "b"],
    )
    assert {"null", '"EUR"'} <= set(found["/b"])
    assert {"", ',"c":"EUR"'} <= set(found["/c"])
    assert {"", ',"d":17'} <= set(found["/d"])
    assert "null" not in found["/a"]


def test_what_is_longer_than_its_slot_fills_it(model: Model) -> None:
    """So that the slot is seen to be too short, and is doubled."""
    street = "Upper Northumberland Terrace Gardens 118 at the back of the old harbour"
    region = offered(model, {"street": {"type": "string"}}, ["street"], street)["/street"]
    assert street not in region
    assert any(len(model.vocabulary.encode(one)) == SLOTS.string and street.startswith(one) for one in region)


def test_an_empty_offer_leaves_the_slot_alone(model: Model) -> None:
    assert offered(model, {"due": {"type": "string", "format": "date"}}, ["due"], "no date") == {}


def test_a_model_without_an_opinion_copies_the_document() -> None:
    constants = replace(CONSTANTS, copies=replace(CONSTANTS.copies, penalty=60.0))
    model = toy(copies=True, constants=constants)
    document = (
        "Booking 4471 for Ms Adaeze Okonkwo-Whitfield\nHotel: Grand Meridian Lisboa\nRate: 189.50 per night"
    )
    properties = {
        "guest": {"type": "string"},
        "hotel": {"type": "string"},
        "rate": {"type": "number"},
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    value = model.extract(document, schema)
    assert value["guest"] in document
    assert value["hotel"] in document
    assert value["rate"] in (4471, 189.5, 189, 50)


def test_no_value_begins_or_ends_with_a_joining_word(model: Model) -> None:
    texts = offered(model, {"to": {"type": "string"}}, ["to"], "sold to The Old Mill of Delft and paid")[
        "/to"
    ]
    assert {"The Old Mill", "The Old Mill of Delft", "sold"} <= set(texts)
    assert not {"sold to", "to The Old Mill", "The Old Mill of"} & set(texts)


def test_the_items_of_a_list_are_records_of_the_document(model: Model) -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": "number"}}}
    item["required"] = ["name", "price"]
    schema = {
        "type": "object",
        "properties": {"lines": {"type": "array", "items": item}},
        "required": ["lines"],
    }
    layout = lay(canvas_of(model), outlined(schema), {}, {"/lines": 2})
    assert layout is not None
    found = offered_by(model, "Tea 3.10\n\nCake 4.50", layout)
    assert isinstance(found, CopyPrior)
    assert found.source.records == [[[0, 1], [2, 3]]]
    words = ["Tea", "3", ".", "10", "Cake", "4", ".", "50"]
    assert found.source.breaks[4] > found.source.breaks[1]
    region = found.regions[3]
    assert region.pieces is not None
    numbers = [
        pair for pair in zip(region.choices.tolist(), region.pieces.tolist(), strict=True) if pair[1] >= 0
    ]
    assert numbers
    for ids, piece in numbers:
        value = float(model.vocabulary.decode(ids).decode())
        begins = "3" if value in (3, 10, 3.1) else "4"
        assert [words[at] for at in found.source.places[piece]] == [begins]


class Reading(RandomDenoiser):
    """A denoiser that expects the ids of a text from a position on, as it has read them, and null behind it."""

    def expect(self, ids: Sequence[int], start: int, null: int) -> None:
        self.wanted = [*ids, *[null] * 4], start

    def __call__(self, context: object, canvas: Tensor) -> Tensor:
        ids, start = self.wanted
        logits = torch.zeros(*canvas.shape, self.vocabulary_size)
        for at, token in enumerate(ids[: canvas.shape[1] - start], start):
            logits[:, at, token] = 9.0
        return logits


SPELLED = st.sampled_from(['"big"', '5"', r"D:\new", r"\\host\share", "x\tz", "k\x0cb", "house", "№7"])


@settings(max_examples=25, deadline=None)
@given(st.lists(SPELLED, min_size=1, max_size=4).map(" ".join))
def test_quotes_backslashes_and_control_characters_come_back_as_they_were(value: str) -> None:
    plain = toy()
    denoiser = Reading(Uniform(2, plain.vocabulary.size), 256, plain.vocabulary.size)
    model = filler(denoiser, plain.vocabulary, copies=True)
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    layout = lay(canvas_of(model), outlined(schema), {}, {})
    assert layout is not None
    start = layout.scaffold.slots[0].start
    denoiser.expect(model.vocabulary.encode(value), start, canvas_of(model).spelling.null_id)
    assert model.extract(f"path: {value}\nend", schema) == {"path": value}


@pytest.mark.parametrize(
    ("document", "plain"),
    [
        ("Total 1,234.50", {"1234.50": "1,234.50"}),
        ("fee (12.50)", {"-12.50": "12.50"}),
        ("at -3 °C", {"-3": None}),
    ],
)
def test_a_number_is_weighed_as_the_document_spells_it(
    model: Model, document: str, plain: dict[str, str | None]
) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
    layout = lay(canvas_of(model), outlined(schema), {}, {})
    assert layout is not None
    found = offered_by(model, document, layout)
    assert found is not None
    (region,) = found.regions
    decode = model.vocabulary.decode
    spelled = region.choices if region.plain is None else region.plain
    pairs = {
        decode(one).decode(): decode(other).decode()
        for one, other in zip(region.choices.tolist(), spelled.tolist(), strict=True)
    }
    assert {one: pairs[one] for one in plain} == {one: other or one for one, other in plain.items()}


def test_brackets_and_quotes_are_whole(model: Model) -> None:
    document = "Doreen Platt (chair) of the company 'Tech Inc' met O'Brien"
    texts = offered(model, {"name": {"type": "string"}}, ["name"], document)["/name"]
    assert {
        "Doreen Platt",
        "Doreen Platt (chair)",
        "chair",
        "Tech Inc",
        "company 'Tech Inc'",
        "O'Brien",
    } <= set(texts)
    assert not {"Doreen Platt (", "(chair", "company 'Tech Inc", "Tech Inc'"} & set(texts)


def test_an_option_that_the_document_names_is_preferred(model: Model) -> None:
    options = {"enum": ["in_progress", "open", "XL", "M"]}
    schema = {"type": "object", "properties": {"a": options}, "required": ["a"]}
    layout = lay(canvas_of(model), outlined(schema), {}, {})
    assert layout is not None

    def costs(document: str) -> dict[str, float] | None:
        found = offered_by(model, document, layout)
        if not isinstance(found, CopyPrior):
            return None
        (region,) = found.regions
        assert region.costs is not None
        texts = [model.vocabulary.decode(row).decode() for row in region.choices.tolist()]
        return dict(zip(texts, region.costs.tolist(), strict=True))

    assert costs("It is In Progress, size m") == {
        "in_progress": 0.0,
        "open": UNSTATED,
        "XL": UNSTATED,
        "M": UNSTATED,
    }
    assert costs("size M, opened") == {"in_progress": UNSTATED, "open": UNSTATED, "XL": UNSTATED, "M": 0.0}
    assert costs("no word of them") is None
