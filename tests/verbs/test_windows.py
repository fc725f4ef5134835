"""Documents longer than the model reads: windows that overlap, every item once, offsets of the whole document."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import structgen as sg
from structgen.generation.prompts import Form
from structgen.sources import as_source
from structgen.verbs.windows import windows

LOREM = "The goods remain the property of the seller until they have been paid for in full. "


class Lease(BaseModel):
    landlord: str
    tenant: str
    monthly_rent: float


class Tenancy(BaseModel):
    tenant: sg.Verbatim


class Row(BaseModel):
    product: str
    quantity: int


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_windows_cover_a_document_overlap_and_fit(lengths: list[int]):
    model = sg.load()
    text = "\n".join("word " * length for length in lengths)
    found = windows(model, Form.of(as_source(Lease)), text)  # type: ignore[arg-type]
    assert [found[0][0], found[-1][1]] == [0, len(text)] or not text
    for (first, end), (start, last) in pairwise(found):
        assert first < start <= end < last
    for start, end in found:
        assert len(model.vocabulary.encode(text[start:end])) <= (model.prompt_limit or 0)


def test_only_windows_are_bound_of_a_document_with_a_verbatim_field(
    model: sg.Model, monkeypatch: pytest.MonkeyPatch
):
    bound, bind = list[int](), sg.Constraint.bind

    def noted(self: sg.Constraint[object], document: str) -> sg.Constraint[object]:
        bound.append(len(document))
        return bind(self, document)

    monkeypatch.setattr(sg.Constraint, "bind", noted)
    lines = (LOREM + "\n") * 40
    text = f"{lines}Tenant: Maria Keller\n{lines}"
    assert model.extract(text, Tenancy).tenant == "Maria Keller"
    assert max(bound) < len(text) / 1.3


def test_a_contract_of_three_pages(model: sg.Model):
    text = (
        f"LEASE\n\nLandlord: Oak Homes Ltd\n{(LOREM + chr(10)) * 45}Tenant: Maria Keller\n"
        f"{(LOREM + chr(10)) * 45}Monthly rent: 1020.50 EUR\n{(LOREM + chr(10)) * 10}"
    )
    done = model.extract(text, Lease, details=True)
    assert done.value == Lease(landlord="Oak Homes Ltd", tenant="Maria Keller", monthly_rent=1020.5)
    assert {at: text[slice(*spans[0])] for at, spans in done.spans.items()} == {
        "/landlord": "Oak Homes Ltd",
        "/tenant": "Maria Keller",
        "/monthly_rent": "1020.50",
    }


def test_a_long_table_has_every_row_once_and_in_order(model: sg.Model):
    rows = [(["nut", "bolt", "saw", "drill"][at % 4], at + 1) for at in range(200)]
    text = "product,quantity\n" + "\n".join(f"{name},{count}" for name, count in rows)
    assert [(row.product, row.quantity) for row in model.extract(text, list[Row])] == rows


def test_a_long_document_is_not_drawn_anew_in_silence(model: sg.Model):
    with pytest.raises(sg.InvalidOption, match="leave redraws out, or split the document"):
        model.extract(LOREM * 200, Lease, redraws=2)


def test_a_value_of_a_window_has_its_confidence_and_warnings(model: sg.Model):
    text = f"Landlord: Oak Homes Ltd\n{(LOREM + chr(10)) * 60}Monthly rent: 1020.50 EUR\n{(LOREM + chr(10)) * 10}"
    done = model.extract(text, Lease, details=True)
    assert done.value.landlord == "Oak Homes Ltd"
    assert done.value.monthly_rent == 1020.5
    assert set(done.confidence) == {"/landlord", "/tenant", "/monthly_rent"}
    assert {one.pointer for one in done.warnings} == {"/tenant"}  # which the document does not state
    with pytest.warns(sg.AnswerWarning, match="/tenant"):
        model.extract(text, Lease)


def test_items_of_lists_have_the_confidence_of_their_window(model: sg.Model):
    rows = [(["nut", "bolt", "saw", "drill"][at % 4], at + 1) for at in range(8)]
    text = f"{(LOREM + chr(10)) * 28}product,quantity\n" + "\n".join(
        f"{name},{count}" for name, count in rows
    )
    prices = "".join(f"\n{name}: {at}.50" for at, (name, _) in enumerate(rows[:4]))
    done = model.extract(text, list[Row], details=True)
    assert [(row.product, row.quantity) for row in done.value] == rows
    wanted = {f"/{at}/{name}" for at in range(len(rows)) for name in ("product", "quantity")}
    assert set(done.confidence) == set(done.alternatives) == wanted
    assert all(0.0 <= one <= 1.0 for one in done.confidence.values())
    done = model.extract((LOREM + "\n") * 28 + "Prices:" + prices, dict[str, float], details=True)
    assert set(done.confidence) == {f"/{name}" for name in done.value}


class Bill(BaseModel):
    class Line(BaseModel):
        article: str
        price: float

    supplier: str
    total: float
    lines: list[Line]


def test_parts_of_a_document_without_an_item_add_none_to_a_list(model: sg.Model):
    text = (
        "HARLOW TOOLS LTD, 12 Mill Lane, Leeds\nInvoice no. 2026-118 Date: 3 March 2026\n"
        "Bill to: Okafor & Sons, Hull\nOak board 24.00\nScrews 4x40 3.10\nGlue, 1 kg 9.90\nTotal 37.00\n"
        "Not yet paid. Please pay within 14 days.\n"
    )
    clause = "The goods stay the property of the supplier until they are paid."
    text += "".join(f"Clause {at}. {clause}\n" for at in range(1, 49))
    assert [line.price for line in model.extract(text, Bill).lines] == [24.0, 3.1, 9.9]


def test_a_bound_that_excludes_what_a_window_states_is_named(model: sg.Model):
    fields = {"monthly_rent": {"type": "number", "minimum": 0, "maximum": 500}}
    text = f"Landlord: Oak Homes Ltd\n{(LOREM + chr(10)) * 60}Monthly rent: 1020.50 EUR\n"
    done = model.extract(text, {"type": "object", "properties": fields, "required": [*fields]}, details=True)
    assert {one.pointer for one in done.warnings} == {"/monthly_rent"}
