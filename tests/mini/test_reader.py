"""The reader: its pages cover the document, its readings are distributions, and its opinion moves a slot's choices."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from minis import CONSTANTS, canvas_of, outlined, toy
from readers import pieces_of, reader_of, states_of
from structgen_mini import mini_folder
from structgen_mini.copies import Offer, copying
from structgen_mini.layout import lay
from structgen_mini.outline import Field, Outline
from structgen_mini.reader.pages import COLUMN, INSIDE, LINE, PARAGRAPH, asked_of, line_kinds, pages, spoken
from structgen_mini.reader.pieces import unpacked
from structgen_mini.reader.reading import DocumentReading, FieldReading, PageView, read
from structgen_mini.reader.stored import READER, StoredReader, load_reader, save_reader, stored_reader

PIECES = pieces_of()
TEXT = Outline("string")


def outline_of(**fields: Outline) -> Outline:
    return Outline("object", fields=tuple(Field(name, one, True) for name, one in fields.items()))


def test_packed_numbers_are_a_scale_times_half_bytes():
    scale = torch.tensor([0.5], dtype=torch.float16).view(torch.uint8)
    row = torch.cat([scale, torch.tensor([0x0F + 16 * at for at in range(16)], dtype=torch.uint8)])
    assert unpacked(row).tolist() == [3.5] * 16 + [(at - 8) / 2 for at in range(16)]


def test_padding_changes_no_state():
    reader = reader_of()
    ids, more = [0, 9, 10, 11, 2], [0, 9, 10, 11, 2, 1, 1]
    rows, padding = torch.tensor([more]), torch.tensor([[False] * 5 + [True] * 2])
    padded = reader.states(PIECES.embed(rows), torch.zeros_like(rows), padding)[0, :5]
    assert torch.allclose(padded, states_of(reader, PIECES, ids), atol=1e-5)


@given(st.text("ab ,.\n\t1é", max_size=300), st.integers(60, 140))
def test_pages_cover_the_document(document: str, limit: int):
    asked = asked_of(outline_of(dueDate=Outline("date"), name=TEXT))
    seen = set()
    for page in pages(PIECES.split, asked, document, limit):
        assert len(page.ids) == len(page.lines) <= limit
        assert page.base + len(page.offsets) + 1 == len(page.ids)
        assert page.ids[slice(*page.fields[0])] == [*PIECES.split("due date")[0], *PIECES.split(": date")[0]]
        seen |= {at for start, end in page.offsets for at in range(start, end)}
    assert seen >= {at for at, char in enumerate(document) if not char.isspace()}


def test_a_piece_says_how_it_stands_in_its_line():
    document = "a b\nc   d\n\ne"
    kinds = [
        kind
        for kind, (start, end) in zip(
            line_kinds(document, PIECES.split(document)[1]), PIECES.split(document)[1], strict=False
        )
        if end > start and document[start:end].strip()
    ]
    assert kinds == [PARAGRAPH, INSIDE, LINE, COLUMN, PARAGRAPH]


def test_names_are_asked_for_as_words():
    assert [spoken(name) for name in ("dueDate", "due_date", "DUE-date")] == ["due date"] * 3


def test_fields_of_lists_have_one_pointer_for_all_items():
    lines = Outline("array", item=outline_of(name=TEXT, paid=Outline("boolean")))
    asked = asked_of(outline_of(lines=lines, size=Outline("enum", options=("S", "L"))))
    assert [(one.pointer, one.label, one.options) for one in asked] == [
        ("/lines/*/name", "lines name", ()),
        ("/lines/*/paid", "lines paid", (True, False)),
        ("/size", "size", ("S", "L")),
    ]


def test_a_name_that_all_fields_lie_in_is_left_out_of_their_labels():
    arguments = Outline(
        "object", fields=(Field("from_city", TEXT, True), Field("seats", Outline("integer"), True))
    )
    call = outline_of(name=Outline("const", options=("book",)), arguments=arguments)
    assert [(one.pointer, one.label) for one in asked_of(call)] == [
        ("/arguments/from_city", "from city"),
        ("/arguments/seats", "seats"),
    ]
    beside = asked_of(outline_of(name=TEXT, arguments=arguments))
    assert [one.label for one in beside] == ["name", "arguments from city", "arguments seats"]


def test_spans_and_their_absence_are_one_distribution():
    outline, document = outline_of(name=TEXT, size=Outline("enum", options=("S", "L"))), "Ann Bob"
    found = read(reader_of(), PIECES.embed, PIECES.split, outline, document)
    offsets = PIECES.split(document)[1]
    spans = tuple((start, end) for at, (start, _) in enumerate(offsets) for _, end in offsets[at:])
    total = found.fields["/name"].absent + float(found.fields["/name"].nats(spans).exp().sum())
    assert total == pytest.approx(1.0, abs=1e-4)
    options = found.fields["/size"].options
    assert options is not None
    assert float(options.exp().sum()) == pytest.approx(1.0, abs=1e-4)


def test_a_long_document_is_read_on_several_pages():
    document = "word " * 60 + "Ann"
    found = read(reader_of(), PIECES.embed, PIECES.split, outline_of(name=TEXT), document)
    views = found.fields["/name"].views
    assert len(views) > 1
    nats = found.fields["/name"].nats(((0, 4), (300, 303)))
    assert torch.isfinite(nats).all()
    assert (nats < 0).all()


def peaked(document: str, text: str, absent: bool = False) -> FieldReading:
    """A reading that is sure of one place of a text, or that there is none."""
    start = document.index(text)
    starts, ends = torch.full((len(document),), -20.0), torch.full((len(document), len(document)), -20.0)
    if not absent:
        starts[start], ends[start, start + len(text) - 1] = 20.0, 0.0
    return FieldReading(
        [PageView(tuple(range(len(document))), tuple(range(1, len(document) + 1)), starts, ends)]
    )


@pytest.mark.parametrize(
    ("text", "kind"), [("Northwind Paper", "string"), ("Bob", "string"), ("12", "integer")]
)
def test_the_choice_that_the_reader_is_sure_of_is_free(text: str, kind: str):
    document = "Northwind Paper owes Bob 12 or 34 of it."
    model = toy()
    canvas = canvas_of(model)
    outline = outlined({"type": "object", "properties": {"it": {"type": kind}}, "required": ["it"]})
    layout = lay(canvas, outline, {}, {})
    assert layout is not None
    copier = copying(
        canvas, Offer(canvas, document, outline, DocumentReading({"/it": peaked(document, text)})), layout
    )
    assert copier is not None
    (region,) = copier.regions
    texts = [model.vocabulary.decode(row).decode() for row in region.choices.tolist()]
    free = {text for text, cost in zip(texts, region.own_costs.tolist(), strict=True) if cost == 0}
    assert free == {text}
    assert float(region.own_costs.max()) <= CONSTANTS.reading.most


def test_booleans_and_options_cost_what_the_reader_thinks_of_them():
    model = toy()
    canvas = canvas_of(model)
    schema = {
        "type": "object",
        "properties": {"paid": {"type": "boolean"}, "size": {"enum": ["small", "large"]}},
        "required": ["paid", "size"],
    }
    outline = outlined(schema)
    layout = lay(canvas, outline, {}, {})
    assert layout is not None
    nats = torch.tensor([0.9, 0.08, 0.02]).log()
    reading = DocumentReading(
        {"/paid": FieldReading(options=nats), "/size": FieldReading(options=nats.flip(0)[[1, 2, 0]])}
    )
    copier = copying(canvas, Offer(canvas, "It is of no size.", outline, reading), layout)
    assert copier is not None
    costs = {
        model.vocabulary.decode(row).decode(): round(cost, 3)
        for region in copier.regions
        for row, cost in zip(region.choices.tolist(), region.own_costs.tolist(), strict=True)
    }
    odds = round(CONSTANTS.reading.option * math.log(0.9 / 0.08), 3)
    assert costs == {"true": 0.0, "false": odds, "small": odds, "large": 0.0}


def test_a_reader_is_stored_and_loaded(tmp_path: Path):
    reader = reader_of()
    assert stored_reader(tmp_path) is None
    save_reader(tmp_path / READER, reader.config, reader.state_dict(), {}, PIECES)
    again, pieces = load_reader(tmp_path / READER)
    assert again.config == reader.config
    assert pieces.split("Ann, Bob") == PIECES.split("Ann, Bob")
    ids = [0, *PIECES.split("Ann, Bob")[0], 2]
    old, new = states_of(reader, PIECES, ids), states_of(again, pieces, ids)
    assert float((old - new).norm() / old.norm()) < 0.05
    stored = stored_reader(tmp_path)
    assert isinstance(stored, StoredReader)
    outline = outline_of(name=TEXT)
    assert stored(outline, "Ann, Bob") is stored(outline, "Ann, Bob")


def test_a_folder_with_a_reader_makes_a_model_that_reads(tmp_path: Path):
    shutil.copytree(mini_folder(), tmp_path / "model", ignore=shutil.ignore_patterns(READER))
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    plain = sg.load(tmp_path / "model")
    assert plain.absent is None
    reader = reader_of()
    save_reader(tmp_path / "model" / READER, reader.config, reader.state_dict(), {}, PIECES)
    reading = sg.load(tmp_path / "model")
    assert reading.absent is not None
    absent = reading.absent(sg.JsonSchema(schema), "I am Ann.")
    assert list(absent) == ["/name"]
    assert 0 < absent["/name"] < 1
    assert set(reading.extract("I am Ann.", schema)) == {"name"}
