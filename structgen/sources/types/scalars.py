"""Pydantic's core schemas of constants, numbers, strings and times, as JSON schemas of what pydantic reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Flag
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import SchemaValidator, ValidationError, core_schema

from ..json_schema.own import QUOTED, REGEX, TEXT
from .notes import checked, refused
from .times import bounded, moment_bounds, span_bounds
from .validators import ASCII

MOST_DIGITS = 28  # digits of a Decimal whose bound on digits does not fix the place of the point
MOST_FLAGS = 6  # members of a flag enum, all combinations of which are values
TRIMMED = r"^(?:\S(?:(?s:.*)\S)?)?$"  # used if white space is stripped before characters are counted


class Scalars(GenerateJsonSchema):
    """The part of the schema generator for types of a single value."""

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """The values that are read from JSON; members of plain enums are not."""
        result = super().literal_schema(schema)
        return _values(result, read(schema, result.get("enum", [result.get("const")])))

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """The same for enums; flags are combined as well."""
        result, members = super().enum_schema(schema), schema["members"]
        values = list(result["enum"])
        if issubclass(schema["cls"], Flag) and len(members) <= MOST_FLAGS:
            values += [value for value in range(1 << MOST_FLAGS) if value <= sum(m.value for m in members)]
        return _values(result, read(schema, values))

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:
        """Refused: classes cannot be written in JSON."""
        return self.handle_invalid_for_json_schema(schema, "")

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        """A part that cannot be read from JSON is refused at its place."""
        shown = {"callable": "functions", "is-subclass": "classes"}.get(schema["type"])
        what = shown or f"instances of {getattr(schema.get('cls'), '__name__', schema['type'])}"
        return refused(
            f"{what} cannot be read from JSON",
            "leave the field out, or give it a type that pydantic reads from JSON",
        )

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A Decimal is a number with bounds and a number of digits, or the same in quotes."""
        result: JsonSchemaValue = {"type": "number", **_numeric(schema), QUOTED: True}
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is None and places is None:
            return result
        return {**result, "allOf": [_digits(digits, places)]}

    def fraction_schema(self, schema: Any) -> JsonSchemaValue:
        """A fraction is a number, plain or in quotes; without bounds, one integer over another as well."""
        bounds = _numeric(schema)
        number = {"type": "number", **bounds, QUOTED: True}
        return number if bounds else {"anyOf": [number, {"type": "string", "format": "fraction"}]}

    def complex_schema(self, schema: core_schema.ComplexSchema) -> JsonSchemaValue:
        """Complex numbers are numbers, or strings in Python's own syntax."""
        return {"type": ["number", "string"], "format": "complex"}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Strings, already stripped if their length or pattern is checked; with the regex engine of their pattern."""
        result, config = super().str_schema(schema), self._config.config_dict
        pattern: Any = schema.get("pattern")
        if isinstance(pattern, re.Pattern):
            flags = "".join(name for name in "imsx" if pattern.flags & re.RegexFlag[name.upper()])
            result["pattern"] = (f"(?{flags})" if flags else "") + pattern.pattern
            result[REGEX] = "python-ascii" if pattern.flags & re.ASCII else "python"
        elif pattern is not None and "python-re" in (schema.get("regex_engine"), config.get("regex_engine")):
            result[REGEX] = "python"
        stripped = schema.get("strip_whitespace", config.get("str_strip_whitespace"))
        for keyword, option in (("minLength", "str_min_length"), ("maxLength", "str_max_length")):
            if config.get(option):
                result.setdefault(keyword, config[option])
        counted = result.get("minLength") or pattern is not None
        more = [TRIMMED] * bool(stripped and counted) + [ASCII] * bool(schema.get("ascii_only"))
        return {**result, "allOf": [{"pattern": one} for one in more]} if more else result

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Bytes as the configuration reads them; UTF-8 with a bound on its length is limited to ASCII."""
        low, high = schema.get("min_length"), schema.get("max_length")
        counted = {"minLength": low, "maxLength": high}
        counted = {keyword: value for keyword, value in counted.items() if value is not None}
        encoding = self._config.config_dict.get("val_json_bytes", "utf8")
        if encoding == "utf8":
            pattern = {"pattern": ASCII} if counted else {}
            return {"type": "string", "format": "binary", **counted, **pattern}
        if encoding == "hex":
            return {"type": "string", "format": "hex"} | {key: 2 * value for key, value in counted.items()}
        if counted:
            return refused(
                "the length of bytes in base64 is not that of the text", "drop the length, or use hex"
            )
        return {"type": "string", "format": "base64-canonical"}

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        """URLs with the schemes that the type allows."""
        return self._url({"type": "string", "format": "uri"}, schema)

    def multi_host_url_schema(self, schema: core_schema.MultiHostUrlSchema) -> JsonSchemaValue:
        """The same for URLs of databases."""
        return self._url({"type": "string", "format": "multi-host-uri"}, schema)

    def _url(self, result: JsonSchemaValue, schema: Mapping[str, Any]) -> JsonSchemaValue:
        if schemes := schema.get("allowed_schemes"):
            result["pattern"] = "^(?:" + "|".join(map(re.escape, schemes)) + "):"
        elif schema.get("host_required"):
            result["pattern"] = "://[^/]"
        if (most := schema.get("max_length")) is None:
            return result
        return checked(
            result,
            "maxLength",
            f"that a URL has at most {most} characters is only checked when parsing",
            "keep URLs short",
        )

    def json_schema(self, schema: core_schema.JsonSchema) -> JsonSchemaValue:
        """A string that holds the JSON text of an inner value."""
        inner = self.generate_inner(schema["schema"]) if "schema" in schema else {}
        return {"type": "string", "contentMediaType": "application/json", TEXT: inner}

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        """Dates between bounds."""
        return bounded("date", moment_bounds("date", schema), schema)

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        """Times between bounds."""
        return bounded("time", moment_bounds("time", schema), schema)

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        """Dates with times, between bounds."""
        return bounded("date-time", moment_bounds("date-time", schema), schema)

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        """Durations between bounds."""
        return bounded("duration", span_bounds(schema), schema)


def bare(core: Any) -> Any:
    """A core schema of constants without names and notes."""
    return {key: value for key, value in core.items() if key not in ("ref", "metadata", "serialization")}


def read(core: Any, values: Iterable[Any]) -> list[Any]:
    """The values that pydantic reads from JSON under a core schema."""
    try:
        validator = SchemaValidator(bare(core))
    except Exception:  # a private error of pydantic-core, for schemas that refer to others
        return list(values)
    found = []
    for value in values:
        try:
            validator.validate_json(json.dumps(value))
        except (ValidationError, TypeError):
            continue
        found.append(value)
    return list({json.dumps(value): value for value in found}.values())


def _values(schema: JsonSchemaValue, values: list[Any]) -> JsonSchemaValue:
    """The schema of constants, reduced to `values`."""
    if not values:
        return refused("none of these constants can be read from JSON", "use strings or numbers")
    kept = {key: value for key, value in schema.items() if key not in ("enum", "const")}
    return {**kept, "const": values[0]} if "const" in schema else {**kept, "enum": values}


def _numeric(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds of decimals and fractions as JSON numbers."""
    names = {"multiple_of": "multipleOf", "ge": "minimum", "le": "maximum"}
    names |= {"gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    values = {keyword: schema.get(name) for name, keyword in names.items()}
    return {k: int(v) if v == int(v) else float(v) for k, v in values.items() if v is not None}


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
