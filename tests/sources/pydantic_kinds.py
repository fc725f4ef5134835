"""The kinds of things that people write in pydantic classes: each a type, and JSON texts that it takes or does not."""

# ruff: noqa: UP007, UP045 - the older spellings of unions are forms that people still write
from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import fractions
import ipaddress
import json
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypeVar,
    Union,
)

import annotated_types as at
import pydantic as p
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.color import Color
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema
from typing_extensions import TypeAliasType, TypedDict

UTC = dt.UTC


@dataclasses.dataclass(frozen=True)
class Kind:
    """A type, texts that it takes and texts that it does not.

    told: what `relaxations` says of it, by keyword; anything else that is accepted must be read back
    """

    type_: Any
    takes: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()


KINDS: dict[str, Kind] = {}
REFUSED: dict[str, Any] = {}


def kind(name: str, type_: Any, *takes: str, not_: Sequence[str] = (), told: str = "") -> None:
    """Add a kind to the table."""
    assert name not in KINDS, name
    KINDS[name] = Kind(type_, takes, tuple(not_), frozenset(told.split()))


def quoted(*values: str) -> list[str]:
    """Values as JSON strings."""
    return [json.dumps(value, ensure_ascii=False) for value in values]


def keys(*values: str) -> list[str]:
    """Values as keys of an object."""
    return [json.dumps({value: 1}) for value in values]


# Numbers -------------------------------------------------------------------------------------------------

kind(
    "strict numbers",
    tuple[p.StrictInt, p.StrictFloat, p.StrictBool],
    "[1,1.5,true]",
    not_=["[1.5,1,true]", "[1,1,1]"],
)
kind("int between", Annotated[int, Field(gt=-3, lt=7)], "0", "-2", not_=["-3", "7"])
kind("int steps", Annotated[int, Field(multiple_of=3, ge=0)], "9", not_=["4", "-3"])
kind("float steps", Annotated[float, Field(multiple_of=0.5)], "1.5", "2", not_=["1.25"])
kind("float between", Annotated[float, Field(gt=0, le=1)], "0.5", "1", not_=["0", "1.01"])
kind("float below, from minus infinity", Annotated[float, Field(ge=float("-inf"), lt=3)], "2", not_=["3"])
kind("finite float", p.FiniteFloat, "1e5")
kind("decimal", Decimal, '"1.10"', "1.10", "-3", not_=['"x"'])
kind(
    "decimal digits",
    p.condecimal(max_digits=5, decimal_places=2),
    '"123.45"',
    "123.45",
    "1",
    not_=["1234.5", '"1.234"'],
)
kind("decimal all digits", p.condecimal(max_digits=3), '"1.5"', "999", not_=["1000", '"0.1234"'])
kind("decimal between", p.condecimal(ge=Decimal(0), lt=Decimal(10)), '"1.5"', "9.9", not_=["10", '"-1"'])
kind("decimal steps", p.condecimal(multiple_of=Decimal("0.25")), '"1.25"', "2.5", not_=["0.3"])
kind("fraction", fractions.Fraction, '"1/3"', "0.5", "2", not_=['"1/0"'])
kind("fraction above", Annotated[fractions.Fraction, Field(gt=0)], "0.5", not_=["-1"])
kind("complex", complex, '"1+2j"', "1.5", not_=['"x"', "[1,2]"])
kind("size in bytes", p.ByteSize, '"1KB"', '"1.5 GiB"', "1024", not_=['"1 XB"', "-1"])
kind("interval", Annotated[int, at.Interval(ge=1, lt=5)], "4", not_=["5"])
kind("steps of a tenth", Annotated[float, at.MultipleOf(0.1)], "0.3")

# Strings -------------------------------------------------------------------------------------------------


class Engine(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    a: Annotated[str, Field(pattern=r"^(?!foo)\w+$")]


class Stripped(BaseModel):
    model_config = ConfigDict(
        str_strip_whitespace=True, str_min_length=2, str_max_length=4, str_to_lower=True
    )
    a: str
    b: Annotated[str, Field(min_length=1)]


class Secrets(BaseModel):
    a: Annotated[p.SecretStr, Field(min_length=3)]
    b: p.SecretBytes
    c: p.Secret[int]
    d: Annotated[p.SecretBytes, Field(max_length=2)]


class Hex(BaseModel):
    model_config = ConfigDict(val_json_bytes="hex")
    a: bytes
    b: Annotated[bytes, Field(min_length=1, max_length=2)]


class InBase64(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64")
    a: bytes


trimmed = p.StringConstraints(strip_whitespace=True, min_length=3)
lower = p.StringConstraints(
    strip_whitespace=True, to_lower=True, min_length=1, max_length=8, pattern="^[a-z]+$"
)
kind(
    "words of any language",
    p.constr(min_length=2, max_length=5, pattern=r"^\w+$"),
    *quoted("Mül"),
    not_=quoted("a b"),
)
kind("no digits", Annotated[str, Field(pattern=r"^\D+$", max_length=4)], '"ab"', not_=['"a1"', *quoted("a٣")])
kind("Python's engine", Engine, '{"a":"Müller"}', not_=['{"a":"foobar"}'])
kind(
    "compiled pattern",
    Annotated[str, Field(pattern=re.compile("^a.c$", re.I | re.S))],
    '"ABC"',
    '"a\\nc"',
    not_=['"ab"'],
)
kind("compiled ASCII", Annotated[str, Field(pattern=re.compile(r"^\w+$", re.A))], '"abc"', not_=quoted("é"))
kind("stripped and counted", Annotated[str, trimmed], '"abc"', not_=['" ab "', '"\\u0085ab"'])
kind("stripped, lowered, matched", Annotated[str, lower], '"abc"', not_=['"ABC"', '""'])
kind(
    "stripped and matched",
    Annotated[str, p.StringConstraints(strip_whitespace=True, pattern="^a b$")],
    '"a b"',
)
kind(
    "upper and matched",
    Annotated[str, p.StringConstraints(to_upper=True, pattern="^[A-Z]+$")],
    '"AB"',
    not_=['"ab"'],
)
kind(
    "strings by configuration",
    Stripped,
    '{"a":"ab","b":"abc"}',
    not_=['{"a":"a","b":"a"}', '{"a":"abcde","b":"a"}'],
)
kind("secrets", Secrets, '{"a":"abc","b":"x","c":1,"d":"a"}', not_=['{"a":"ab","b":"x","c":1,"d":"a"}'])
kind("secret date", p.Secret[dt.date], '"2024-01-01"', not_=['"x"'])
kind("bytes counted", p.conbytes(min_length=1, max_length=3), '"ab"', not_=['"abcd"', '""'])
kind("bytes in hex", Hex, '{"a":"6869","b":"00"}', not_=['{"a":"6","b":"00"}', '{"a":"","b":""}'])
kind("bytes in base64", InBase64, '{"a":"aGk="}', not_=['{"a":"aGl="}'])
kind("Base64Bytes", p.Base64Bytes, '"aGVsbG8="', not_=['"a"'])
kind("Base64Str", p.Base64Str, '"aGVsbG8="', not_=['"++pz"'])
kind("Base64UrlStr", p.Base64UrlStr, '"aGVsbG8="')

# Times ---------------------------------------------------------------------------------------------------

TWO = dt.timezone(dt.timedelta(hours=2))


class Spans(BaseModel):
    model_config = ConfigDict(ser_json_timedelta="float")
    a: dt.timedelta = dt.timedelta(1)


kind("date", dt.date, '"2024-02-29"', not_=['"2023-02-29"'])
kind("date from", Annotated[dt.date, Field(ge=dt.date(2020, 1, 1))], '"2021-01-01"', not_=['"2019-12-31"'])
kind(
    "date between",
    p.condate(gt=dt.date(2020, 1, 31), lt=dt.date(2020, 3, 2)),
    '"2020-02-29"',
    '"2020-03-01"',
    not_=['"2020-01-31"', '"2020-02-30"', '"2020-03-02"'],
)
kind("past date", p.PastDate, '"2020-01-01"', not_=['"2999-01-01"'], told="format")
kind("future date", p.FutureDate, '"2999-01-01"', not_=['"2020-01-01"'], told="format")
kind(
    "past datetime",
    p.PastDatetime,
    '"2020-01-01T00:00:00Z"',
    '"2020-01-01T00:00:00"',
    told="format",
    not_=['"2999-01-01T00:00:00Z"'],
)
kind(
    "future datetime",
    p.FutureDatetime,
    '"2999-01-01T00:00:00+02:00"',
    not_=['"2020-01-01T00:00:00"'],
    told="format",
)
kind("aware", p.AwareDatetime, '"2024-02-29T08:48:00+02:00"', not_=['"2024-02-29T08:48:00"'])
kind("naive", p.NaiveDatetime, '"2024-02-29T08:48:00"', not_=['"2024-02-29T08:48:00Z"'])
kind(
    "aware from",
    Annotated[p.AwareDatetime, Field(ge=dt.datetime(2020, 1, 1, tzinfo=UTC))],
    '"2020-01-01T00:00:00Z"',
    not_=['"2019-12-31T23:59:59Z"'],
)
kind(
    "datetime after, in a zone",
    Annotated[dt.datetime, Field(gt=dt.datetime(2020, 1, 1, tzinfo=TWO))],
    '"2019-12-31T22:00:00.000001Z"',
    not_=['"2019-12-31T22:00:00Z"', '"2020-01-01T00:00:00+02:00"'],
)
kind(
    "datetime before",
    Annotated[dt.datetime, Field(lt=dt.datetime(2020, 1, 1, 12, 30, 15, 500))],
    '"2020-01-01T12:30:15.000499"',
    not_=['"2020-01-01T12:30:15.0005"', '"2020-01-01T12:30:16"'],
)
kind(
    "naive under an aware bound",
    Annotated[p.NaiveDatetime, Field(ge=dt.datetime(2020, 1, 1, tzinfo=UTC))],
    '"2021-01-01T00:00:00"',
    not_=['"2019-01-01T00:00:00"'],
)
kind(
    "aware under a naive bound",
    Annotated[p.AwareDatetime, Field(ge=dt.datetime(2020, 1, 1))],
    '"2021-01-01T00:00:00Z"',
)
kind(
    "time between",
    Annotated[dt.time, Field(ge=dt.time(9), lt=dt.time(17, 30))],
    '"09:00:00"',
    '"17:29:59.9"',
    not_=['"08:59:59"', '"17:30:00"'],
)
kind(
    "time from, in a zone",
    Annotated[dt.time, Field(ge=dt.time(9, tzinfo=UTC))],
    '"10:00:00Z"',
    not_=['"08:00:00Z"'],
)
kind("duration", dt.timedelta, '"P1DT2H"', '"PT1H30S"')
kind(
    "duration up to",
    Annotated[dt.timedelta, Field(le=dt.timedelta(hours=1))],
    '"PT1H"',
    '"PT30M"',
    '"PT60M"',
    '"PT0S"',
    not_=['"PT1H0.5S"', '"P1D"', '"PT61M"'],
)
kind(
    "duration between",
    Annotated[dt.timedelta, Field(gt=dt.timedelta(0), le=dt.timedelta(days=3))],
    '"P2DT3H"',
    not_=['"PT0S"', '"P3DT0.1S"'],
)
kind(
    "negative duration",
    Annotated[dt.timedelta, Field(ge=dt.timedelta(hours=-1), lt=dt.timedelta(0))],
    '"-PT30M"',
    not_=['"PT1S"', '"-PT2H"'],
)
kind("duration by configuration", Spans, '{"a":"PT1H"}')
kind("date or datetime", Union[dt.date, dt.datetime, int], '"2024-01-01"', '"2024-01-01T00:00:00"', "3")
kind("time zone", zoneinfo.ZoneInfo, '"Europe/Paris"', not_=['"Europe/Atlantis"'])

# Identifiers and addresses -------------------------------------------------------------------------------

for number in (1, 3, 4, 5, 6, 7, 8):
    kind(f"UUID{number}", getattr(p, f"UUID{number}"), f'"123e4567-e89b-{number}2d3-a456-426614174000"')
kind("UUID", uuid.UUID, '"123e4567-e89b-12d3-a456-426614174000"', not_=['"x"'])
kind("IPv4", ipaddress.IPv4Address, '"10.0.0.1"', not_=['"10.0.0.256"'])
kind("IPv6", ipaddress.IPv6Address, '"::1"', not_=['"1:2"'])
kind("IPvAnyAddress", p.IPvAnyAddress, '"10.0.0.1"', '"::1"', not_=['"x"'])
kind("IPv4Network", ipaddress.IPv4Network, '"10.0.0.0/8"', '"10.1.2.3"', not_=['"10.0.0.1/8"'])
kind("IPv6Network", ipaddress.IPv6Network, '"2001:db8::/32"', '"::/0"', not_=['"2001:db8::/16"'])
kind("IPvAnyNetwork", p.IPvAnyNetwork, '"10.0.0.0/8"', '"2001:db8::/32"')
kind("IPv4Interface", ipaddress.IPv4Interface, '"10.0.0.1/8"', not_=['"10.0.0.1/33"'])
kind("IPv6Interface", ipaddress.IPv6Interface, '"::1/64"')
kind("IPvAnyInterface", p.IPvAnyInterface, '"10.0.0.1/8"', '"::1/64"')
kind("AnyUrl", p.AnyUrl, '"ftp://x.y/z"', '"mailto:a@b.com"', '"file:///a/b"', not_=['"x"'])
kind(
    "HttpUrl",
    p.HttpUrl,
    '"https://ex.com/a?b=c"',
    '"http://localhost:8000"',
    not_=['"ftp://x.y/z"'],
    told="maxLength",
)
for name, text in {
    "FileUrl": "file:///a/b", "WebsocketUrl": "wss://a.b/c", "FtpUrl": "ftp://a.b/c", "PostgresDsn": "postgres://u:p@h:1/db",
    "RedisDsn": "redis://localhost:6379/0", "MongoDsn": "mongodb://a:1,b:2/db", "AmqpDsn": "amqp://u:p@h:1/v",
    "KafkaDsn": "kafka://h:9092", "NatsDsn": "nats://h:4222", "MySQLDsn": "mysql://u:p@h/db", "MariaDBDsn": "mariadb://h/db",
    "CockroachDsn": "cockroachdb://u@h:1/db",
}.items():  # fmt: skip
    told = "maxLength" if name == "WebsocketUrl" else ""
    kind(name, getattr(p, name), json.dumps(text), not_=['"gopher://h/"', '"x"'], told=told)
constrained = p.UrlConstraints(allowed_schemes=["git+ssh"], host_required=True)
kind("constrained URL", Annotated[p.AnyUrl, constrained], '"git+ssh://h/x"', not_=['"ssh://h/x"'])
kind(
    "EmailStr",
    p.EmailStr,
    *quoted("jörg@müller.de", "info@shop.example", "a@xn--mller-kva.de", "用户@例え.com"),
    not_=quoted("no at sign", "a@b.test", "a@b"),
)
kind("NameEmail", p.NameEmail, '"A B <a@ex.com>"', '"a@ex.com"', not_=['"A B <a>"'])
kind("colour", Color, '"red"', '"#ff0000"', not_=['"reddish"'])
kind("path", pathlib.Path, '"/a/b"')
kind("pure path", pathlib.PurePosixPath, '"/a/b"')
kind("pattern", re.Pattern, '"^x"', r'"^[a-z]+\\d{3}$"', not_=['"("', '"a{2,1}"'])
kind("pattern of strings", re.Pattern[str], '"(a|b)*"')

# Constants -----------------------------------------------------------------------------------------------


class Count(enum.IntEnum):
    A = 1
    B = 2


class Letter(enum.StrEnum):
    X = "x"


class Half(float, enum.Enum):
    H = 0.5


class Mixed(enum.Enum):
    R = "r"
    G = 1
    N = None
    T = (1, 2)


class Forgiving(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> Forgiving:
        return cls.A


class Modes(enum.Flag):
    A = 1
    B = 2
    C = 4


class IntModes(enum.IntFlag):
    A = 1
    B = 4


class ByValue(BaseModel):
    model_config = ConfigDict(use_enum_values=True)
    a: Count = Count.A
    b: Letter


kind("IntEnum", Count, "1", not_=["3"])
kind("StrEnum", Letter, '"x"', not_=['"X"'])
kind("float enum", Half, "0.5")
kind("enum of all sorts", Mixed, '"r"', "1", "null", not_=["[1,2]", "2"])
kind("forgiving enum", Forgiving, '"a"')
kind("flags", Modes, "1", "5", not_=["8"])
kind("int flags", IntModes, "5")
kind("enum by value", ByValue, '{"b":"x"}')
kind("literal of enums", Literal[Count.A, Letter.X], "1", '"x"', not_=["2"])
kind("literal of all sorts", Literal[1, "1", False, None], "1", '"1"', "false", "null", not_=["2", '"x"'])
kind("literal true", Literal[True], "true", not_=["false"])

# Keys of dicts -------------------------------------------------------------------------------------------


class StrictKeys(BaseModel):
    model_config = ConfigDict(strict=True)
    a: dict[Count, int]
    b: dict[bool, int]
    c: dict[dt.date, int]
    d: dict[float, int]


key = p.StringConstraints(pattern="^[a-z]+$", max_length=3)
stripped_key = p.StringConstraints(strip_whitespace=True, min_length=1)
for name, type_, good, bad in [
    ("int", int, ["5", "-3"], ["x", "1.5"]),
    ("small int", Annotated[int, Field(ge=1, le=10)], ["5"], ["11", "0"]),
    ("IntEnum", Count, ["1"], ["3"]),
    ("StrEnum", Letter, ["x"], ["y"]),
    ("float enum", Half, ["0.5"], ["1"]),
    ("bool", bool, ["true"], ["x"]),
    ("float", float, ["1.5"], ["x"]),
    ("decimal", Decimal, ["1.5"], ["x"]),
    ("literal", Literal["a", "b"], ["a"], ["c"]),
    ("constr", Annotated[str, key], ["abc"], ["abcd", "1"]),
    ("stripped", Annotated[str, stripped_key], ["a"], [" "]),
    ("UUID", uuid.UUID, ["123e4567-e89b-12d3-a456-426614174000"], ["x"]),
    ("date", Annotated[dt.date, Field(ge=dt.date(2020, 1, 1))], ["2021-01-01"], ["2019-01-01"]),
    ("duration", dt.timedelta, ["PT1H"], ["x"]),
    ("optional int", Optional[int], ["3"], ["null"]),
    ("int or string", Union[int, str], ["a", "1"], []),
    ("e-mail", p.EmailStr, ["a@b.com"], ["x"]),
    ("IPv4", ipaddress.IPv4Address, ["1.2.3.4"], ["x"]),
    ("anything", Any, ["a"], []),
    ("enum of all sorts", Mixed, ["r"], ["1", "null"]),
    ("time zone", zoneinfo.ZoneInfo, ["Europe/Paris"], ["x"]),
]:
    kind(f"keys: {name}", dict[type_, int], *keys(*good), not_=keys(*bad))
kind("keys: tuple", dict[tuple[int, int], int], "{}", not_=keys("[1,2]"))
kind("keys: strict", StrictKeys, '{"a":{"1":1},"b":{"true":1},"c":{"2024-01-01":1},"d":{"1.5":1}}')

# Containers ----------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    x: int
    y: str = "q"


class Row(TypedDict, total=False):
    a: int
    b: Required[str]


class Sparse(TypedDict):
    a: int
    b: NotRequired[str]


@p.with_config(ConfigDict(extra="forbid"))
class ClosedRow(TypedDict):
    a: int


class Tree(BaseModel):
    v: int
    kids: list[Tree] = []


kind(
    "list counted",
    Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=3)],
    "[1]",
    not_=["[]", "[-1]"],
)
kind("length by annotated-types", Annotated[list[int], at.Len(1, 3)], "[1]", not_=["[]"])
kind("deque", Annotated[collections.deque[int], Field(max_length=2)], "[1]", not_=["[1,2,3]"])
kind("Counter", collections.Counter[str], '{"a":1}', not_=['{"a":"x"}'])
kind("OrderedDict", collections.OrderedDict[str, int], '{"a":1}')
kind("defaultdict", collections.defaultdict[str, list[int]], '{"a":[1]}')
kind(
    "sequence counted",
    Annotated[Sequence[int], Field(min_length=1, max_length=2)],
    "[1]",
    not_=["[]", "[1,2,3]"],
)
kind("mapping counted", Annotated[Mapping[str, int], Field(min_length=1)], '{"a":1}', not_=["{}"])
kind("dict counted", Annotated[dict[str, int], Field(min_length=1, max_length=2)], '{"a":1}', not_=["{}"])
kind("iterable", Iterable[int], "[1]", not_=["1"])
kind(
    "tuples",
    tuple[tuple[int, str], tuple[float, ...], tuple[()]],
    '[[1,"x"],[1.5,2],[]]',
    not_=["[[1],[],[]]"],
)
kind("tuple counted", Annotated[tuple[int, ...], Field(min_length=1, max_length=2)], "[1]", not_=["[]"])
kind(
    "set of few", Annotated[set[Literal["a", "b", "c"]], Field(min_length=2)], '["a","b"]', not_=['["a","a"]']
)
kind("set of many", set[int], "[1,2]", told="uniqueItems")
kind(
    "frozenset up to",
    Annotated[frozenset[int], Field(max_length=2)],
    "[1]",
    not_=["[1,2,3]"],
    told="uniqueItems",
)
kind("set of anything", set, '[1,"a",null]', not_=["[[]]", "[{}]"], told="uniqueItems")
kind("named tuple", Pair, '[1,"a"]', "[1]", not_=["[]"])
kind("typed dict", Row, '{"b":"x"}', not_=['{"a":1}'])
kind("typed dict, sparse", Sparse, '{"a":1}', not_=['{"b":"x"}'])
kind("typed dict, closed", ClosedRow, '{"a":1}', not_=['{"a":1,"b":2}'])
kind("hashable", Hashable, "1", '"a"', "null", not_=["[1]", "{}"])
kind("JSON value", p.JsonValue, '{"a":[1]}')
kind("anything", Any, "[1]")
kind("object", object, "1")
kind("null", None, "null", not_=["1"])
kind("Json", p.Json, '"{}"', '"[1, null]"', not_=['"{"', "{}"])
kind("Json of a list", p.Json[list[int]], '"[1]"', not_=['"[\\"a\\"]"'])
kind("Json of a string", p.Json[str], '"\\"a\\""', not_=['"a"'])
kind("Json of a tree", p.Json[Tree], '"{\\"v\\":1,\\"kids\\":[{\\"v\\":2}]}"', not_=['"{}"'])
kind("Json of Json", p.Json[p.Json[int]], '"\\"1\\""')

# Classes -------------------------------------------------------------------------------------------------


class Paths(BaseModel):
    a: int = Field(validation_alias=p.AliasPath("p", "q", 0))
    b: int = Field(validation_alias=p.AliasPath("p", "q", 1))
    c: str = Field("x", validation_alias=p.AliasPath("p", "r"))
    d: int = Field(validation_alias=p.AliasChoices("dd", "d2"))
    e: int = Field(1, validation_alias=p.AliasChoices(p.AliasPath("z", "y"), "e"))


class Last(BaseModel):
    a: int = Field(validation_alias=p.AliasPath("p", -1))


class ClosedPath(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int = Field(validation_alias=p.AliasPath("p", "q"))


class ByName(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)
    a: int = Field(alias="A")


class Upper(BaseModel):
    model_config = ConfigDict(alias_generator=p.AliasGenerator(validation_alias=lambda name: name.upper()))
    ab: int


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    my_field: int


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dt.date]
    a: int


class Roots(p.RootModel[Annotated[list[int], Field(min_length=1)]]):
    pass


class RootsByName(p.RootModel[dict[str, Roots]]):
    pass


@dataclasses.dataclass
class Point:
    a: int
    b: int = dataclasses.field(init=False, default=3)
    c: list[int] = dataclasses.field(default_factory=list, kw_only=True)
    d: dataclasses.InitVar[int] = 1


@pydantic_dataclass(config=ConfigDict(extra="forbid"))
class PydanticPoint:
    a: Annotated[int, Field(ge=0)]
    b: str = Field("x", alias="B")


@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    a: int


class Computed(BaseModel):
    _private: int = p.PrivateAttr(0)
    CONSTANT: ClassVar[int] = 1
    a: int = Field(exclude=True, repr=False, frozen=True, deprecated="old", description="d", examples=[1])

    @p.computed_field
    @property
    def area(self) -> int:
        return 1


T = TypeVar("T")
Bounded = TypeVar("Bounded", bound=int)


class Box(BaseModel, Generic[T]):
    item: T
    more: list[T] = []


class BoundedBox(BaseModel, Generic[Bounded]):
    item: Bounded


class Early(BaseModel):
    later: Later | None = None


class Later(BaseModel):
    early: Early | None = None
    tree: Tree | None = None


Early.model_rebuild()


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    a: dt.datetime
    b: dt.timedelta
    c: Decimal
    d: set[Count]
    e: bytes
    f: pathlib.Path
    g: ipaddress.IPv4Address
    h: tuple[int, float]
    i: uuid.UUID


class Loose(BaseModel):
    model_config = ConfigDict(
        coerce_numbers_to_str=True, allow_inf_nan=False, validate_default=True, frozen=True
    )
    a: str = "x"
    b: float = 1


class Arbitrary:
    pass


class Holding(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    a: Arbitrary | None = None
    b: Callable[[int], int] | int = 1


kind(
    "alias paths", Paths, '{"p":{"q":[1,2]},"dd":3}', not_=['{"a":1,"b":2,"dd":3}', '{"p":{"q":[1]},"dd":3}']
)
kind("last of a list", Last, '{"p":[1]}', not_=['{"p":[]}', "{}"])
kind("alias path, closed", ClosedPath, '{"p":{"q":1}}', not_=['{"p":{"q":1},"a":1}'])
kind("by name", ByName, '{"a":1}', not_=['{"A":1}'])
kind("alias generator", Upper, '{"AB":1}', not_=["{}"])
kind("camel case", Camel, '{"myField":1}')
kind("closed", Closed, '{"a":1}', not_=['{"a":1,"b":2}'])
kind("open and typed", Open, '{"a":1,"z":"2024-01-01"}', not_=['{"a":1,"z":1}'])
kind("root model", Roots, "[1]", not_=["[]"])
kind("root model of root models", RootsByName, '{"a":[1]}', not_=['{"a":[]}'])
kind("dataclass", Point, '{"a":1}', '{"a":1,"d":2,"c":[1]}', not_=['{"c":[]}', '{"a":1,"b":2}'])
kind("pydantic dataclass", PydanticPoint, '{"a":1,"B":"x"}', not_=['{"a":-1}', '{"a":1,"b":"x"}'])
kind("slots", Slotted, '{"a":1}')
kind("computed, private and constant", Computed, '{"a":1}')
kind("generic", Box[dt.date], '{"item":"2024-01-01"}', not_=['{"item":1}'])
kind("generic in generic", Box[Box[str]], '{"item":{"item":"a"}}')
kind("generic without argument", Box, '{"item":[1]}')
kind("bounded generic", BoundedBox, '{"item":1}', not_=['{"item":"x"}'])
kind("recursive", Tree, '{"v":1,"kids":[{"v":2,"kids":[]}]}', not_=['{"v":1,"kids":[{}]}'])
kind("recursive in turn", Early, '{"later":{"early":{"later":null}}}')
kind(
    "strict",
    Strict,
    '{"a":"2024-01-01T00:00:00","b":"PT1H","c":"1.5","d":[1],"e":"x","f":"/a","g":"1.2.3.4","h":[1,2],'
    '"i":"123e4567-e89b-12d3-a456-426614174000"}',
)
kind("loose", Loose, '{"a":"1","b":1.5}', "{}")
kind("what is not JSON, optional", Holding, '{"a":null,"b":3}', "{}", not_=['{"a":1}'])
Nested = TypeAliasType("Nested", Union[int, list["Nested"]])
kind("type alias", Nested, "[1,[2]]", not_=['["a"]'])
kind(
    "type alias, annotated", TypeAliasType("Long", Annotated[str, Field(min_length=2)]), '"ab"', not_=['"a"']
)
ListOf = TypeAliasType("ListOf", list[T], type_params=(T,))
kind("type alias, generic", ListOf[int], "[1]", not_=['["a"]'])
kind("new type", NewType("Meters", int), "1", not_=['"a"'])

# Unions --------------------------------------------------------------------------------------------------


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    breed: str


class Bird(BaseModel):
    kind: Literal["owl", "jay"] = "owl"


class Red(BaseModel):
    kind: Literal["r"] = Field("r", alias="Kind")


class Blue(BaseModel):
    kind: Literal["b"] = Field("b", alias="Kind")


class First(BaseModel):
    t: str = "a"
    x: int


class Second(BaseModel):
    t: str = "b"
    y: int


def by_member(value: Any) -> Any:
    return value.get("t") if isinstance(value, dict) else value.t


def by_type(value: Any) -> str:
    return "s" if isinstance(value, str) else "m" if isinstance(value, dict) else "i"


def by_presence(value: Any) -> str:
    return "dog" if "breed" in value else "cat"


pets = Annotated[Union[Cat, Dog], Field(discriminator="kind")]
tagged = Union[Annotated[First, p.Tag("a")], Annotated[Second, p.Tag("b")]]
typed = Union[Annotated[str, p.Tag("s")], Annotated[Cat, p.Tag("m")], Annotated[int, p.Tag("i")]]
present = Union[Annotated[Dog, p.Tag("dog")], Annotated[Cat, p.Tag("cat")]]
kind(
    "union",
    Union[int, float, str, None, list[Union[int, str]], dict[str, int]],
    "1.5",
    '[1,"x"]',
    '{"k":1}',
    not_=["[null]"],
)
kind("union, left to right", Annotated[Union[int, str], Field(union_mode="left_to_right")], '"x"', "1")
kind("union of an enum and a string", Union[Count, str], "1", '"a"', not_=["3"])
kind("optional list", Optional[Annotated[list[int], Field(min_length=1)]], "null", "[1]", not_=["[]"])
kind(
    "told apart by a tag",
    pets,
    '{"kind":"cat","lives":3}',
    '{"kind":"dog","breed":"x"}',
    not_=['{"lives":3}'],
)
kind(
    "told apart in turn",
    Annotated[Union[pets, Bird], Field(discriminator="kind")],
    '{"kind":"jay"}',
    not_=["{}"],
)
kind(
    "told apart by an alias",
    Annotated[Union[Red, Blue], Field(discriminator="kind")],
    '{"Kind":"r"}',
    not_=["{}"],
)
kind(
    "told apart by a function",
    Annotated[tagged, p.Discriminator(by_member)],
    '{"t":"a","x":1}',
    not_=['{"x":1}'],
    told="discriminator",
)
kind(
    "told apart by type",
    Annotated[typed, p.Discriminator(by_type)],
    '"a"',
    '{"kind":"cat"}',
    "3",
    told="discriminator",
)
kind(
    "told apart by presence",
    Annotated[present, p.Discriminator(by_presence)],
    '{"kind":"dog","breed":"x"}',
    told="discriminator",
)

# What users say of JSON schemas --------------------------------------------------------------------------


class Widget(BaseModel):
    a: str = Field(json_schema_extra={"widget": "textarea"})


class Widened(BaseModel):
    a: int = Field(ge=0, json_schema_extra={"minimum": -5, "maximum": 9})


class Described(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"a": 1}], "x-foo": 1, "additionalProperties": False}
    )
    a: int


class Changed(BaseModel):
    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("title", None))
    a: int = Field(json_schema_extra=lambda schema: schema.update(maximum=3))


class Custom:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return handler(Annotated[str, Field(max_length=3)])

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        return {**handler(core), "maxLength": 9, "pattern": "^x"}


class CustomModel(BaseModel):
    a: int

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Any:
        schema = handler.resolve_ref_schema(handler(core))
        schema["properties"]["a"]["maximum"] = 5
        return {**schema, "examples": [1]}


class Skipping(BaseModel):
    a: int | SkipJsonSchema[None] = None
    b: SkipJsonSchema[int] = 3


class Unique(BaseModel):
    a: list[Literal["a", "b"]] = Field(json_schema_extra={"uniqueItems": True})


kind("extra annotations", Widget, '{"a":"x"}')
kind("extra cannot widen", Widened, '{"a":5}', not_=['{"a":-1}', '{"a":10}'])
kind("extra of a class", Described, '{"a":1}', not_=['{"a":1,"b":2}'])
kind("extra by a function", Changed, '{"a":1}', not_=['{"a":4}'])
kind("uniqueItems as extra", Unique, '{"a":["a","b"]}', not_=['{"a":["a","a"]}'])
kind(
    "WithJsonSchema",
    Annotated[str, WithJsonSchema({"type": "string", "pattern": "^a+$"})],
    '"aa"',
    not_=['"b"'],
)
kind("a type's own schema", Custom, '"xy"', not_=['"ab"', '"xyzz"'])
kind("a class's own schema", list[CustomModel], '[{"a":1}]', not_=['[{"a":6}]'])
kind("SkipJsonSchema", Skipping, '{"a":1}')
kind("SkipValidation", p.SkipValidation[int], "1")
kind("InstanceOf", p.InstanceOf[int], "1", not_=['"a"'])
kind("OnErrorOmit", list[p.OnErrorOmit[int]], "[1]")
kind("FailFast", Annotated[list[int], p.FailFast()], "[1]")

# Python code: runs when the text is parsed ---------------------------------------------------------------


class Even(BaseModel):
    a: int

    @p.field_validator("a")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


class Ordered(BaseModel):
    a: int
    b: int

    @p.model_validator(mode="after")
    def ordered(self) -> Ordered:
        if self.a > self.b:
            raise ValueError("a > b")
        return self


class Wrapped(BaseModel):
    a: int

    @p.model_validator(mode="wrap")
    @classmethod
    def wrapped(cls, value: Any, handler: Any) -> Any:
        return handler(value)


class OwnInit(BaseModel):
    a: int

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.a < 0:
            raise ValueError("negative")


class PostInit(BaseModel):
    a: int
    _b: int = p.PrivateAttr(0)

    def model_post_init(self, context: Any) -> None:
        if self.a < 0:
            raise ValueError("negative")


@dataclasses.dataclass
class PostInitDataclass:
    a: int

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("negative")


def fails(value: Any) -> Any:
    return value.nothing


numbers = p.BeforeValidator(lambda text: [len(text)], json_schema_input_type=str)
first = p.BeforeValidator(lambda text: [len(text)])
kind("field validator", Even, '{"a":2}', told="validator")
kind("model validator", Ordered, '{"a":1,"b":2}', told="validator")
kind("model validator, wrapping", Wrapped, '{"a":1}', told="validator")
kind("own __init__", OwnInit, '{"a":1}', told="validator")
kind("model_post_init", PostInit, '{"a":1}', told="validator")
kind("__post_init__", PostInitDataclass, '{"a":1}', told="validator")
kind("AfterValidator", Annotated[str, p.AfterValidator(str.strip)], '"x"', told="validator")
kind(
    "AfterValidator, then a bound",
    Annotated[int, p.AfterValidator(abs), Field(ge=3)],
    "5",
    not_=["2"],
    told="validator",
)
kind(
    "AfterValidator, then a pattern",
    Annotated[str, p.AfterValidator(str.strip), Field(pattern="^a+$")],
    '"aa"',
    not_=['"b"'],
    told="validator",
)
kind("BeforeValidator", Annotated[int, p.BeforeValidator(int)], "1", told="validator")
kind("BeforeValidator of a string", Annotated[list[int], numbers], '"1,2"', not_=["[1]"], told="validator")
kind(
    "BeforeValidator with a schema",
    Annotated[list[int], first, WithJsonSchema({"type": "string"})],
    '"1,2"',
    not_=["[1]"],
    told="validator",
)
kind("PlainValidator", Annotated[int, p.PlainValidator(lambda value: value)], "1", '"x"', told="validator")
kind(
    "PlainValidator with a schema",
    Annotated[int, p.PlainValidator(len), WithJsonSchema({"type": "string"})],
    '"ab"',
    not_=["1"],
    told="validator",
)
kind(
    "WrapValidator",
    Annotated[int, p.WrapValidator(lambda value, handler: handler(value))],
    "1",
    told="validator",
)
kind("a validator that fails", Annotated[int, p.AfterValidator(fails)], "1", told="validator")
kind("predicate", Annotated[str, at.Predicate(str.islower)], '"abc"', told="validator")
kind("payment card", p.PaymentCardNumber, told="validator")

# Refused: what cannot be read from JSON, or cannot be told while generating -------------------------------

REFUSED["function"] = Callable[[int], int]
REFUSED["class"] = type[int]
REFUSED["instance"] = p.InstanceOf[Arbitrary]
REFUSED["set of lists"] = Annotated[set[list[int]], Field(min_length=1)]
REFUSED["file path"] = p.FilePath
REFUSED["directory path"] = p.DirectoryPath
REFUSED["new path"] = p.NewPath
REFUSED["name to import"] = p.ImportString
REFUSED["pattern of bytes"] = re.Pattern[bytes]
hashed = Union[Annotated[First, p.Tag("a")], Annotated[Second, p.Tag("b")]]
REFUSED["discriminator that nobody understands"] = Annotated[
    hashed, p.Discriminator(lambda value: "a" if len(str(value)) % 2 else "b")
]
