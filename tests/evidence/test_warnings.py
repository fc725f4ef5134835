"""A reader is told of values that the constraint, the slot or the model made up."""

from __future__ import annotations

import json
import warnings
from datetime import time
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

import structgen as sg
from structgen.compiler import constraint
from structgen.evidence.warnings import unstated
from structgen.generation.leaves import Leaf
from structgen.generation.result import Evidence
from structgen.reading.stated import Stated

TEXT = "Marta Kowalski, aged 200, lives in Gdansk. She asks for the budget review."


class Person(BaseModel):
    name: str
    age: Annotated[int, Field(le=130)]
    tone: Literal["friendly", "angry"]


class Named(BaseModel):
    name: str


class Guest(BaseModel):
    at: time  # which is read in more spellings than are written
    age: Annotated[int, Field(le=130)]


class Patterned(BaseModel):
    name: str
    city: Annotated[str, Field(pattern="^[A-F][a-z]+$")]


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def test_a_value_that_the_constraint_excludes_is_named(model: sg.Model):
    result = model.extract(TEXT, Person, details=True)
    (warning,) = [one for one in result.warnings if one.pointer == "/age"]
    assert warning.kind == "excluded"
    assert "the model preferred 200" in str(warning)
    assert not [one for one in result.warnings if one.pointer == "/tone"]  # an option need not be stated


def test_without_details_python_warns(model: sg.Model):
    with pytest.warns(sg.AnswerWarning, match=r"/age: excluded: the model preferred 200"):
        assert model.extract(TEXT, Person).age <= 130


def test_without_details_nothing_is_compiled_but_the_constraint(
    model: sg.Model, monkeypatch: pytest.MonkeyPatch
):
    compiled = []
    real = constraint._automaton
    monkeypatch.setattr(constraint, "_automaton", lambda *given: compiled.append(given) or real(*given))
    model.extract("Marta Kowalski, age: 20, at 20:30 in room 500", Guest)
    assert len(compiled) == 1


def test_a_value_that_is_stated_and_allowed_is_no_warning(model: sg.Model):
    with warnings.catch_warnings():
        warnings.simplefilter("error", sg.AnswerWarning)
        assert model.extract("Name: Marta Kowalski, of Bern.", Named).name == "Marta Kowalski"


def test_a_text_that_no_document_states_is_named(model: sg.Model):
    result = model.extract("Marta Kowalski lives in Gdansk.", Patterned, details=True)
    assert [one.kind for one in result.warnings if one.pointer == "/city"] in (["not stated"], ["excluded"])


def test_evidence_survives_json(model: sg.Model):
    found = model.extract(TEXT, Person, details=True).evidence
    again = Evidence.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    assert again.spans["/name"][0] == (0, 14)


def test_every_verb_that_writes_shows_its_evidence(model: sg.Model):
    number = model.generate("The answer is 42.", sg.Regex(r"\d\d"), details=True, steps=2)
    assert set(number.confidence) == {""}
    assert 0 <= number.confidence[""] <= 1
    assert number.trace

    def book(city: str) -> None:
        """Book a flight."""

    reply = model.call("Book a flight to Oslo", [book], tool_choice="required", details=True, steps=2)
    assert {"/name", "/arguments/city"} <= set(reply.confidence)
    assert reply.spans["/arguments/city"]


@pytest.mark.parametrize(
    ("document", "value", "kind"),
    [
        ("Balance −45.00 EUR", 45.0, "not stated"),  # the sign is missing, no digit
        ("Population: 1234567890.", 1, "shortened"),
        ("Balance 45.00 EUR", 45.0, None),
        ("The budget review", "The budget re", "shortened"),
        ("Departure 14:30:00+02:00", "14:30:00Z", "not stated"),
    ],
)
def test_a_number_that_the_document_has_with_another_sign_is_not_called_shortened(document, value, kind):
    found = unstated(Leaf("/a", value, 0, 1), [], Stated(document))
    assert (found and found.kind) == kind
