"""Keywords that nobody knows are annotations, and so are formats; a keyword that is one misspelled is refused."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import structgen as sg
from conformance.suites import MASKBENCH, maskbench
from structgen.sources.json_schema.keywords import ANNOTATIONS, OBSOLETE
from structgen.sources.json_schema.misspelt import FITS, distance, meant

# What real schemas and the tools that read them write beside JSON Schema's own words.
REAL = {
    "version": "2", "readonly": True, "propertyOrder": 3, "javaType": "String", "links": [], "nullable_": 1,
    "example": 1, "_id": "x", "ID": "x", "constant": 1, "enumNames": ["a"], "extends": {"$ref": "#"}, "descripton": "x",
    "ui:widget": "textarea", "options": {"hidden": True}, "multiple": True, "propertyName": "kind", "format_hint": "x",
    "formats": ["a"], "units": "m", "note": "n", "types": "string", "minWidth": 3, "maxHeight": 4, "requires": ["log"],
    "requiredWhen": "x", "when": {"a": 1}, "allow": ["a"], "deny": [], "strictProperties": True, "errorMessage": "no",
    "$target": "x", "_format": "uri", "_uniqueItems": True, "x-order": 1, "comment": "c", "default-value": 1,
    "unit": "m",
    "minDate": "2020-01-01", "order": 1, "widget": "w", "const_name": "x", "cost": 3, "container": {}, "then_by": "x",
    "ref": "User", "nillable": True, "patternError": "x", "pattern_message": "x", "typeName": "T", "elements": {},
    "title_": "x", "Description": "x", "definations": {}, "required_by": "x", "requirement": "x", "enumDescription": [],
}  # fmt: skip
MISSPELT = [
    ("requierd", ["a"], "required"), ("Required", ["a"], "required"), ("reqiured", ["a"], "required"),
    ("require", True, "required"), ("allowAdditionalProperties", False, "additionalProperties"),
    ("additonalProperties", False, "additionalProperties"), ("additionalProperties:", "False", "additionalProperties"),
    ("additional_properties", False, "additionalProperties"), ("additionalProperty", False, "additionalProperties"),
    ("minlength", 3, "minLength"), ("min_length", 3, "minLength"), ("maxLenght", 3, "maxLength"), ("max-items", 3,
    "maxItems"),
    ("minium", 1, "minimum"), ("exclusiveMinimumm", True, "exclusiveMinimum"), ("pettern", "^mm$", "pattern"),
    ("propertys", {"a": {}}, "properties"), ("proprties", {"a": {}}, "properties"), ("item", {"type": "null"}, "items"),
    ("emum", ["a"], "enum"), ("Enum", ["a"], "enum"), ("onOf", [{}], "oneOf"), ("anyof", [{}], "anyOf"), ("Type",
    "null", "type"),
    ("type:", "string", "type"), ("ref", "#/$defs/a", "$ref"), ("uniqueitems", True, "uniqueItems"), ("Format",
    "date", "format"),
]  # fmt: skip
SURELY = {"x": {"type": "integer"}, "y": {"type": "string", "minLength": 1}}


@pytest.mark.parametrize("keyword", REAL)
def test_what_real_schemas_write_beside_json_schema_changes_nothing(keyword: str):
    plain = {"type": "object", "properties": SURELY}
    noted = {
        **plain,
        keyword: REAL[keyword],
        "properties": {**SURELY, "x": {**SURELY["x"], keyword: REAL[keyword]}},
    }
    assert sg.JsonSchema(noted).lower().fingerprint == sg.JsonSchema(plain).lower().fingerprint


@pytest.mark.parametrize(("keyword", "value", "known"), MISSPELT)
def test_a_misspelled_keyword_is_refused_with_the_right_one(keyword: str, value: Any, known: str):
    schema = {"type": "object", "properties": {"a": {"type": "string", keyword: value}}}
    with pytest.raises(sg.Unsupported, match=rf"did you mean {known.replace('$', '[$]')}\?") as error:
        sg.compile(schema)
    assert (error.value.keyword, error.value.pointer) == (keyword, f"/properties/a/{keyword}")
    assert 'unknown="annotations"' in str(error.value)
    assert sg.compile(schema, unknown="annotations").accepts('{"a":"x"}')


@given(st.sampled_from(sorted(FITS)), st.data())
def test_no_keyword_and_no_annotation_is_near_to_being_another_ones_misspelling(
    keyword: str, data: st.DataObject
):
    other = data.draw(st.sampled_from(sorted({*ANNOTATIONS, *OBSOLETE})))
    assert meant(other, data.draw(st.sampled_from([True, 1, "string", {}, ["a"], [{}]])), ANNOTATIONS) is None
    assert distance(keyword, other) == distance(other, keyword)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_of_names_counts_slips(left: str, right: str, more: str):
    assert (distance(left, right) == 0) == (left == right)
    assert distance(left, right) <= max(len(left), len(right))
    assert distance(left, left + more) == len(more)
    if len(left) > 1 and left[0] != left[1]:
        assert distance(left, left[1] + left[0] + left[2:]) == 1


def test_unknown_formats_say_nothing_unless_they_are_to_be_refused():
    schema = {"type": "string", "format": "postcode"}
    assert sg.JsonSchema(schema).lower().start is sg.JsonSchema({"type": "string"}).lower().start
    assert sg.JsonSchema(schema, unknown="annotations").lower().start is sg.JsonSchema(schema).lower().start
    with pytest.raises(sg.Unsupported, match='pass unknown="ignore"') as error:
        sg.compile(schema, unknown="refuse")
    assert error.value.pointer == "/format"


def test_all_unknown_keywords_can_be_refused():
    with pytest.raises(sg.Unsupported, match=r'colour is not a keyword .*; .*pass unknown="ignore"') as error:
        sg.compile({"type": "string", "colour": "red"}, unknown="refuse")
    assert error.value.pointer == "/colour"
    sg.compile({"type": "string", "x-colour": "red", "title": "t"}, unknown="refuse")


class Widget(BaseModel):
    """A class whose schema says more than pydantic does."""

    a: str = Field(json_schema_extra={"widget": "textarea", "format": "markdown"})
    b: Annotated[int, Field(json_schema_extra={"propertyOrder": 1})] = 0


class Slip(BaseModel):
    """A class with a misspelled constraint."""

    a: str = Field(json_schema_extra={"maxLenght": 3})


def test_classes_may_say_more_too():
    assert sg.compile(Widget).accepts('{"a":"x","b":2}')
    with pytest.raises(sg.Unsupported, match="did you mean maxLength"):
        sg.compile(Slip)
    assert sg.compile(Slip, unknown="annotations").accepts('{"a":"long enough"}')


def test_no_type_of_pydantic_is_widened_because_its_format_is_unknown():
    from fractions import Fraction
    from ipaddress import IPv4Interface, IPv6Network
    from zoneinfo import ZoneInfo

    import pydantic
    from pydantic_core import MultiHostUrl

    types = [
        Fraction,
        IPv4Interface,
        IPv6Network,
        ZoneInfo,
        complex,
        MultiHostUrl,
        pydantic.FilePath,
        pydantic.Json,
    ]
    types += [pydantic.IPvAnyAddress, pydantic.IPvAnyNetwork, pydantic.NameEmail, pydantic.DirectoryPath]
    for type_ in types:
        try:
            constraint = sg.compile(type_)
        except sg.StructgenError:
            continue
        assert not constraint.accepts('"surely not"'), type_


def test_few_real_schemas_are_taken_for_misspelled():
    """Each of these has been looked at: a typing error of its author's."""
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    typing_errors = {
        "type:", "item", "additonalProperties", "oneof", "exclusiveMinimumm", "aditionalItems", "additional_properties",
        "maxmimum", "additionalitems", "minium", "onOf", "additionalProperties:", "anyof", "minLenght", "emum",
        "pettern",
    }  # fmt: skip
    found = {keyword for group in maskbench() for keyword in _misspelt(group.schema)}
    assert found <= typing_errors
    assert len(found) > len(typing_errors) // 2


def _misspelt(schema: Any) -> set[str]:
    """The keywords taken for misspelled ones, anywhere but among names that the schema itself gives."""
    if isinstance(schema, list):
        return set().union(*map(_misspelt, schema))
    if not isinstance(schema, dict):
        return set()
    named = {"properties", "patternProperties", "definitions", "$defs", "dependencies"}
    inside = [
        _misspelt(list(part.values()) if keyword in named and isinstance(part, dict) else part)
        for keyword, part in schema.items()
        if keyword in FITS or keyword in named
    ]
    own = {
        keyword
        for keyword, part in schema.items()
        if keyword not in FITS and keyword not in ANNOTATIONS and meant(keyword, part, ANNOTATIONS)
    }
    return own.union(*inside)


@pytest.mark.parametrize("spec", [True, sg.JsonSchema(True), {}])
def test_the_schema_that_allows_everything_compiles(spec: Any):
    constraint = sg.compile(spec)
    assert all(map(constraint.accepts, ["1", "null", '{"a":[1,{"b":"x"}]}']))
    assert not constraint.accepts("nul")


@pytest.mark.parametrize("spec", [False, sg.JsonSchema(False), {"not": {}}])
def test_the_schema_that_allows_nothing_is_unsatisfiable(spec: Any):
    with pytest.raises(sg.Unsatisfiable):
        sg.compile(spec)
