"""Types as sources: what their constraint accepts, pydantic reads."""

# ruff: noqa: UP007, UP045 - the older spellings of unions are forms that people still pass
from __future__ import annotations

import datetime
import random
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union

import pytest
from pydantic import (
    UUID4,
    AnyUrl,
    Base64Bytes,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    FilePath,
    HttpUrl,
    StringConstraints,
    field_validator,
)

import structgen
from conformance.recogniser import recognises
from structgen.automata import Table, compile_bytes
from structgen.errors import InvalidSource, Rejected, Unsupported
from structgen.sources import Choices, JsonSchema, Regex, Source, Terms, TypeSource, as_source


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float = 0.0


class Pair(NamedTuple):
    left: int
    right: str


class Row(TypedDict, total=False):
    name: str


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Owner(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    total: Decimal = Field(ge=0, max_digits=6, decimal_places=2, alias="Total")
    born: datetime.date
    notes: list[str] | None = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    a: int


class Node(BaseModel):
    children: list[Node]


class Even(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def even(cls, n: int) -> int:
        if n % 2:
            raise ValueError("odd")
        return n


TYPES: list[Any] = [
    int, float, bool, str, None, Colour, Point, Pair, Row, Owner, Closed, Open, Cat,
    list[int], tuple[int, str], tuple[int, ...], dict[str, int], Optional[int], Union[int, str], Literal["a", 1, None],
    Decimal, Annotated[Decimal, Field(max_digits=4)], Annotated[Decimal, Field(decimal_places=1, lt=3)],
    Annotated[float, Field(gt=0, lt=0.1)], Annotated[int, Field(multiple_of=5, ge=-7)],
    datetime.date, datetime.time, datetime.datetime, datetime.timedelta, uuid.UUID, UUID4,
    IPv4Address, IPv6Address, EmailStr, AnyUrl, HttpUrl, Path, bytes, Base64Bytes,
    Annotated[bytes, Field(max_length=3)],
    Annotated[str, Field(pattern=r"^\W[^\d]\S$")], Annotated[str, Field(pattern="^[a-z]+$", max_length=3)],
    dict[Annotated[str, Field(pattern="^k")], int], Annotated[list[int], Field(min_length=1, max_length=2)],
]  # fmt: skip


def words(table: Table, count: int) -> Iterator[str]:
    """Random accepted texts: a walk that heads for acceptance once it has gone on for long enough."""
    rng = random.Random(0)
    delta, accepting = table.delta(), table.accepting
    symbols = [[b for b in range(256) if table.class_of[b] == k] for k in range(table.classes)]
    moves = [[(k, int(t)) for k, t in enumerate(row) if t and symbols[k]] for row in delta]
    distance = {int(s): 0 for s in accepting.nonzero()[0]}
    while True:  # shortest ways to acceptance
        better = {
            s: 1 + min(distance[t] for _, t in row if t in distance)
            for s, row in enumerate(moves)
            if s not in distance and any(t in distance for _, t in row)
        }
        if not better:
            break
        distance.update(better)
    for _ in range(count):
        state, out, patience = 1, bytearray(), rng.randint(0, 60)
        while not (accepting[state] and len(out) >= patience * (rng.random() < 0.9)):
            options = moves[state]
            if not options:
                break
            if len(out) >= patience:
                nearest = min(distance[t] for _, t in options)
                options = [(k, t) for k, t in options if distance[t] == nearest]
            label, state = rng.choice(options)
            out.append(rng.choice(symbols[label]))
        yield out.decode()


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_whatever_is_generated_is_read_back(type_: Any):
    model = TypeSource(type_)
    for text in words(compile_bytes(model.lower()), 40):
        model.parse(text)


@pytest.mark.parametrize(
    ("type_", "accepted", "rejected"),
    [
        (Colour, ['"red"'], ['"green"', "red"]),
        (Point, ['{"x": 1}', '{"x": 1, "y": 2.5}'], ['{"y": 1}']),
        (Pair, ['[1, "a"]'], ["[1]", '[1, "a", 2]']),
        (Row, ["{}", '{"name": ""}'], ['{"name": 1}']),
        (Optional[int], ["null", "3"], ["3.5"]),
        (Union[int, list[str]], ["3", '["a"]'], ["[3]"]),
        (Literal["a", 1], ['"a"', "1"], ["2"]),
        (dict[str, bool], ["{}", '{"a": true}'], ['{"a": 1}']),
        (Closed, ['{"a": 1}'], ['{"a": 1, "b": 2}']),
        (Open, ['{"a": 1}', '{"a": 1, "b": 2}'], ['{"a": 1, "b": "x"}']),
        (Owner, ['{"pet": {"kind": "cat", "lives": 9}, "Total": 12.50, "born": "2024-02-29"}'],
                ['{"pet": {"kind": "cat", "name": "x"}, "Total": 1, "born": "2024-02-29"}',
                 '{"pet": {"kind": "dog", "name": "x"}, "Total": 1.234, "born": "2024-02-29"}']),
        (datetime.time, ['"09:30:00"', '"09:30:00Z"'], ['"25:00:00"']),
        (Decimal, ["1.10", "-3", '"1.10"'], ['"x"']),
        (list[int], ["[]", "[1,2]"], ["[1,]", "1"]),
    ],
)  # fmt: skip
def test_types_accept_their_json(type_: Any, accepted: list[str], rejected: list[str]):
    constraint = structgen.compile(type_)
    assert [text for text in accepted if not constraint.accepts(text)] == []
    assert [text for text in rejected if constraint.accepts(text)] == []
    for text in accepted:
        assert constraint.parse(text) == TypeSource(type_).adapter.validate_json(text)


@pytest.mark.parametrize(
    ("type_", "keyword"),
    [
        (Annotated[set[datetime.datetime], Field(min_length=2)], "uniqueItems"),
        (Annotated[set[int | str], Field(min_length=2)], "uniqueItems"),
        (
            Annotated[set[Annotated[str, StringConstraints(to_lower=True)]], Field(min_length=2)],
            "uniqueItems",
        ),
        (Callable[[int], int], "type"),
        (FilePath, "type"),
    ],
)
def test_types_that_no_automaton_holds_are_refused(type_: Any, keyword: str | None):
    with pytest.raises(Unsupported) as error:
        TypeSource(type_).lower()
    assert error.value.keyword == keyword
    assert error.value.remedy


def test_a_type_that_pydantic_cannot_read_is_invalid():
    class Plain:
        def __init__(self, a: int):
            self.a = a

    with pytest.raises(InvalidSource, match="Plain"):
        TypeSource(Plain)


def test_a_validator_in_python_is_run_when_parsing():
    constraint = structgen.compile(Even)
    assert constraint.parse('{"n": 2}') == Even(n=2)
    with pytest.raises(Rejected, match="n: odd"):
        constraint.parse('{"n": 3}')


def test_as_source_knows_what_people_write():
    regex = Regex("a")
    assert as_source(regex) is regex
    assert isinstance(as_source({"type": "null"}), JsonSchema)
    assert isinstance(as_source(["a", "b"]), Choices)
    for type_ in (
        Owner,
        Point,
        Pair,
        Row,
        Colour,
        int,
        list[int],
        Literal["a"],
        Optional[int],
        int | None,
        None,
    ):
        assert isinstance(as_source(type_, Terms(whitespace="compact")), TypeSource)
    assert isinstance(as_source(Annotated[int, Field(gt=1)]), TypeSource)
    assert isinstance(regex, Source)


@pytest.mark.parametrize("spec", [3, "text", [1, 2], lambda: None, Regex, object(), [], b"", {1}])
def test_as_source_refuses_the_rest_in_one_sentence(spec: Any):
    with pytest.raises((InvalidSource, Unsupported)) as error:
        as_source(spec).lower()
    assert "\n" not in str(error.value)


class Leaf(TypedDict):
    name: str


class Branch(TypedDict):
    leaf: Leaf | None
    branches: list[Branch]


class Lost(TypedDict):
    leaf: Nowhere  # type: ignore[name-defined]  # noqa: F821


class Short(TypedDict):
    __pydantic_config__ = ConfigDict(str_max_length=2)  # type: ignore[misc]
    name: str


@dataclass
class Holder:
    leaf: Leaf


@pytest.mark.parametrize("type_", [Optional[Leaf], Leaf | None, list[Leaf | None]])
def test_a_typed_dict_inside_an_optional_is_read(type_: Any):
    assert structgen.compile(type_).accepts('{"name":"a"}') or structgen.compile(type_).accepts(
        '[{"name":"a"}]'
    )


def test_a_typed_dict_keeps_its_configuration():
    constraint = structgen.compile(Short)
    assert constraint.accepts('{"name":"ab"}')
    assert not constraint.accepts('{"name":"abc"}')


def test_a_recursive_typed_dict_is_refused():
    with pytest.raises(Unsupported, match="Branch is recursive"):
        TypeSource(Branch)


def test_an_unknown_annotation_is_invalid():
    with pytest.raises(InvalidSource, match="'Nowhere' is not defined"):
        TypeSource(Lost)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="pydantic reads them from Python 3.12 on")
def test_a_typed_dict_inside_a_dataclass_is_refused_in_one_sentence():
    with pytest.raises(InvalidSource, match=r"^pydantic cannot read Holder: .*typing_extensions.TypedDict"):
        TypeSource(Holder)


class Shade(Enum):
    LIGHT = "light"
    DARK = "dark"


@pytest.mark.parametrize(
    ("type_", "different", "repeated"),
    [
        (set[bool], "[true, false]", "[true, true]"),
        (frozenset[Shade], '["dark", "light"]', '["dark", "dark"]'),
        (set[Optional[Shade]], '[null, "dark"]', "[null, null]"),
        (set[Annotated[int, Field(ge=1, le=3)]], "[3, 1]", "[1, 2, 1]"),
        (set[Union[Literal["a"], bool]], '["a", true]', '["a", "a"]'),
    ],
)
def test_sets_of_a_few_values_hold_each_once(type_: Any, different: str, repeated: str):
    model = TypeSource(type_)
    grammar = model.lower()
    assert recognises(grammar, different)
    assert not recognises(grammar, repeated)
    assert model.relaxations() == []


def test_what_a_set_of_other_values_does_not_enforce_is_told():
    class Tags(BaseModel):
        tags: set[str]

    model = TypeSource(Tags)
    assert recognises(model.lower(), '{"tags": ["a", "a"]}')
    assert model.parse('{"tags": ["a", "a"]}').tags == {"a"}
    assert model.refusals() == []
    assert [(r.keyword, r.pointer) for r in model.relaxations()] == [
        ("uniqueItems", "/properties/tags/uniqueItems")
    ]
