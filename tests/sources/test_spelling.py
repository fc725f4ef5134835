"""A constraint accepts a JSON text for its value, however it is spelled; what it generates has one spelling."""

from __future__ import annotations

import datetime
import json
import random
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from pydantic import BaseModel, Field, Json, StrictInt, ValidationError

import structgen as sg
from conformance.fuzz import Maker
from conformance.judge import limited, source_of
from conformance.sampler import Sampler
from conformance.samples import ecma_patterns
from conformance.speller import Speller
from conformance.suites import MASKBENCH, maskbench
from structgen.errors import StructgenError, Unsatisfiable, Unsupported
from structgen.sources import JsonSchema
from structgen.sources.canonical import canonical
from structgen.sources.tools import Tools

DRAFT_4 = "http://json-schema.org/draft-04/schema#"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
# Pieces of JSON, and of what is nearly JSON.
pieces = st.sampled_from(
    ['"', "\\", '\\"', "\\u00e9", "\\ud83d", "\\ude00", "\\/", "\\x", "a", "é", "\x01", "true", "null", *"{}[]:, \n",
     *"-+.eE01", "00", "1e2", "1.", ".5", "-0", "1e400"]
)  # fmt: skip


def same(a: Any, b: Any) -> bool:
    """Whether two values read from JSON are equal, type by type; the two zeros of doubles are one."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list) else a == b


def parsed(text: str) -> Any:
    """The value of a JSON text in a list, or None if the text is not JSON."""
    try:
        return [json.loads(text, parse_constant=lambda name: 1 / 0)]
    except (ValueError, ZeroDivisionError):
        return None


@given(values, st.randoms(use_true_random=False))
def test_all_spellings_of_a_value_have_one_canonical_spelling(value: Any, rng: random.Random) -> None:
    speller = Speller(rng, gaps=False, doubles=False)
    text = canonical(speller.text(value))
    assert text == canonical(speller.text(value)) == canonical(json.dumps(value, separators=(",", ":")))
    assert text is not None
    assert same(json.loads(text), value)


@given(st.lists(pieces, max_size=12).map("".join))
def test_a_text_and_its_canonical_spelling_are_the_same_value_or_both_none(text: str) -> None:
    spelled = canonical(text)
    assert spelled is None or same(parsed(spelled), parsed(text))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ('"\\u00E9\\/\\ud83d\\ude00\\u0007\\u0022"', '"é/😀\\u0007\\""'),
        ("[-0, -0.0, 2.00, 1e2, 15E-1, 123456789012345678901]", "[0, 0.0, 2.0, 100.0, 1.5, 123456789012345678901]"),
        ("1e23", "99999999999999991611392.0"),  # the double that it is read as
        ("9007199254740993.0", "9007199254740992.0"),
        ("1e-999999999", "0.0"),
        ("1e999999999", None),
        ('"\\ud83d"', None),
        ('"\\ud83d', None),
        ("01", None),
        ("1e2e3", None),
    ],
)  # fmt: skip
def test_canonical_spellings(text: str, spelled: str | None) -> None:
    assert canonical(text) == spelled


@given(values)
def test_generated_spellings_are_read_as_they_stand(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert FREE.accepts(text)


FREE = sg.compile(JsonSchema({}, additional="open"))


@pytest.mark.parametrize("seed", range(150))
def test_a_value_is_accepted_in_every_spelling_or_in_none(seed: int) -> None:
    maker = Maker(seed)
    schema, drawn = maker.document(), [maker.value() for _ in range(8)]
    speller = Speller(maker.rng)
    try:
        with limited(20):
            constraint = sg.compile(JsonSchema(schema, additional="open", unknown="annotations"))
            validator = jsonschema.Draft202012Validator(schema)
            for value in drawn:
                accepted = constraint.accepts(json.dumps(value))
                for text in (speller.text(value) for _ in range(4)):
                    assert constraint.accepts(text) == accepted, text
                    assert not accepted or validator.is_valid(json.loads(text)), text
    except (StructgenError, TimeoutError, RecursionError):
        pytest.skip("the schema is refused")


NUMBERS: list[dict[str, Any]] = [
    {"type": "integer"}, {"type": "number"}, {}, {"minimum": 0.5}, {"maximum": 100}, {"multipleOf": 1},
    {"multipleOf": 2}, {"multipleOf": 0.5}, {"enum": [1, 2.5, 100]}, {"enum": [1.0, [1], {"a": 2}]},
    {"minimum": 0, "exclusiveMinimum": True}, {"type": ["integer", "string"]},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_in_draft_4_no_integer_has_a_point_but_other_numbers_may(seed: int) -> None:
    rng = random.Random(seed)
    first, second = rng.choices(NUMBERS, k=2)
    schema = {"$schema": DRAFT_4, **rng.choice([{**first, **second}, {"allOf": [first, second]}, {"not": first},
                                                {"anyOf": [first, second]}, {"oneOf": [first, second]}])}  # fmt: skip
    validator = jsonschema.Draft4Validator(schema)
    try:
        constraint = sg.compile(JsonSchema(schema, additional="open"))
    except (Unsatisfiable, Unsupported):
        pytest.skip("nothing satisfies the schema, or it is refused")
    simple = not schema.keys() & {"not", "oneOf"}
    for value in [0, 1, 2, 100, 2.5, 3.5, [1], [1.0], {"a": 2}, -4]:
        for text in {Speller(rng).text(value) for _ in range(8)}:
            valid = validator.is_valid(json.loads(text))
            accepted = constraint.accepts(text)
            assert accepted == valid if simple else accepted <= valid, (schema, text)


class Level(Enum):
    """Numbers and a word."""

    LOW = 1
    HIGH = "high"


class Record(BaseModel):
    """Kinds of numbers that pydantic tells apart, and names with signs."""

    strict: StrictInt = 0
    count: int = 0
    price: float = Field(0, gt=0)
    exact: Decimal = Field(Decimal(0), max_digits=5, decimal_places=2)
    whole: float = Field(0, multiple_of=1)
    one: Literal[1, "a"] = 1
    level: Level = Level.LOW
    name: str = Field("", alias="näme/", pattern="^.$")
    at: datetime.datetime | None = None
    late: datetime.datetime | None = Field(None, ge=datetime.datetime(2024, 2, 29, 12, 30))
    held: Json[Held] | None = None


class Held(BaseModel):
    """JSON inside a string."""

    price: float = Field(gt=0)
    at: datetime.datetime | None = None


@given(st.data(), st.randoms(use_true_random=False))
def test_pydantic_reads_every_spelling_that_is_accepted(data: st.DataObject, rng: random.Random) -> None:
    number = st.sampled_from([0, 1, 2, -1, 0.25, 1.0, 1e-20, 0.1 + 0.2, 1e17, 1e20, 123.45, 1234.5, 2**70])
    value: dict[str, Any] = {}
    for name in ("strict", "count", "price", "exact", "whole", "one", "level"):
        if data.draw(st.booleans()):
            value[name] = data.draw(number)
    if data.draw(st.booleans()):
        value["näme/"] = data.draw(st.sampled_from(["é", "/", "\n", "\\", '"', "ab", "😀"]))
    if data.draw(st.booleans()):
        value["at"] = data.draw(st.sampled_from(TIMES))
    if data.draw(st.booleans()):
        value["late"] = data.draw(st.sampled_from(TIMES))
    if data.draw(st.booleans()):
        value["held"] = Speller(rng).text(
            {"price": data.draw(number), "at": data.draw(st.sampled_from(TIMES))}
        )
    text = Speller(rng).text(value)
    try:
        Record.model_validate_json(text)
    except ValidationError:
        assert not RECORD.accepts(text)
    typed = Speller(rng, doubles=False).text(value)
    assert RECORD.accepts(typed) == RECORD.accepts(json.dumps(value)), typed


RECORD = sg.compile(Record)
TIMES = ["2024-02-29t12:29:59", "2024-02-29t12:30:00z", "2024-02-29T12:30:00", "2024-02-30t00:00:00z"]


@pytest.mark.parametrize(
    ("schema", "accepted", "rejected"),
    [
        ({"type": "string", "pattern": "^.$"}, ['"\\u00e9"', '"é"', '"\\/"', '"\\ud83d\\ude00"'],
         ['"ab"', '"\\u0061b"', '"\\ud83d"', '"\\ud83d', '"\\x61"', '"\t"']),
        ({"enum": ["a/b", 100, -0.0, [1]]}, ['"a\\/b"', "1e2", "100.00", "-0", "0e5", "[1.0]"], ['"a\\\\/b"', "1e3"]),
        ({"const": "é"}, ['"\\u00e9"', '"\\u00E9"'], ['"e\\u0301"']),
        ({"properties": {"é": {"type": "integer"}}, "required": ["é"]},
         ['{"\\u00e9":1e0}'], ['{"\\u00e9":1,"é":1}', '{"é":1,"\\u00e9":1}', '{"\\\\u00e9":1}']),
        ({"type": "integer"}, ["1.0", "2.00", "1e2", "-0", "1e23", "10e-1"],
         ["1.5", "1e-1", "1e400", "1e999999999", "01e1"]),
        ({"type": "number", "minimum": 0.0001}, ["1e-3", "3e2", "0.5", "1e300"], ["0.00001", "1e-5", "-1e2", "1e999"]),
        ({"exclusiveMinimum": 0}, ["1e-20", "0.30000000000000004", "5e-324"], ["0e0", "1e-400", "-1e-20"]),
        ({"exclusiveMaximum": 1}, ["9.9e-1"], ["0.99999999999999999999999", "10e-1"]),
        ({"type": "integer", "maximum": 9007199254740992}, ["9007199254740993.0"], ["9007199254740993"]),
        ({"multipleOf": 0.01}, ["1.5e-1", "0.150"], ["1.5e-3"]),
        ({"not": {"type": "integer"}}, ["1.5e0", "0.30000000000000004", "1e-20"], ["1e2", "15e1"]),
        ({"not": {"multipleOf": 3}}, ["1e2", "1234567892.0"], ["3e2", "1234567890.0"]),
        ({"type": "string", "maxLength": 100}, ['"\\u0001\\u0041"'], ['"\x01"']),
        ({"type": "string", "format": "date-time"},
         ['"2024-02-29t12:30:00z"', '"2024-02-29T12:30:00+01:00"', '"2024-02-29\\u007412:30:00Z"'],
         ['"2023-02-29t12:30:00z"', '"2024-02-29 12:30:00z"']),
        ({"type": "string", "format": "time"}, ['"12:30:00z"'], ['"t12:30:00z"']),
        ({"const": "2024-02-29T12:30:00Z", "format": "date-time"}, [], ['"2024-02-29t12:30:00z"']),
    ],
)  # fmt: skip
@pytest.mark.parametrize("regime", ["auto", "lazy"])
def test_examples(schema: Any, accepted: list[str], rejected: list[str], regime: Any) -> None:
    constraint = sg.compile(JsonSchema(schema, additional="open"), regime=regime)
    assert {text: constraint.accepts(text) for text in accepted + rejected} == {
        **dict.fromkeys(accepted, True),
        **dict.fromkeys(rejected, False),
    }


def test_recursive_schemas_read_every_spelling_to_the_depth_that_they_generate() -> None:
    schema = {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "properties": {"é": {"$ref": "#/$defs/t"},
              "at": {"format": "date-time", "type": "string"}}, "additionalProperties": False}}}  # fmt: skip
    text = '{"\\u00e9":{"\\u00e9":{"at":"2024-02-29t12:30:00z"}}}'
    for regime in ("auto", "expanded", "lazy"):
        assert sg.compile(schema, regime=regime).accepts(text)
        assert not sg.compile(schema, regime=regime).accepts(text.replace("-29", "-30"))


def test_tools_read_every_spelling_of_their_arguments() -> None:
    parameters = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    constraint = sg.compile(
        Tools([{"name": "é", "parameters": parameters}, strict_tool], tool_choice="required")
    )
    assert constraint.accepts('{"n\\u0061me": "\\u00e9", "arguments": {"n": 1e2}}')
    assert constraint.accepts('{"name": "strict_tool", "arguments": {"at": "2024-02-29t12:30:00z", "n": 2}}')
    assert not constraint.accepts('{"name": "strict_tool", "arguments": {"at": "2024-02-29", "n": 2}}')


def strict_tool(at: datetime.datetime, n: StrictInt) -> None:
    """A tool that pydantic reads the arguments of."""


def test_only_json_has_other_spellings() -> None:
    assert not sg.compile(sg.Regex('"é"')).accepts('"\\u00e9"')
    assert not sg.compile(["1", "2"]).accepts("1.0")
    assert not sg.compile(sg.Ebnf('root ::= "1"')).accepts("1.0")


def test_what_is_generated_keeps_its_one_spelling() -> None:
    constraint = sg.compile({"type": "string", "pattern": "^.$"})
    assert constraint.accepts(b'"\\u00e9"')
    assert not constraint.accepts(b'"\xe9"')
    assert constraint.accepts_ids('"é"'.encode())
    assert not constraint.accepts_ids(b'"\\u00e9"')
    assert not constraint.compiled.text.accepts(list(b'"\\u00e9"'))


def test_no_second_automaton_is_made_where_one_reads_it_all() -> None:
    constraint = sg.compile({"type": "string", "pattern": "^.$"})
    assert constraint.accepts('"\\u00e9"')
    assert constraint._reading is constraint.compiled


def test_white_space_stays_as_the_source_has_it() -> None:
    constraint = sg.compile(JsonSchema({"type": "array", "items": {"type": "integer"}}, whitespace="compact"))
    assert constraint.accepts("[1e1,-0]")
    assert not constraint.accepts("[1e1, -0]")


@pytest.mark.skipif(not MASKBENCH.exists(), reason="MaskBench is not here")
@pytest.mark.parametrize("start", range(0, 2200, 110))
def test_texts_of_real_schemas_are_accepted_in_every_spelling(start: int) -> None:
    rng = random.Random(start)
    for group in islice(maskbench(2295, start), 1):
        try:
            source = source_of(group)
            validator = validator_for(group.schema)(group.schema)
            with limited(20):
                constraint = sg.compile(source)
                texts = Sampler(source.lower(), rng)
        except (StructgenError, TimeoutError):
            pytest.skip("the schema is refused")
        for value in [json.loads(texts.text()) for _ in range(10)]:
            text = Speller(rng).text(value)
            accepted = constraint.accepts(json.dumps(value, ensure_ascii=False))
            with ecma_patterns():
                valid = validator.is_valid(json.loads(text))
            assert constraint.accepts(text) == (accepted and valid), text
        for value, valid in group.instances:
            text = Speller(rng).text(value)
            assert valid or not constraint.accepts(text), text
