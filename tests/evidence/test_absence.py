"""A reader is told of values that the document has for something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.evidence.absence import Claim, Doubt, absent
from structgen.evidence.gather import compared
from structgen.evidence.looks import looks, support, supports
from structgen.evidence.tokens import Spelled
from structgen.generation.leaves import Answer, Leaf
from structgen.generation.writer import write
from structgen.reading.stated import Stated
from structgen.verbs.extract import extraction

TEXT = "Contact: Tom Baker\nCity: New York\nThe goods remain the property of the seller.\n"
STATED = Stated(TEXT)
NAMES = ("contact", "city", "seller", "vendor")
VALUES = ("Tom Baker", "New York", "seller", "Baker", "goods", "Paris")
DOUBT = Doubt(least=-2.6, margin=1.0, reading=0.3)


def fields(*names: str) -> dict[str, object]:
    return {"type": "object", "properties": {one: {"type": "string"} for one in names}, "required": [*names]}


def claim(name: str, value: str, nats: float) -> Claim:
    return Claim(Leaf(f"/{name}", value, 0, 0), nats, STATED.places(value, [name]))


claims = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from(VALUES), st.floats(-9, 0)), min_size=1
).map(lambda found: {f"/{name}": claim(name, *given) for name, given in found.items()})


@given(claims, st.floats(0, 3))
def test_more_support_raises_no_doubt(found: dict[str, Claim], more: float):
    pointer = next(iter(found))
    surer = found | {pointer: replace(found[pointer], support=found[pointer].support + more)}
    assert pointer in absent(found, STATED, DOUBT) or pointer not in absent(surer, STATED, DOUBT)


@given(claims)
def test_of_two_fields_with_the_same_words_one_is_doubted_or_both_are_named(found: dict[str, Claim]):
    doubted = absent(found, STATED, DOUBT)
    for pointer, one in found.items():
        for at, other in found.items():
            if pointer < at and one.leaf.value == other.leaf.value and one.places:
                named = all(STATED.named(each.places[0], [each.leaf.pointer[1:]]) for each in (one, other))
                assert named or {pointer, at} & set(doubted)


def test_a_name_before_a_value_keeps_it():
    found = {"/city": claim("city", "New York", -8.0), "/vendor": claim("vendor", "New York", 0.0)}
    (warning,) = absent(found, STATED, DOUBT).values()
    assert str(warning) == "/vendor: absent: the document has 'New York', and /city has the same words"


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


@pytest.mark.parametrize("details", [False, True])
def test_a_fact_that_the_document_lacks_is_named(model: sg.Model, details: bool):
    schema = fields("contact", "city", "vendor")
    if details:
        warned = {(one.pointer, one.kind) for one in model.extract(TEXT, schema, details=True).warnings}
    else:
        with pytest.warns(sg.AnswerWarning) as told:
            model.extract(TEXT, schema)
        messages = [one.message for one in told if isinstance(one.message, sg.AnswerWarning)]
        warned = {(one.pointer, one.kind) for one in messages}
    assert warned == {("/vendor", "absent")}


def test_support_is_the_same_with_and_without_lattices(model: sg.Model):
    asked = extraction(model, TEXT, fields("contact", "city"))
    done = write(model, asked)
    spelled, text = (
        Spelled(done.ids.tolist(), model.vocabulary),
        model.vocabulary.decode(done.ids.tolist()).decode(),
    )
    leaves = compared(asked, Answer.of(text))
    seen = looks(asked, done, spelled, leaves, text, pad=0)
    found = supports(asked, done, spelled, leaves, text, pad=0)
    assert found == pytest.approx({at: support(one) for at, one in seen.items()})
    assert all(nats < 0 for nats in found.values())


@given(st.floats(-9, 0), st.floats(-40, 0), st.floats(-40, 0))
def test_what_the_reader_finds_likelier_has_more_support(support: float, one: float, other: float):
    low, high = (DOUBT.supported(support, found) for found in sorted((one, other)))
    assert low <= high <= 0.0
    assert DOUBT.supported(support, None) == support
