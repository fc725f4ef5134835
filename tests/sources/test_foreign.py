"""Classes of attrs and msgspec: what is accepted, their own libraries read."""

from __future__ import annotations

import datetime
import decimal
import random
import uuid
from typing import Annotated, Any, Literal, Optional, Union

import pytest

from conformance.recogniser import recognises
from conformance.sampler import Sampler
from structgen.errors import InvalidSource, Rejected, Unsupported
from structgen.sources import TypeSource

attrs = pytest.importorskip("attrs")
msgspec = pytest.importorskip("msgspec")
# ruff: noqa: UP007, UP045 - the older spellings of unions are forms that people still write


@attrs.define
class Point:
    a: int
    b: str = "x"


@attrs.frozen
class Node:
    v: int
    kids: list[Node] = attrs.field(factory=list)
    _private: int = 3
    point: Optional[Point] = None
    derived: int = attrs.field(init=False, default=0)


@attrs.define
class Positive:
    a: int = attrs.field(validator=attrs.validators.ge(0))


class Pair(msgspec.Struct):
    a: int
    b: str = "x"


class Small(msgspec.Struct, tag=True):
    a: Annotated[int, msgspec.Meta(ge=0, le=9)]
    b: bytes = b""


class Named(msgspec.Struct, tag="named", rename="camel"):
    my_a: Annotated[str, msgspec.Meta(pattern="^a", max_length=3)]
    day: Union[datetime.date, msgspec.UnsetType, None] = msgspec.UNSET
    below: dict[int, Named] = {}  # noqa: RUF012


class Everything(msgspec.Struct, kw_only=True):
    a: datetime.datetime
    b: datetime.timedelta
    c: uuid.UUID
    d: decimal.Decimal
    e: set[int]
    f: tuple[int, str]
    g: Any
    h: Literal["a", 1]
    i: datetime.time = datetime.time()
    j: dict[str, float]
    pair: Optional[Pair] = None


class Row(msgspec.Struct, array_like=True):
    a: int


ATTRS: list[tuple[Any, str, Any]] = [
    (Point, '{"a":1,"b":"y"}', Point(1, "y")),
    (Node, '{"v":1,"kids":[{"v":2}],"private":4,"point":{"a":1}}', Node(1, [Node(2)], 4, Point(1))),
    (list[Point], '[{"a":1}]', [Point(1)]),
    (dict[str, Union[Point, int]], '{"x":{"a":1},"y":2}', {"x": Point(1), "y": 2}),
]
STRUCTS: list[tuple[Any, str]] = [
    (Pair, '{"a":1,"b":"y"}'),
    (Union[Small, Named], '{"type":"Small","a":3,"b":"aGk="}'),
    (Union[Small, Named], '{"type":"named","myA":"ab","below":{"3":{"type":"named","myA":"a"}}}'),
    (Everything, '{"a":"2024-01-01T00:00:00","b":"PT1H","c":"123e4567-e89b-12d3-a456-426614174000","d":"1.5","e":[1],'
                 '"f":[1,"x"],"g":null,"h":"a","j":{"x":1}}'),
]  # fmt: skip


def texts(model: TypeSource) -> list[str]:
    sampler = Sampler(model.lower(), random.Random(0))
    return [sampler.text() for _ in range(60)]


@pytest.mark.parametrize(("type_", "text", "value"), ATTRS, ids=str)
def test_classes_of_attrs_are_made_of_what_is_accepted(type_: Any, text: str, value: Any):
    model = TypeSource(type_)
    assert recognises(model.lower(), text)
    assert model.parse(text) == value
    assert model.relaxations() == []
    for other in texts(model):
        model.parse(other)


def test_validators_of_attrs_are_told_and_reject():
    model = TypeSource(Positive)
    assert [told.keyword for told in model.relaxations()] == ["validator"]
    with pytest.raises(Rejected, match="must be >= 0"):
        model.parse('{"a":-1}')


@pytest.mark.parametrize(("type_", "text"), STRUCTS, ids=str)
def test_structs_are_read_as_msgspec_reads_them(type_: Any, text: str):
    model = TypeSource(type_)
    assert recognises(model.lower(), text)
    assert model.parse(text) == msgspec.json.decode(text, type=type_)
    for other in texts(model):
        msgspec.json.decode(other, type=type_)
        model.parse(other)


def test_structs_that_are_arrays_are_refused():
    with pytest.raises(Unsupported, match="array_like"):
        TypeSource(Row)


def test_types_that_do_not_exist_are_named():
    @attrs.define
    class Lost:
        a: Nowhere  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InvalidSource, match="'Nowhere' is not defined"):
        TypeSource(Lost)
