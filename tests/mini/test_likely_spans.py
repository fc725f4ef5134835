"""What a reader finds likeliest is offered to a text, whatever its words, and any other text costs what is left."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minis import CONSTANTS, canvas_of, outlined, toy
from structgen_mini.canvas import Canvas
from structgen_mini.choices import ChoiceTable, joined
from structgen_mini.copies import Offer, copying
from structgen_mini.layout import Layout, Listing, lay
from structgen_mini.reader.reading import DocumentReading, FieldReading, PageView
from structgen_mini.regions import Region
from structgen_mini.words import run_of

DOCUMENT = "It meets at\nthe Old Mill, and\n  nowhere else."


def read_as(document: str, start: int, end: int, nats: float) -> FieldReading:
    """A reading that gives these characters so many nats against "not stated", and hardly anything to others."""
    starts, ends = torch.full((len(document),), -20.0), torch.full((len(document), len(document)), -20.0)
    starts[start], ends[start, end - 1] = nats, 0.0
    size = len(document)
    return FieldReading([PageView(tuple(range(size)), tuple(range(1, size + 1)), starts, ends)])


def region_of(reading: FieldReading | None, *, required: bool = True) -> tuple[Region, list[str]]:
    """The region of the text that is asked for beside a number, and what its choices spell."""
    model = toy()
    fields = {"on": {"type": "boolean"}, "it": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "required": [*fields] if required else ["on"]}
    outline, canvas = outlined(schema), canvas_of(model)
    layout = lay(canvas, outline, {}, {})
    assert layout is not None
    found = None if reading is None else DocumentReading({"/it": reading})
    copier = copying(canvas, Offer(canvas, DOCUMENT, outline, found), layout)
    assert copier is not None
    region = copier.regions[-1]
    return region, [model.vocabulary.decode(row).decode() for row in region.choices.tolist()]


@pytest.mark.parametrize("required", [True, False])
def test_a_value_that_begins_with_an_article_is_offered_if_the_reader_finds_it(required: bool):
    start = DOCUMENT.index("the Old")
    _, before = region_of(None, required=required)
    region, texts = region_of(read_as(DOCUMENT, start, start + len("the Old Mill"), 20.0), required=required)
    wanted = "the Old Mill" if required else ',"it":"the Old Mill"'
    assert wanted not in before
    assert {text for text, cost in zip(texts, region.own_costs.tolist(), strict=True) if cost == 0} == {
        wanted
    }


def test_any_other_text_costs_more_where_the_reader_is_sure_of_a_span():
    start = DOCUMENT.index("the Old")
    penalties = [
        region_of(read_as(DOCUMENT, start, start + len("the Old Mill"), nats))[0].penalty
        for nats in (-20.0, 20.0)
    ]
    usual = CONSTANTS.copies.penalty
    assert penalties == [pytest.approx(usual), pytest.approx(usual + CONSTANTS.reading.most)]


ROWS = "bolt 12 M6\nnut 7 M8\nmore of them later"


def rows_read(values: dict[str, float]) -> tuple[Offer, Layout, Canvas]:
    """An offer for two items of one text each, with these texts' nats against "not stated"."""
    size = len(ROWS)
    starts, ends = torch.full((size,), -20.0), torch.full((size, size), -20.0)
    for text, nats in values.items():
        start = ROWS.index(text)
        starts[start], ends[start, start + len(text) - 1] = nats, 0.0
    field = FieldReading([PageView(tuple(range(size)), tuple(range(1, size + 1)), starts, ends)])
    what = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": what}},
        "required": ["rows"],
    }
    outline, canvas = outlined(schema), canvas_of(toy())
    layout = lay(canvas, outline, {}, {"/rows": 2})
    assert layout is not None
    return Offer(canvas, ROWS, outline, DocumentReading({"/rows/*/what": field})), layout, canvas


def test_items_keep_their_costs_among_the_choices_of_all_items():
    offer, layout, canvas = rows_read({"bolt": 5.0, "nut": 3.5, "M6": -4.0})
    copier = copying(canvas, offer, layout)
    assert copier is not None
    plain = copying(canvas, Offer(canvas, ROWS, offer.outline), layout)
    assert plain is not None
    for region, other in zip(copier.regions, plain.regions, strict=True):
        assert region.own_costs.tolist() == other.own_costs.tolist()


def test_an_item_that_has_a_part_of_the_document_takes_what_the_reader_finds_there():
    offer, layout, canvas = rows_read({"bolt": 5.0, "nut": 3.5, "M6": 1.0})
    lines = [
        offer.words_of(start, start + len(line))
        for line in ROWS.splitlines()[:2]
        for start in [ROWS.index(line)]
    ]
    copier = copying(canvas, offer, replace(layout, listings={"/rows": Listing(lines)}))
    assert copier is not None
    free = []
    for region in copier.regions:
        texts = [canvas.spelling.decode(row).decode() for row in region.choices.tolist()]
        free.append([text for text, cost in zip(texts, region.own_costs.tolist(), strict=True) if cost == 0])
    assert free == [["bolt"], ["nut"]]


def test_columns_are_compared_by_what_the_reader_finds_in_them():
    offer, _, _ = rows_read({"bolt": 5.0, "nut": 5.0, "M6": 1.0})
    columns = [
        [offer.words_of(ROWS.index(text), ROWS.index(text) + len(text)) for text in column]
        for column in (("bolt", "nut"), ("12", "7"), ("M6", "M8"), ())
    ]
    nats = offer.read_columns("/rows/0/what", columns).tolist()
    assert nats[0] == 0.0
    assert nats[2] == pytest.approx(-4.0 - math.log(2), abs=1e-3)
    assert nats[1] < nats[2]
    assert nats[3] < nats[2]


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_the_best_spans_are_those_of_all_spans(size: int, count: int, seed: int):
    draw = torch.Generator().manual_seed(seed)
    starts, ends = torch.randn(size, generator=draw), torch.randn(size, size, generator=draw)
    ends = ends.masked_fill(torch.ones(size, size).tril(-1).bool(), -1e4)
    field = FieldReading([PageView(tuple(range(size)), tuple(range(1, size + 1)), starts, ends)])
    spans = [(first, last + 1) for first in range(size) for last in range(first, size)]
    wanted = sorted(spans, key=lambda one: float(starts[one[0]] + ends[one[0], one[1] - 1]), reverse=True)
    assert field.best(count) == wanted[:count]


def test_what_is_left_is_the_rest_of_one_distribution():
    starts, ends = torch.tensor([1.0, 0.5]), torch.tensor([[0.3, 0.7], [0.0, 1.0]]).log()
    field = FieldReading([PageView((0, 1), (1, 2), starts, ends)])
    total = 1 + math.e + math.exp(0.5)
    assert math.exp(field.left(((0, 1),))) == pytest.approx(1 - (1 + 0.3 * math.e) / total, abs=1e-5)
    assert math.exp(field.left(())) == pytest.approx(1 - 1 / total, abs=1e-5)
    assert math.exp(field.left(((0, 1), (0, 2), (1, 2)))) == pytest.approx(0.0, abs=1e-5)


def test_a_run_has_no_white_space_around_it_and_joins_lines():
    start, end = DOCUMENT.index("\nthe Old"), DOCUMENT.index("else")
    run = run_of(DOCUMENT, start, end, lambda text: list(text.encode()))
    assert run is not None
    assert run.text == "the Old Mill, and nowhere"
    assert run.lines == 1
    assert [DOCUMENT[slice(*span)] for span in run.spans] == ["the Old Mill, and\n  nowhere"]
    assert (
        run_of(DOCUMENT, DOCUMENT.index("\n"), DOCUMENT.index("the"), lambda text: list(text.encode()))
        is None
    )


def test_joined_tables_have_each_choice_once():
    plain = torch.tensor([[7, 8]])
    one = ChoiceTable(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, 1]), torch.tensor([0.0, 1.0]))
    two = ChoiceTable(torch.tensor([[3, 4], [5, 6]]), torch.tensor([2, 3]), torch.tensor([2.0, 3.0]))
    both = joined(one, two)
    assert both.choices.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert both.pieces.tolist() == [0, 1, 3]
    assert both.costs.tolist() == [0.0, 1.0, 3.0]
    assert both.plain is None
    spelled = joined(one, two._replace(plain=torch.cat([plain, plain]))).plain
    assert spelled is not None
    assert spelled.tolist() == [[1, 2], [3, 4], [7, 8]]
