"""Numbers and times are copied as a whole, however long; dicts are found by the form of their lines."""

from __future__ import annotations

from typing import Any

import pytest

import structgen as sg

PRICES = {"type": "object", "additionalProperties": {"type": "number"}}


def asking(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": [*fields]}


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


@pytest.mark.parametrize(
    ("document", "schema", "value"),
    [
        (
            "Population: 1234567890. EAN 4006381333931.",
            asking(population={"type": "integer"}, ean={"type": "integer"}),
            {"population": 1234567890, "ean": 4006381333931},
        ),
        (
            "Departure 14:30:00+02:00 from gate 4.",
            asking(at={"type": "string", "format": "time"}),
            {"at": "14:30:00+02:00"},
        ),
        (
            "May 6, 2026, 2:30 pm",
            asking(at={"type": "string", "format": "date-time"}),
            {"at": "2026-05-06T14:30:00Z"},
        ),
        ("Balance −45.00 EUR, paid.", asking(balance={"type": "number"}), {"balance": -45}),
        ("pen: 1.50\nruler: 2.20", asking(prices=PRICES), {"prices": {"pen": 1.5, "ruler": 2.2}}),
        (
            "Invoice\nVendor: Oak Ltd\nDate: 3 May 2024\nCity: Leeds\n\nPrices\npen: 1.50\nruler: 2.20\nglue: 3.10\n",
            asking(vendor={"type": "string"}, prices=PRICES),
            {"vendor": "Oak Ltd", "prices": {"pen": 1.5, "ruler": 2.2, "glue": 3.1}},
        ),
    ],
)
def test_a_value_is_copied_as_a_whole(model: sg.Model, document: str, schema: dict[str, Any], value: Any):
    assert model.extract(document, schema) == value


def test_no_dict_is_made_of_facts_about_something_else(model: sg.Model):
    text = "Invoice\nVendor: Oak Ltd\nDate: 3 May 2024\nCity: Leeds\nTotal: 12.50\n"
    assert model.extract(text, asking(vendor={"type": "string"}, prices=PRICES))["prices"] == {}
