"""The LangExtract provider without LangExtract: it finds the passage, asks for classes, orders extractions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.integrations.langextract.classes import ExampleClass, classes_of, in_order, schema_of
from structgen.integrations.langextract.passages import AskedPassage, UnknownPrompt, asked


@dataclass(frozen=True)
class Shown:
    """An extraction of an example, with the names of LangExtract's class."""

    extraction_class: str
    extraction_text: str
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True)
class Example:
    text: str
    extractions: list[Shown] = field(default_factory=list)


def prompt(task: str, examples: list[Example], passage: str, fence: bool = False) -> str:
    """A prompt as LangExtract 1.7 writes it."""
    lines = [f"{task}\n"]
    if examples:
        lines.append("Examples")
    for one in examples:
        items = [
            {it.extraction_class: it.extraction_text, f"{it.extraction_class}_attributes": {}}
            for it in one.extractions
        ]
        answer = json.dumps({"extractions": items}, indent=2, ensure_ascii=False)
        lines.append(f"Q: {one.text}\nA: " + (f"```json\n{answer}\n```" if fence else answer) + "\n")
    return "\n".join([*lines, f"Q: {passage}", "A: "])


QUESTIONS = st.lists(st.sampled_from(["Q: ", "A: ", "\n", "{}", '"', "```", "Examples", "Bob", " "])).map(
    "".join
)


@given(QUESTIONS, st.lists(QUESTIONS, min_size=1, max_size=3), st.booleans())
def test_the_passage_is_found_whatever_stands_in_it(passage: str, texts: list[str], fence: bool):
    examples = [Example(text, [Shown("person", text)]) for text in texts]
    found = asked(prompt("Find persons.", examples, passage, fence), texts)
    assert found == AskedPassage("Find persons.", passage)


def test_without_examples_the_only_question_is_the_passage():
    assert asked(prompt("Find persons.", [], "Bob\nand Ann"), []) == AskedPassage(
        "Find persons.", "Bob\nand Ann"
    )
    with pytest.raises(UnknownPrompt, match="pass an example"):
        asked(prompt("Find persons.", [], "Help\nQ: who?"), [])
    with pytest.raises(UnknownPrompt):
        asked("Find persons.", [])


def test_the_classes_are_those_of_the_examples():
    first = Example(
        "", [Shown("person", "Bob", {"role": "buyer"}), Shown("person", "Ann"), Shown("city", "Oslo")]
    )
    second = Example("", [Shown("person", "Eve", {"role": "seller", "tags": ["a"]})])
    person, city = classes_of([first, second])
    assert (person.name, person.several, city) == ("person", True, ExampleClass("city", False))
    assert person.attributes["role"] == {"type": ["string", "null"]}
    assert person.attributes["tags"] == {"type": ["array", "null"], "items": {"type": "string"}}
    schema = schema_of([person, city], "Who and where.")
    assert schema["description"] == "Who and where."
    constraint = sg.compile(schema, document="Bob went to Oslo.")
    assert constraint.accepts('{"person": [{"text": "Bob", "role": null, "tags": ["x"]}], "city": "Oslo"}')
    assert constraint.accepts('{"person": [], "city": null}')
    assert not constraint.accepts('{"person": [], "city": "Osl"}')


PASSAGE = "On 17/01/2026 Bob paid 17 to Ann, 17 to Bob."
CLASSES = [ExampleClass("amount", True), ExampleClass("date", False), ExampleClass("person", True)]


def placed(**value: Any) -> list[tuple[str, str]]:
    given = {"amount": [], "date": None, "person": []} | value
    return [next(iter(item.items())) for item in in_order(PASSAGE, CLASSES, given)]


def test_extractions_stand_in_the_order_of_the_passage_without_overlaps():
    found = placed(amount=["17", "17"], date="17/01/2026", person=["Ann", "Bob", "Bob", " "])
    assert found == [
        ("date", "17/01/2026"),
        ("person", "Bob"),
        ("amount", "17"),
        ("person", "Ann"),
        ("amount", "17"),
        ("person", "Bob"),
    ]


def test_an_extraction_that_the_passage_has_no_place_for_is_left_out():
    assert placed(person=["Ann", "Ann", "Bob"]) == [("person", "Bob"), ("person", "Ann")]
    assert placed(amount=["2026"], date="17/01/2026") == [("date", "17/01/2026"), ("amount", "2026")]
