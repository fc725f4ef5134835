"""The outline of a schema says what its values look like, however the schema is put together."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import date
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.suites import MASKBENCH, maskbench
from sources.plain_schemas import agrees, words
from structgen import JsonSchema
from structgen.errors import Unsupported
from structgen.sources.json_schema.node import Node
from structgen.sources.json_schema.read import JSON_SCHEMA, Reader
from structgen.sources.json_schema.style import Style
from structgen.sources.json_schema.write import SchemaWriter
from structgen.sources.outline import ANY, Field, Outline
from structgen.sources.tools import Tools
from structgen.sources.types import TypeSource

ENGINE = Path(__file__).parents[2] / "engine"
BFCL = Path(__file__).parents[3] / "shared/data/bfcl_v4_dev.jsonl.gz"

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}


def of(schema: Any) -> Outline:
    return JsonSchema(schema).outline()


def fields(**values: Outline) -> Outline:
    return Outline.of_fields(Field(name, value) for name, value in values.items())


# Flat schemas, and twins of them that are put together.

scalars = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "email", "maxLength": 40},
        {"type": "integer", "minimum": 0},
        {"type": "number"},
        {"type": "boolean"},
        {"enum": ["b", "a", 3]},
        {"const": "k"},
        {},
    ]
)
names = st.sampled_from(["id", "kind", "name", "a/b", "x~y", "ü"])


def wordy(schemas: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    said = st.fixed_dictionaries(
        {}, optional={"title": st.just("Title"), "description": st.just("what it is")}
    )
    return st.builds(lambda words, schema: {**words, **schema}, said, schemas)


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    members = draw(st.dictionaries(names, values, max_size=4))
    required = [name for name in members if draw(st.booleans())]
    return {"type": "object", "properties": members, "required": required}


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    bounds = draw(st.sampled_from([{}, {"minItems": 1}, {"maxItems": 3}]))
    return {"type": "array", "items": draw(values), **bounds}


@st.composite
def nullables(draw: st.DrawFn, values: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A schema that allows null as a flat one can say it: by a list of types, or among the values of an enum."""
    schema = draw(values)
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {**schema, "enum": [*schema["enum"], None]} if "enum" in schema else schema


flat = st.recursive(
    wordy(scalars),
    lambda inner: wordy(st.one_of(objects(inner), arrays(inner), nullables(inner))),
    max_leaves=8,
)


class Disguise:
    """Writes a flat schema in other words, with definitions that it collects."""

    def __init__(self, draw: st.DrawFn):
        self.draw, self.definitions = draw, dict[str, Any]()

    def root(self, schema: dict[str, Any]) -> dict[str, Any]:
        twin = self.of(schema)
        return {**twin, "$defs": self.definitions} if self.definitions else twin

    def of(self, schema: dict[str, Any]) -> dict[str, Any]:
        schema = dict(schema)
        if "properties" in schema:
            schema["properties"] = {name: self.of(part) for name, part in schema["properties"].items()}
        if "items" in schema:
            schema["items"] = self.of(schema["items"])
        ways = ["nothing", "reference", "anchor", "chain", "all of", "beside"]
        ways += ["split"] if "properties" in schema else []
        ways += ["null"] if None in schema.get("enum", ()) or isinstance(schema.get("type"), list) else []
        return self.by(self.draw(st.sampled_from(ways)), schema)

    def by(self, way: str, schema: dict[str, Any]) -> dict[str, Any]:
        words = {key: schema[key] for key in ("title", "description") if key in schema}
        rest = {key: value for key, value in schema.items() if key not in words}
        match way:
            case "reference":
                return self.defined(schema)
            case "anchor":
                anchor = f"anchor{len(self.definitions)}"
                self.defined({**schema, "$anchor": anchor})
                return {"$ref": f"#{anchor}"}
            case "chain":
                return self.defined(self.defined(self.defined(schema)))
            case "all of":
                return {"allOf": [words, rest]}
            case "beside":
                return {**words, **self.defined(rest)}
            case "split":
                return self.split(schema)
            case "null":
                return {**words, self.draw(st.sampled_from(["anyOf", "oneOf"])): self.null_apart(rest)}
        return schema

    def defined(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = f"d/{len(self.definitions)}"
        self.definitions[name] = schema
        return {"$ref": "#/$defs/" + name.replace("/", "~1")}

    def split(self, schema: dict[str, Any]) -> dict[str, Any]:
        """An object in two parts, the second of which is applied to the first."""
        members = list(schema["properties"].items())
        cut = self.draw(st.integers(0, len(members)))
        first, second = dict(members[:cut]), dict(members[cut:])
        own = {**schema, "properties": first, "required": [n for n in schema["required"] if n in first]}
        other = {"properties": second, "required": [n for n in schema["required"] if n in second]}
        return {**own, **self.draw(st.sampled_from([{"allOf": [other]}, self.defined(other)]))}

    def null_apart(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        if "enum" in schema:
            schema = {**schema, "enum": [value for value in schema["enum"] if value is not None]}
        else:
            (kind,) = set(schema["type"]) - {"null"}
            schema = {**schema, "type": kind}
        return self.draw(st.permutations([schema, {"type": "null"}]))


@st.composite
def twins(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = draw(flat)
    return schema, Disguise(draw).root(schema)


@settings(max_examples=200, deadline=None)
@given(twins())
def test_a_schema_and_its_twin_that_is_put_together_have_one_outline(pair: tuple[Any, Any]) -> None:
    schema, twin = pair
    outline = of(schema)
    assert of(twin) == outline
    assert agrees(outline, schema)
    if outline.kind != "array":
        assert outline.said == words(schema)


@settings(max_examples=100, deadline=None)
@given(twins())
def test_fields_stand_in_the_order_in_which_they_are_written(pair: tuple[Any, Any]) -> None:
    reader = Reader(Node(pair[1]), JSON_SCHEMA)
    written = [
        part
        for value_set in SchemaWriter(reader, Style(), "declared").value_sets(reader.root())
        for part in value_set.objects
    ]
    outline = of(pair[1])
    if outline.kind == "object":
        assert [field.name for field in outline.fields] == list(written[0].members)


# What the embedded model was trained on is outlined as it was then.


def drawn(count: int) -> Iterator[Any]:
    from training.documents import make_sample
    from training.pools import make_pools
    from training.train import TrainConfig

    pools, rng = make_pools(TrainConfig().seed, 60), random.Random(5)
    return islice((make_sample(rng, pools, split).schema for split in iter(lambda: "train", None)), count)


def test_what_training_draws_is_outlined_as_in_training() -> None:
    lines = (ENGINE / "training/handwritten.jsonl").read_text(encoding="utf-8").splitlines()
    for schema in [*(json.loads(line)["schema"] for line in lines), *drawn(100)]:
        assert agrees(of(schema), schema)


def test_calls_of_tools_are_outlined_as_their_schema() -> None:
    if not BFCL.exists():
        pytest.skip(f"{BFCL.name} is not here")
    from bench.bfcl import items

    for item in islice(items(BFCL, "multiple"), 60):
        for options in ({}, {"tool_choice": "required"}, {"parallel": True}):
            calls = Tools(item.tools, **options)
            assert agrees(calls.outline(), calls.schema)
            assert calls.outline() == of(calls.schema)
            for outline, schema in zip(calls.outlines, calls.alternatives, strict=True):
                assert outline == of(schema)
                assert calls.parallel or outline.said == words(schema)


# Classes.


class Status(Enum):
    OPEN, CLOSED = "open", "closed"


class Line(pydantic.BaseModel):
    """One line."""

    text: Annotated[str, pydantic.Field(description="what was bought")]
    count: int | None = None


class Invoice(pydantic.BaseModel):
    kind: Literal["invoice"]
    status: Status
    due: date | None
    total: float
    paid: bool = False
    lines: Annotated[list[Line], pydantic.Field(min_length=1, max_length=9)]
    first: Line


class Receipt(pydantic.BaseModel):
    kind: Literal["receipt"]
    number: int


def test_a_class_has_the_outline_of_its_flat_schema() -> None:
    line = {
        "title": "Line",
        "description": "One line.",
        "type": "object",
        "properties": {
            "text": {"title": "Text", "description": "what was bought", "type": "string"},
            "count": {"title": "Count", "type": ["integer", "null"]},
        },
        "required": ["text"],
    }
    flat = {
        "title": "Invoice",
        "type": "object",
        "properties": {
            "kind": {"title": "Kind", "const": "invoice"},
            "status": {"title": "Status", "enum": ["open", "closed"]},
            "due": {"title": "Due", "type": ["string", "null"], "format": "date"},
            "total": {"title": "Total", "type": "number"},
            "paid": {"title": "Paid", "type": "boolean"},
            "lines": {"title": "Lines", "type": "array", "items": line, "minItems": 1, "maxItems": 9},
            "first": line,
        },
        "required": ["kind", "status", "due", "total", "lines", "first"],
    }
    assert TypeSource(Invoice).outline() == of(flat) == of(Invoice.model_json_schema())
    union = TypeSource(Invoice | Receipt).outline()
    assert union.alternatives == (TypeSource(Invoice).outline(), TypeSource(Receipt).outline())


def test_a_tuple_has_items_of_all_its_positions() -> None:
    item = Outline("union", options=(Outline("integer"), Outline("string")))
    assert TypeSource(tuple[int, str, int]).outline() == Outline("array", item=item, least=3, most=3)


# Keyword by keyword.

PART = {"properties": {"b": WHOLE}, "required": ["b"]}
CASES = {
    "allOf adds members": (
        {"properties": {"a": TEXT}, "required": ["a"], "allOf": [PART]},
        fields(a=Outline("string"), b=Outline("integer")),
    ),
    "allOf with a closed part forbids members": (
        {"properties": {"a": TEXT, "b": WHOLE}, "allOf": [{**PART, "additionalProperties": False}]},
        fields(b=Outline("integer")),
    ),
    "alternatives have the members around them": (
        {"properties": {"a": TEXT}, "required": ["a"], "anyOf": [PART, {}]},
        Outline(
            "union", options=(fields(a=Outline("string"), b=Outline("integer")), fields(a=Outline("string")))
        ),
    ),
    "alternatives that only require members are none": (
        {"properties": {"a": TEXT}, "required": ["a"], "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        Outline.of_fields([Field("a", Outline("string")), Field("b", ANY, required=False)]),
    ),
    "alternatives that only bound a value are one": (
        {"type": "string", "anyOf": [{"pattern": "^a"}, {"maxLength": 3}]},
        Outline("string"),
    ),
    "alternatives may differ in what they bound": (
        {"anyOf": [{"minimum": 0}, {"maxLength": 3}]},
        Outline("union", options=(Outline("number"), Outline("string"))),
    ),
    "alternatives that contradict what is around them are dropped": (
        {"type": "object", "properties": {"a": TEXT}, "anyOf": [WHOLE, {"required": ["a"], "type": "object"}]},
        fields(a=Outline("string")),
    ),
    "conditions add members that may be absent": (
        {"properties": {"a": TEXT}, "required": ["a"], "if": {"properties": {"a": {"const": "x"}}}, "then": PART},
        Outline.of_fields([Field("a", Outline("string")), Field("b", Outline("integer"), required=False)]),
    ),
    "required members need no properties": ({"type": "object", "required": ["a"]}, fields(a=ANY)),
    "members that cannot be are left out": ({"properties": {"a": False}}, fields()),
    "constants are those that all else admits, in order and exactly": (
        {"type": ["string", "number"], "enum": ["bb", 2.0, None, "a"], "not": {"const": "a"}},
        Outline("enum", options=("bb", 2.0), said=("bb",)),
    ),
    "a constant may be an object": ({"const": {"a": [1]}}, Outline("const", options=({"a": [1]},))),
    "null alone": ({"type": "null"}, Outline("const", options=(None,))),
    "OpenAPI's nullable": ({"nullable": True, "allOf": [TEXT]}, Outline("string", nullable=True)),
    "types stay in order": (
        {"type": ["number", "null", "string"]},
        Outline("union", nullable=True, options=(Outline("number"), Outline("string"))),
    ),
    "alternatives stay in order": (
        {"properties": {"a": {"anyOf": [TEXT, WHOLE]}, "b": {"anyOf": [WHOLE, TEXT]}}, "required": ["a", "b"]},
        fields(
            a=Outline("union", options=(Outline("string"), Outline("integer"))),
            b=Outline("union", options=(Outline("integer"), Outline("string"))),
        ),
    ),
    "keywords of one type name it": ({"minimum": 3}, Outline("number")),
    "a reference into itself is any": (
        {"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"t": {"$ref": "#/$defs/t"}}, "required": ["t"]}}},
        fields(t=ANY),
    ),
    "arrays of nothing are empty": ({"items": False}, Outline("array", item=ANY, most=0)),
    "whatever has no meaning is any": ({"description": "x"}, Outline("any", said=("x",))),
    "patterns that are refused do not show": ({"type": "string", "pattern": r"(a)\1"}, Outline("string")),
    "true": (True, ANY),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "outline"), CASES.values(), ids=CASES)
def test_each_keyword_shows_as_it_should(schema: Any, outline: Outline) -> None:
    found = of(schema)
    assert found == outline
    assert repr(found) == repr(outline)  # 2.0 is not 2, true is not 1


def test_draft_7_hides_what_stands_beside_a_reference() -> None:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": PART}}
    assert of({**schema, "$ref": "#/definitions/a", "properties": {"x": TEXT}}) == fields(
        b=Outline("integer")
    )


def test_definitions_that_multiply_are_outlined_in_time() -> None:
    chain = {f"d{i}": {"properties": {key: {"$ref": f"#/$defs/d{i + 1}"} for key in "ab"}} for i in range(40)}
    begin = time.thread_time()
    of({"$ref": "#/$defs/d0", "$defs": {**chain, "d40": WHOLE}})
    knot = {f"d{i}": {"properties": {f"p{j}": {"$ref": f"#/$defs/d{j}"} for j in range(9)}} for i in range(9)}
    assert of({"$ref": "#/$defs/d0", "$defs": knot}).kind == "object"
    assert time.thread_time() - begin < 5


def test_any_schema_has_an_outline_in_time() -> None:
    numbers = list(range(10_000))
    nested, union = {"type": "integer"}, {"type": "string"}
    for _ in range(3000):
        nested = {"allOf": [nested]}
    chain = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 3} for i in range(12)}
    parts = [{"anyOf": [{"properties": {f"a{i}{j}": {}}} for j in range(9)]} for i in range(9)]
    begin = time.thread_time()
    kept = of({"enum": numbers, "not": {"enum": numbers[::2]}}).options
    assert kept == tuple(numbers[1::2])
    assert of({"$ref": "#/$defs/d0", "$defs": {**chain, "d12": union}}).kind == "union"
    assert of({"allOf": parts}).kind == "union"
    assert of(nested) == ANY  # compiling refuses it
    assert time.thread_time() - begin < 15


def test_what_is_refused_is_any_and_compiling_says_why() -> None:
    schema = {"properties": {"a": {"$ref": "http://elsewhere.org/a"}, "b": WHOLE}, "required": ["a", "b"]}
    assert of(schema) == fields(a=ANY, b=Outline("integer"))
    with pytest.raises(Unsupported, match="leads out of the schema"):
        JsonSchema(schema).lower()


# Real schemas and their instances.

# Values of a type that the schema does not mention, which is not generated either (additional="declared").
SILENT = {
    *("Github_easy---o24467", "Github_hard---o71453", "Github_medium---o63383", "Github_medium---o72203"),
    "JsonSchemaStore---taurus",
}
NUMBERS = (int, float)
PYTHON = {
    "boolean": bool,
    "object": dict,
    "array": list,
    "integer": NUMBERS,
    "number": NUMBERS,
}  # others are strings


def fits(value: Any, outline: Outline) -> bool:
    """Whether a value is as the outline says."""
    if outline.kind == "any" or (value is None and outline.nullable):
        return True
    if outline.kind == "map":
        item = outline.item
        return isinstance(value, dict) and item is not None and all(fits(one, item) for one in value.values())
    if outline.kind == "union":
        return any(fits(value, one) for one in outline.options)
    if outline.kind in ("enum", "const"):
        return any(
            value == one and isinstance(value, bool) == isinstance(one, bool) for one in outline.options
        )
    if not isinstance(value, PYTHON.get(outline.kind, str)) or isinstance(value, bool) != (
        outline.kind == "boolean"
    ):
        return False
    if isinstance(value, list):
        enough = outline.least <= len(value) and (outline.most is None or len(value) <= outline.most)
        return enough and all(fits(one, outline.item or ANY) for one in value)
    if isinstance(value, dict):
        here = [field for field in outline.fields if field.required or field.name in value]
        return all(field.name in value and fits(value[field.name], field.value) for field in here)
    return outline.kind != "integer" or value == int(value)


def test_valid_instances_of_real_schemas_fit_their_outline() -> None:
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    seen = 0
    for group in maskbench(every=6):
        outline = of(group.schema)
        for value, valid in group.instances:
            if valid and group.name not in SILENT:
                assert fits(value, outline), group.name
                seen += 1
    assert seen > 300


# As plain values.


def rebuilt(plain: dict[str, Any]) -> Outline:
    options = [rebuilt(one) for one in plain["options"]] if plain["kind"] == "union" else plain["options"]
    return Outline(
        plain["kind"],
        plain["nullable"],
        tuple(Field(one["name"], rebuilt(one["value"]), one["required"]) for one in plain["fields"]),
        plain["item"] and rebuilt(plain["item"]),
        tuple(options),
        plain["least"],
        plain["most"],
        tuple(plain["said"]),
    )


@settings(max_examples=50, deadline=None)
@given(flat)
def test_an_outline_can_be_rebuilt_from_plain_values(schema: Any) -> None:
    outline = of(schema)
    assert rebuilt(json.loads(json.dumps(outline.plain()))) == outline
