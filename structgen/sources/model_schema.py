"""Pydantic's JSON schemas, saying also what pydantic checks without telling.

Pydantic's own schema says "a number or a string" for any Decimal, "a URI" for a PostgresDsn and "a string" for a
complex number, and its formats are not quite those of the RFCs. Whatever is generated must be read back by
pydantic, so here its schema is made exact; types whose check no schema can tell get a format that is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ..grammar import ANY_CHAR, Expr, both, literal, repeat, seq
from .json_schema import Rules
from .json_schema import formats as rfc
from .json_schema.arrays import MERGED
from .regex import fullmatch_expr
from .regex_syntax import Dialect

MOST_DIGITS = 28  # of a Decimal whose digits are bounded without saying where the point is
ASCII = r"^[\x00-\x7F]*$"  # bytes are counted in UTF-8, characters are not


class ModelSchema(GenerateJsonSchema):
    """Pydantic's generator, exact where generating needs it."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A Decimal is written as a number, with its bounds and digits."""
        result: JsonSchemaValue = {"type": "number"}
        bounds = {"multiple_of": "multipleOf", "ge": "minimum", "le": "maximum"}
        bounds |= {"gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
        for name, keyword in bounds.items():
            if (value := schema.get(name)) is not None:
                result[keyword] = int(value) if value == int(value) else float(value)
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is None and places is None:
            return result
        return {**result, "allOf": [_digits(digits, places)]}

    def complex_schema(self, schema: core_schema.ComplexSchema) -> JsonSchemaValue:
        """Complex numbers are strings of Python's own syntax."""
        return {"type": "string", "format": "complex"}

    def json_schema(self, schema: core_schema.JsonSchema) -> JsonSchemaValue:
        """A string that holds JSON; its content is not described by what is around it."""
        return {"type": "string", "format": "json-string"}

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Bytes are the UTF-8 of a string; where they are counted only ASCII is sure to count alike."""
        result = super().bytes_schema(schema)
        counted = "minLength" in result or "maxLength" in result
        return {**result, "pattern": ASCII} if counted else result

    def set_schema(self, schema: core_schema.SetSchema) -> JsonSchemaValue:
        """Equal elements become one: they are told apart where they are of a few values, or several are needed."""
        return _merged(super().set_schema(schema))

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> JsonSchemaValue:
        """The same for frozen sets."""
        return _merged(super().frozenset_schema(schema))

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        """URLs have the schemes that the type allows, and a host."""
        schemes = schema.get("allowed_schemes") or ["http", "https"]
        pattern = "^(?:" + "|".join(schemes) + "):"
        return {**super().url_schema(schema), "pattern": pattern}

    def multi_host_url_schema(self, schema: core_schema.MultiHostUrlSchema) -> JsonSchemaValue:
        """URLs of databases have parts that pydantic checks one by one."""
        return {**super().multi_host_url_schema(schema), "format": "multi-host-uri"}


def _merged(result: JsonSchemaValue) -> JsonSchemaValue:
    """The array with a word on uniqueItems: pydantic reads any array and makes a set of it."""
    return {**result, MERGED: True} if "uniqueItems" in result else result


def _digits(digits: int | None, places: int | None) -> JsonSchemaValue:
    """Numbers of at most `digits` digits, of which at most `places` after the point."""
    if digits is None:
        return {"multipleOf": 10.0**-places} if places else {"multipleOf": 1}
    if places is not None:
        return _fixed(digits - places, places)
    return {"anyOf": [_fixed(digits - after, after) for after in range(min(digits, MOST_DIGITS) + 1)]}


def _fixed(whole: int, places: int) -> JsonSchemaValue:
    limit = 10 ** max(whole, 0)
    step: Any = float(Decimal(1).scaleb(-places)) if places else 1
    return {"exclusiveMinimum": -limit, "exclusiveMaximum": limit, "multipleOf": step}


# What pydantic reads beside the RFCs' forms: times without a zone. Durations stay within timedelta's range.
_LOCAL = rf"{rfc.CLOCK}(?:{rfc.OFFSET})?"
_SECONDS = r"\d{1,6}(?:\.\d{1,6})?S"
_CLOCK_SPAN = rf"T(?:\d{{1,6}}H(?:\d{{1,6}}M(?:{_SECONDS})?)?|\d{{1,6}}M(?:{_SECONDS})?|{_SECONDS})"
# A host name that is delivered to: no label in the form reserved for IDNA, a top-level domain of letters
# that is not set aside for special use (RFC 6761).
_LABEL = r"[A-Za-z0-9](?:-?[A-Za-z0-9])*"
_SPECIAL = "arpa|example|invalid|local|localhost|onion|test|alt"
_DOMAIN = rf"(?:{_LABEL}\.)+(?!(?i:{_SPECIAL})$)[A-Za-z]{{2,24}}"
_HOST = rf"(?:{_LABEL}\.)*[A-Za-z]{{2,24}}"
_PATH = r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*"
_QUERY = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
_PORT = r"(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?"
_URL_TAIL = rf"{_PORT}{_PATH}(?:\?{_QUERY})?(?:#{_QUERY})?"


def _uuid(version: int) -> str:
    return rf"[0-9a-f]{{8}}-[0-9a-f]{{4}}-{version}[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}"


_PATTERNS = {
    "date-time": rf"{rfc.DATE}T{_LOCAL}",
    "time": _LOCAL,
    "duration": rf"P(?:\d{{1,4}}W|\d{{1,6}}D(?:{_CLOCK_SPAN})?|{_CLOCK_SPAN})",
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "base64url": r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?",
    **{f"uuid{version}": _uuid(version) for version in range(1, 9)},
}


def _uri() -> Expr:
    host = both(fullmatch_expr(_HOST), repeat(ANY_CHAR, 1, 63))
    return seq(fullmatch_expr(r"[a-z][a-z0-9+.-]*://"), host, fullmatch_expr(_URL_TAIL))


def _email() -> Expr:
    local = both(fullmatch_expr(rf"{rfc.ATOM}(?:\.{rfc.ATOM})*"), repeat(ANY_CHAR, 1, 64))
    return seq(local, literal("@"), both(fullmatch_expr(_DOMAIN), repeat(ANY_CHAR, 1, 63)))


_BUILT = {"uri": _uri, "email": _email}


@cache
def _language(name: str) -> Expr:
    return _BUILT[name]() if name in _BUILT else fullmatch_expr(_PATTERNS[name])


class _Formats(Mapping[str, "Expr | None"]):
    """Pydantic's formats, and the RFCs' for the others; each is built when it is first asked for."""

    def __getitem__(self, name: str) -> Expr | None:
        return _language(name) if name in _BUILT or name in _PATTERNS else rfc.FORMATS[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*_PATTERNS, *_BUILT, *rfc.FORMATS]))

    def __len__(self) -> int:
        return len(list(iter(self)))


PYDANTIC = Rules(formats=_Formats(), dialect=Dialect.RUST, pointed=False)
