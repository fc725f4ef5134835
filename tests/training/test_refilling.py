"""Refilled samples: every mark still stands where the value is read, and the value still fits its schema."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from training.pools import Pools, make_pools
from training.refilling import refilled_sample
from training.refills import refilled
from training.samples import Sample, Span
from training.written import FOLDER, unmarked, written_documents

DOCUMENTS = [one for path in sorted(FOLDER.glob("*.toml")) for one in written_documents(path)]


@pytest.fixture(scope="module")
def pools() -> Pools:
    return make_pools(size=400)


def leaf(value: Any, span: Span) -> Any:
    for step in span.pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def sample(text: str, properties: dict[str, Any], value: dict[str, Any]) -> Sample:
    document, spans = unmarked(text)
    return Sample({"type": "object", "properties": properties}, document, value, spans)


def test_refilled_documents_state_what_their_value_says(pools: Pools):
    rng, pool, changed = random.Random(1), pools.side(held=False), 0
    for one in DOCUMENTS:
        new = refilled_sample(one.sample, rng, pool)
        jsonschema.validate(new.value, new.schema)
        assert sorted(span.pointer for span in new.spans) == sorted(span.pointer for span in one.sample.spans)
        for span in new.spans:
            assert new.document[span.start : span.end] == span.surface
            old, value = leaf(one.sample.value, span), leaf(new.value, span)
            changed += old != value
            if isinstance(value, str) and value != old and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                assert value == " ".join(span.surface.split())
            if isinstance(value, int | float) and value != old:
                digits = int(re.sub(r"\D", "", span.surface))
                assert any(Decimal(digits).scaleb(-k) == abs(Decimal(str(value))) for k in range(5))
    assert changed > len(DOCUMENTS)


def test_what_repeats_a_value_unmarked_changes_with_it(pools: Pools):
    one = sample(
        "Order ⟦/order|BW-77120⟧. Please quote BW-77120 when you call.",
        {"order": {"type": "string"}},
        {"order": "BW-77120"},
    )
    new = refilled_sample(one, random.Random(2), pools.side(held=False))
    assert new.value["order"] != "BW-77120"
    assert new.document == f"Order {new.value['order']}. Please quote {new.value['order']} when you call."


def test_options_stay(pools: Pools):
    schema = {"size": {"enum": ["A4", "A5"]}, "paid": {"type": "boolean"}}
    one = sample("Paper ⟦/size|A4⟧, ⟦/paid|settled 3 May⟧", schema, {"size": "A4", "paid": True})
    assert refilled_sample(one, random.Random(2), pools.side(held=False)) == one


@pytest.mark.parametrize(
    ("surface", "value", "form"),
    [
        ("€ 1.249,90", 1249.9, r"€ \d\.\d{3},\d\d"),
        ("(12)", -12, r"\(\d\d\)"),
        ("007", 7, r"00\d"),
        ("14 March 2026", "2026-03-14", r"\d{1,2} [A-Z][a-z]+ \d{4}"),
        ("14.03.26", "2026-03-14", r"\d{1,2}\.0\d\.\d\d|\d{1,2}\.\d\d\.\d\d"),
        ("14 marzo 2026", "2026-03-14", r"\d{1,2} [a-z]+ \d{4}"),
        ("03/03/2026", "2026-03-03", None),  # either number could be the day
        ("yesterday", "2026-03-14", None),
        ("half past nine", "09:30", None),
        ("a dozen", 12, None),
        ("info@acme.example", "info@acme.example", r"\S+@\S+"),
        ("blue paint", "blue paint", None),
    ],
)
def test_a_value_keeps_its_form(surface: str, value: Any, form: str | None, pools: Pools):
    for seed in range(20):
        new = refilled(surface, value, random.Random(seed), pools.side(held=False))
        if form is None:
            assert new is None
            continue
        assert new is not None
        assert re.fullmatch(form, new[0])
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            day = date.fromisoformat(new[1])
            assert str(day.day) in new[0]
        json.dumps(new[1])
