"""Pydantic's core schemas as JSON schemas that say all that pydantic checks.

Pydantic's own JSON schemas leave much out: the bounds of dates, what keys of dicts are read as, paths of aliases,
validators. Whatever is generated must be read back by pydantic, so here each core schema becomes a schema that is exact
where a grammar can be, in structgen's own keywords too (`json_schema.own`). What no grammar can say is noted where it
stands: what only runs when the text is parsed (`model_notes`), and what cannot be generated at all.

What users write about a JSON schema themselves (json_schema_extra, WithJsonSchema, …) can narrow what pydantic takes,
never widen it; only where a validator of theirs reads the raw value first, theirs is the only word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from enum import Flag
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, SchemaValidator, ValidationError, core_schema, to_jsonable_python

from ..json_schema.arrays import ALIKE, MERGED
from ..json_schema.keywords import CONSTRAINING
from ..json_schema.own import ELSEWHERE, OWN, QUOTED, REFUSED, REGEX, TEXT
from .aliases import Path, is_written, with_paths
from .discriminators import told_apart
from .formats import FORMATS
from .notes import CHECKED, TAGGED, checked
from .times import bounded, moment_bounds, span_bounds
from .validators import (
    ASCII,
    bounds_of,
    counts,
    described,
    function_of,
    is_carried,
    is_pydantics,
    replaces,
    users_words,
    without,
    without_bounds,
)

CHANGES = ("strip_whitespace", "to_lower", "to_upper")  # what pydantic may do to strings
SCALARS = {"type": ["null", "boolean", "number", "string"]}  # what is hashable of all that is read from JSON
UNHASHABLE = ("list", "dict", "set", "deque", "typed-dict", "counter", "ordered-dict", "generator")
MOST_DIGITS = 28  # of a Decimal whose digits are bounded without saying where the point is
MOST_FLAGS = 6  # of an enum, whose every combination is a value
TRIMMED = r"^(?:\S(?:(?s:.*)\S)?)?$"  # where white space is stripped before characters are counted
_UNNAMED = ("model", "dataclass", "typed-dict", "enum", "definitions", "definition-ref")


def refused(why: str, instead: str) -> JsonSchemaValue:
    """The schema of values that cannot be generated."""
    return {REFUSED: [why, instead]}


class ModelSchema(GenerateJsonSchema):
    """Pydantic's generator, exact where generating needs it."""

    ignored_warning_types = {"skipped-choice", "non-serializable-default", "skipped-discriminator"}  # noqa: RUF012

    # What users say ---------------------------------------------------------------------------------------

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """The schema of a core schema, narrowed by what its user says about it."""
        metadata = schema.get("metadata") or {}
        functions, extra = users_words(metadata), metadata.get("pydantic_js_extra")
        if not (functions or extra) or self._is_known(schema):
            return self._pydantics(schema)
        plain = self._pydantics({**schema, "metadata": without(metadata, functions)})
        target = self.resolve_ref_schema(plain) if functions or "ref" in schema else plain
        said = deepcopy(target)
        if isinstance(extra, dict):
            said.update(to_jsonable_python(extra))
        elif extra:
            extra(said)
        for function in functions:
            said = function(schema, _Handler(self, said))
        if replaces(schema):
            return {**said, CHECKED: target.get(CHECKED, [])}
        changed = {key: value for key, value in said.items() if target.get(key, ...) != value}
        if "ref" in schema:
            _narrow(target, changed)
            return plain
        return _narrow(dict(plain), changed)

    def _is_known(self, schema: Any) -> bool:
        """Whether the schema has a name and has been generated under it, or is about to be."""
        reference = (schema.get("ref"), self.mode)
        return "ref" in schema and self.core_to_defs_refs.get(reference) in self.definitions  # type: ignore

    def _pydantics(self, schema: Any) -> JsonSchemaValue:
        """The schema by pydantic's words alone."""
        function = function_of(schema)
        if described(function) == "pattern_bytes_validator":
            return refused("patterns of bytes cannot be read from JSON", "use re.Pattern[str]")
        if described(function) == "import_string":
            return refused("names to import cannot be told while generating", "use str or a Literal of names")
        if described(function) == "PathType.validate_new":
            return refused(
                "a new path cannot be told from other strings", "use Path, and check it afterwards"
            )
        metadata = schema.get("metadata") or {}
        if schema["type"] == "function-after":
            schema = {**schema, "metadata": without_bounds(metadata)}
        result = super().generate_inner(schema)
        named = metadata.get("pydantic_js_functions") or metadata.get("pydantic_js_annotation_functions")
        format_ = result.get("format")
        if described(function) == "EncodedStr.decode_str":  # text that was encoded, not any bytes
            return {**result, "format": f"{format_}-text"}
        if named and schema["type"] not in _UNNAMED and format_ is not None and format_ not in FORMATS:
            words = format_.replace("-", " ")
            return refused(
                f"a {words} cannot be told from other strings", "use str or Path, and check it afterwards"
            )
        return result

    def _update_class_schema(self, json_schema: JsonSchemaValue, cls: Any, config: Any) -> None:
        """Title and description of a class, and what its json_schema_extra narrows."""
        before = deepcopy(json_schema)
        super()._update_class_schema(json_schema, cls, config)
        changed = {key: value for key, value in json_schema.items() if before.get(key, ...) != value}
        json_schema.clear()
        json_schema.update(before)
        _narrow(json_schema, changed)

    # Validators --------------------------------------------------------------------------------------------

    def function_after_schema(self, schema: Any) -> JsonSchemaValue:
        """What stands inside, less what the function refuses if that can be said."""
        if described(schema["function"]["function"]) == "ByteSize._validate":
            return {"type": ["integer", "string"], "format": "byte-size", "minimum": 0}
        inner = self.generate_inner(schema["schema"])
        return self._checked(inner, schema["function"]["function"], schema["schema"])

    def function_before_schema(self, schema: Any) -> JsonSchemaValue:
        """What the function reads."""
        inner = self.generate_inner(schema.get("json_schema_input_schema") or schema["schema"])
        return self._checked(inner, schema["function"]["function"])

    def function_wrap_schema(self, schema: Any) -> JsonSchemaValue:
        """What the function reads."""
        return self.function_before_schema(schema)

    def function_plain_schema(self, schema: Any) -> JsonSchemaValue:
        """What the function reads; where nobody says what that is, anything."""
        given = schema.get("json_schema_input_schema")
        return self._checked(self.generate_inner(given) if given else {}, schema["function"]["function"])

    def _checked(self, inner: JsonSchemaValue, function: Any, core: Any = None) -> JsonSchemaValue:
        """The schema less what a function refuses, which is noted where it cannot be said; `core` comes before it."""
        if is_carried(function):
            return inner
        try:
            kind = self.resolve_ref_schema(inner).get("type")
        except RuntimeError:  # a reference to what is being generated
            kind = None
        bounds = bounds_of(function, kind, counts(core))
        if bounds is not None:
            return _narrow(dict(inner), bounds)
        return checked(
            inner, "validator", f"{described(function)} is Python code, which runs when the text is parsed"
        )

    def chain_schema(self, schema: Any) -> JsonSchemaValue:
        """All that the steps ask for, of the text as it is."""
        steps = list(schema["steps"])
        result = self.generate_inner(steps[0])
        for step in steps[1:]:
            if step["type"] == "is-instance" and described(step["cls"]) == "Hashable":
                result = dict(SCALARS)
            elif step["type"] == "function-wrap" and is_carried(step["function"]["function"]):
                result = {**result, "allOf": [*result.get("allOf", []), self.generate_inner(step["schema"])]}
            elif "function" in step:
                result = self._checked(result, step["function"]["function"])
            else:
                return self.handle_invalid_for_json_schema(step, str(step["type"]))
        return result

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """A model, and which code of its own runs when it is made."""
        result, cls = super().model_schema(schema), schema["cls"]
        if schema.get("custom_init"):
            result = _runs(result, cls.__init__)
        hook = getattr(cls, "model_post_init", None)
        if schema.get("post_init") and not is_pydantics(hook):
            result = _runs(result, hook)
        return result

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """The same for dataclasses."""
        result = super().dataclass_schema(schema)
        return _runs(result, schema["cls"].__post_init__) if schema.get("post_init") else result

    # Fields ------------------------------------------------------------------------------------------------

    def field_is_present(self, field: Any) -> bool:
        """Fields of dataclasses that their constructor does not take are absent."""
        return field.get("init") is not False and super().field_is_present(field)

    def _named_required_fields_schema(self, named_required_fields: Any) -> JsonSchemaValue:
        """The object in which each field stands where its alias says."""
        fields: list[tuple[Path, JsonSchemaValue, bool]] = []
        elsewhere: dict[str, None] = {}
        for name, required, field in named_required_fields:
            path = self._path(field, name)
            elsewhere |= dict.fromkeys(self._names(field, name))
            try:
                value = self.generate_inner(field).copy()
            except PydanticOmit:
                if not required:
                    continue
                value = refused("a field that is hidden from JSON schemas", "drop SkipJsonSchema")
            if not is_written(path):
                value, path = (
                    refused(f"the alias path {path} cannot be written", "use names and indexes"),
                    (name,),
                )
            if "title" not in value and self.field_title_should_be_set(field):
                value["title"] = self.get_title_from_name(str(path[-1]) if len(path) == 1 else name)
            fields.append((path, self.handle_ref_overrides(value), required))
        schema = with_paths(fields)
        others = [name for name in elsewhere if name not in schema["properties"]]
        return {**schema, ELSEWHERE: others} if others else schema

    def _names(self, field: Any, name: str) -> Iterator[str]:
        """The members in which a field is looked for, one after the other."""
        alias, config = field.get("validation_alias", name), self._config.config_dict
        if config.get("populate_by_name") or config.get("validate_by_name"):
            yield name
        paths = [alias] if isinstance(alias, str) else alias if isinstance(alias[0], list) else [alias]
        yield from (path if isinstance(path, str) else str(path[0]) for path in paths)

    def _path(self, field: Any, name: str) -> Path:
        """Where a field is looked for first: under a plain name, if it has one."""
        alias = field.get("validation_alias", name)
        if not self._config.config_dict.get("validate_by_alias", True) or field["type"] == "computed-field":
            alias = name
        if isinstance(alias, str):
            return (alias,)
        paths = [tuple(path) for path in alias] if isinstance(alias[0], list) else [tuple(alias)]
        return next((path for path in paths if len(path) == 1 and isinstance(path[0], str)), paths[0])

    # Unions ------------------------------------------------------------------------------------------------

    def get_union_of_schemas(self, schemas: list[JsonSchemaValue]) -> JsonSchemaValue:
        """The alternatives that can be generated; all, if none can."""
        open_ = [schema for schema in schemas if REFUSED not in schema] or schemas
        return open_[0] if len(open_) == 1 else super().get_union_of_schemas(open_)

    def get_flattened_anyof(self, schemas: list[JsonSchemaValue]) -> JsonSchemaValue:
        """The same for versions of pydantic that ask here."""
        open_ = [schema for schema in schemas if REFUSED not in schema] or schemas
        return open_[0] if len(open_) == 1 else super().get_flattened_anyof(open_)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Alternatives that are told apart by a member, which each then needs, or by a function."""
        if callable(schema["discriminator"]):
            return self._told_by_function(schema)
        result = super().tagged_union_schema(schema)
        tag = result.get("discriminator", {}).get("propertyName")
        return result if tag is None else {**result, TAGGED: tag}

    def _told_by_function(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        discriminator: Any = schema["discriminator"]
        name, options = described(discriminator), []
        for tag, choice in schema["choices"].items():
            inner = self.generate_inner(choice)
            narrowed = told_apart(discriminator, tag, inner, self.resolve_ref_schema(inner))
            if narrowed is None:
                return refused(
                    f"which values the discriminator {name} gives the tag {tag!r} cannot be told",
                    "tell the alternatives apart by a member with a Literal: Field(discriminator='…')",
                )
            options.append(narrowed)
        union = self.get_flattened_anyof(options)
        message = f"the discriminator {name} is Python code, of which examples have been tried"
        return checked(
            union, "discriminator", message, "use a member with a Literal: Field(discriminator='…')"
        )

    # Constants ---------------------------------------------------------------------------------------------

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """The values that are read from JSON: members of plain enums are not."""
        result = super().literal_schema(schema)
        return _values(result, _read(schema, result.get("enum", [result.get("const")])))

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """The same for enums; flags also together."""
        result, members = super().enum_schema(schema), schema["members"]
        values = list(result["enum"])
        if issubclass(schema["cls"], Flag) and len(members) <= MOST_FLAGS:
            values += [value for value in range(1 << MOST_FLAGS) if value <= sum(m.value for m in members)]
        return _values(result, _read(schema, values))

    def is_subclass_schema(self, schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:
        """Classes are not JSON."""
        return self.handle_invalid_for_json_schema(schema, "")

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        """What cannot be read from JSON is refused where it stands."""
        shown = {"callable": "functions", "is-subclass": "classes"}.get(schema["type"])
        what = shown or f"instances of {getattr(schema.get('cls'), '__name__', schema['type'])}"
        return refused(
            f"{what} cannot be read from JSON",
            "leave the field out, or give it a type that pydantic reads from JSON",
        )

    # Numbers and strings -----------------------------------------------------------------------------------

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """A Decimal is a number, with its bounds and digits, or the same in quotes."""
        result: JsonSchemaValue = {"type": "number", **_numeric(schema), QUOTED: True}
        digits, places = schema.get("max_digits"), schema.get("decimal_places")
        if digits is None and places is None:
            return result
        return {**result, "allOf": [_digits(digits, places)]}

    def fraction_schema(self, schema: Any) -> JsonSchemaValue:
        """A fraction is a number, plain or in quotes; without bounds also one integer over another."""
        bounds = _numeric(schema)
        number = {"type": "number", **bounds, QUOTED: True}
        return number if bounds else {"anyOf": [number, {"type": "string", "format": "fraction"}]}

    def complex_schema(self, schema: core_schema.ComplexSchema) -> JsonSchemaValue:
        """Complex numbers are numbers, or strings of Python's own syntax."""
        return {"type": ["number", "string"], "format": "complex"}

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Strings as they are once white space is stripped, with the engine of their pattern."""
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
        """Bytes as the configuration reads them; those of UTF-8 are counted where characters are bytes, in ASCII."""
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
        """URLs have the schemes that the type allows."""
        return self._url({"type": "string", "format": "uri"}, schema)

    def multi_host_url_schema(self, schema: core_schema.MultiHostUrlSchema) -> JsonSchemaValue:
        """URLs of databases, too."""
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
        """A string that holds the JSON text of what is inside."""
        inner = self.generate_inner(schema["schema"]) if "schema" in schema else {}
        return {"type": "string", "contentMediaType": "application/json", TEXT: inner}

    # Times -------------------------------------------------------------------------------------------------

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        """Dates between bounds."""
        return bounded("date", moment_bounds("date", schema), schema)

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        """Times between bounds."""
        return bounded("time", moment_bounds("time", schema), schema)

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        """Dates with times between bounds."""
        return bounded("date-time", moment_bounds("date-time", schema), schema)

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        """Durations between bounds."""
        return bounded("duration", span_bounds(schema), schema)

    # Containers --------------------------------------------------------------------------------------------

    def set_schema(self, schema: core_schema.SetSchema) -> JsonSchemaValue:
        """Equal elements become one: they are told apart where they are of a few values, or several are needed."""
        return self._merged(_hashed(super().set_schema(schema), schema.get("items_schema")), schema)

    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> JsonSchemaValue:
        """The same for frozen sets."""
        return self._merged(_hashed(super().frozenset_schema(schema), schema.get("items_schema")), schema)

    def _merged(
        self, result: JsonSchemaValue, schema: core_schema.SetSchema | core_schema.FrozenSetSchema
    ) -> JsonSchemaValue:
        """The array with a word on uniqueItems: pydantic reads any array and makes a set of it."""
        if "uniqueItems" not in result:
            return result
        return {
            **result,
            MERGED: ALIKE if self._alike(schema.get("items_schema"), result.get("items", {})) else True,
        }

    def _alike(self, core: Any, schema: JsonSchemaValue) -> bool:
        """Whether pydantic makes equal elements of equal JSON alone: integers, and strings that it leaves alone."""
        kind, config = core and core["type"], self._config.config_dict
        changed = (
            any(core.get(name, config.get(f"str_{name}")) for name in CHANGES) if kind == "str" else False
        )
        plain = schema.get("type") in ("integer", "string") and not (schema.keys() & {QUOTED, TEXT})
        return kind in ("int", "str") and plain and not changed

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        """Tuples, unless a part of any length has others behind it."""
        if schema.get("variadic_item_index", len(schema["items_schema"])) + 1 < len(schema["items_schema"]):
            return refused("a tuple of any length with elements behind", "put the variable part last")
        return super().tuple_schema(schema)

    def _common_dict_schema(self, schema: Any) -> JsonSchemaValue:
        """Objects whose keys are the texts of what pydantic reads them as."""
        result: JsonSchemaValue = {"type": "object"}
        result["additionalProperties"] = (
            self.generate_inner(schema["values_schema"]) if "values_schema" in schema else True
        )
        keys = self._keys(schema["keys_schema"]) if "keys_schema" in schema else {}
        if keys not in ({}, {"type": "string"}):
            result["propertyNames"] = keys
        self.update_with_validations(result, schema, self.ValidationsMapping.object)
        return result

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """The same for versions of pydantic that ask here."""
        return self._common_dict_schema(schema)

    def _keys(self, core: Any) -> JsonSchemaValue | bool:
        """The schema of keys, which are strings always."""
        return self._as_key(self.generate_inner(core), core)

    def _as_key(self, schema: JsonSchemaValue, core: Any) -> JsonSchemaValue | bool:
        schema = {key: value for key, value in self.resolve_ref_schema(schema).items() if key != "title"}
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                parts = [self._as_key(part, core) for part in schema[keyword]]
                return {"anyOf": [part for part in parts if part is not False]} if any(parts) else False
        if "enum" in schema or "const" in schema:
            values = schema.get("enum", [schema.get("const")])
            texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
            read = [text for text in texts if self._is_key(text, core)]
            return {"type": "string", "enum": read} if read else False
        kind = schema.get("type")
        if isinstance(kind, list):
            return self._as_key({"anyOf": [{**schema, "type": one} for one in kind]}, core)
        if kind in ("integer", "number", "boolean"):
            return {"type": "string", TEXT: {key: value for key, value in schema.items() if key != QUOTED}}
        return False if kind in ("null", "array", "object") else schema

    def _is_key(self, text: str, core: Any) -> bool:
        """Whether pydantic reads a key as a value of the core schema; asked of constants alone."""
        return bool(_read({"type": "dict", "keys_schema": _bare(core)}, [{text: None}]))


class _Handler:
    """What users' functions are given to ask for the schema that they are about to change."""

    mode = "validation"

    def __init__(self, generator: ModelSchema, schema: JsonSchemaValue):
        self.generator, self.schema = generator, schema

    def __call__(self, core: Any) -> JsonSchemaValue:
        return self.schema

    def resolve_ref_schema(self, schema: JsonSchemaValue) -> JsonSchemaValue:
        """The schema that a reference names."""
        return self.generator.resolve_ref_schema(schema)


def _narrow(schema: JsonSchemaValue, changed: Mapping[str, Any]) -> JsonSchemaValue:
    """Change a schema in place so that it allows no more than before: constraints come beside those it has."""
    constraints: dict[str, Any] = {}
    for key, value in changed.items():
        if key == "properties" and isinstance(value, dict):
            known = schema.get("properties", {})
            constraints[key] = {name: part for name, part in value.items() if known.get(name, ...) != part}
        elif key == "additionalProperties":  # says something of those that stand beside it alone
            schema[key] = value if schema.get(key, True) is True or value is False else schema[key]
        elif key in CONSTRAINING:
            constraints[key] = value
        elif key not in OWN:
            schema[key] = value
    if constraints.get("uniqueItems"):  # of which pydantic knows nothing, so that repetitions do no harm
        constraints[MERGED] = True
    if set(constraints).isdisjoint(schema) and not {"properties", "allOf"} & set(constraints):
        schema.update(constraints)
    elif constraints:
        schema["allOf"] = [*schema.get("allOf", []), constraints]
    return schema


def _runs(schema: JsonSchemaValue, function: Any) -> JsonSchemaValue:
    return checked(
        schema, "validator", f"{described(function)} is Python code, which runs when the text is parsed"
    )


def _bare(core: Any) -> Any:
    """A core schema of constants without names and notes."""
    return {key: value for key, value in core.items() if key not in ("ref", "metadata", "serialization")}


def _read(core: Any, values: Iterable[Any]) -> list[Any]:
    """The values that pydantic reads from JSON under a core schema."""
    try:
        validator = SchemaValidator(_bare(core))
    except Exception:  # pydantic-core's own error, of a schema that refers to others
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
    """The schema of constants, for those that are left."""
    if not values:
        return refused("none of these constants can be read from JSON", "use strings or numbers")
    kept = {key: value for key, value in schema.items() if key not in ("enum", "const")}
    return {**kept, "const": values[0]} if "const" in schema else {**kept, "enum": values}


def _numeric(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds of decimals and fractions as JSON has them."""
    names = {"multiple_of": "multipleOf", "ge": "minimum", "le": "maximum"}
    names |= {"gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    values = {keyword: schema.get(name) for name, keyword in names.items()}
    return {k: int(v) if v == int(v) else float(v) for k, v in values.items() if v is not None}


def _hashed(result: JsonSchemaValue, core: Any) -> JsonSchemaValue:
    """A set whose elements can be elements of sets."""
    if core is None or core["type"] == "any":
        return {**result, "items": SCALARS}
    if core["type"] in UNHASHABLE or getattr(core.get("cls"), "__hash__", True) is None:
        return {
            **result,
            "items": refused("these values cannot be elements of a set", "use a list, or a frozen class"),
        }
    return result


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
