"""Pydantic's core schemas as JSON schemas that express everything that pydantic checks.

Pydantic's own JSON schemas leave much out: the bounds of dates, the types of dict keys, the paths of aliases, and
validators. Pydantic must be able to read whatever is generated. Each core schema therefore becomes a JSON schema that
is as exact as a grammar can be, with structgen's own keywords (`json_schema.own`) if necessary. The rest is noted in
place (`notes`): checks that run only when the text is parsed, and parts that cannot be generated at all.

A JSON schema written by users (json_schema_extra, WithJsonSchema, …) can narrow what pydantic accepts, but never widen
it. The exception is a type with a user's validator that reads the raw value first: its JSON schema is used alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema, to_jsonable_python

from ..annotation import LANGUAGE
from ..json_schema.arrays import MERGED
from ..json_schema.keywords import CONSTRAINING
from ..json_schema.own import ELSEWHERE, OWN, REFUSED
from .aliases import Path, is_written, with_paths
from .containers import SCALARS, Containers
from .discriminators import told_apart
from .formats import FORMATS
from .notes import CHECKED, TAGGED, checked, refused
from .scalars import Scalars
from .validators import (
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

_UNNAMED = ("model", "dataclass", "typed-dict", "enum", "definitions", "definition-ref")


class ModelSchema(Scalars, Containers):
    """Pydantic's schema generator, made exact enough to generate from."""

    ignored_warning_types = {"skipped-choice", "non-serializable-default", "skipped-discriminator"}  # noqa: RUF012

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """The schema of a core schema, narrowed by its user's JSON schema."""
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
        """The schema by pydantic alone, without what users change."""
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
        if described(function) == "EncodedStr.decode_str":  # encoded text, not arbitrary bytes
            return {**result, "format": f"{format_}-text"}
        if named and schema["type"] not in _UNNAMED and format_ is not None and format_ not in FORMATS:
            words = format_.replace("-", " ")
            return refused(
                f"a {words} cannot be told from other strings", "use str or Path, and check it afterwards"
            )
        return result

    def _update_class_schema(self, json_schema: JsonSchemaValue, cls: Any, config: Any) -> None:
        """Add the title and description of a class, and narrow by its json_schema_extra."""
        before = deepcopy(json_schema)
        super()._update_class_schema(json_schema, cls, config)
        changed = {key: value for key, value in json_schema.items() if before.get(key, ...) != value}
        json_schema.clear()
        json_schema.update(before)
        _narrow(json_schema, changed)

    def function_after_schema(self, schema: Any) -> JsonSchemaValue:
        """The inner schema, without the values that the function rejects if a schema can express that."""
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
        """What the function reads; anything, if its schema is unknown."""
        given = schema.get("json_schema_input_schema")
        return self._checked(self.generate_inner(given) if given else {}, schema["function"]["function"])

    def _checked(self, inner: JsonSchemaValue, function: Any, core: Any = None) -> JsonSchemaValue:
        """The schema without the values that a function rejects, or with a note if no schema can express that.

        core: the core schema of what the function is given
        """
        if is_carried(function):
            return inner
        try:
            kind = self.resolve_ref_schema(inner).get("type")
        except RuntimeError:  # a reference to a schema that is still being generated
            kind = None
        bounds = bounds_of(function, kind, counts(core))
        if bounds is not None:
            return _narrow(dict(inner), bounds)
        return checked(
            inner, "validator", f"{described(function)} is Python code, which runs when the text is parsed"
        )

    def chain_schema(self, schema: Any) -> JsonSchemaValue:
        """The values that satisfy all steps at once."""
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
        """A model, with notes about its own code that runs when an instance is made."""
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

    def field_is_present(self, field: Any) -> bool:
        """Whether a field is part of the schema: fields that a dataclass's constructor does not take are not."""
        return field.get("init") is not False and super().field_is_present(field)

    def _named_required_fields_schema(self, named_required_fields: Any) -> JsonSchemaValue:
        """The object schema with each field at the place that its alias gives."""
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
        """The members in which pydantic looks for a field, in this order."""
        alias, config = field.get("validation_alias", name), self._config.config_dict
        if config.get("populate_by_name") or config.get("validate_by_name"):
            yield name
        paths = [alias] if isinstance(alias, str) else alias if isinstance(alias[0], list) else [alias]
        yield from (path if isinstance(path, str) else str(path[0]) for path in paths)

    def _path(self, field: Any, name: str) -> Path:
        """The path at which a field is generated: a plain name if it has one, otherwise its first alias path."""
        alias = field.get("validation_alias", name)
        if not self._config.config_dict.get("validate_by_alias", True) or field["type"] == "computed-field":
            alias = name
        if isinstance(alias, str):
            return (alias,)
        paths = [tuple(path) for path in alias] if isinstance(alias[0], list) else [tuple(alias)]
        return next((path for path in paths if len(path) == 1 and isinstance(path[0], str)), paths[0])

    def get_union_of_schemas(self, schemas: list[JsonSchemaValue]) -> JsonSchemaValue:
        """The alternatives that can be generated; all, if none can."""
        open_ = [schema for schema in schemas if REFUSED not in schema] or schemas
        return open_[0] if len(open_) == 1 else super().get_union_of_schemas(open_)

    def get_flattened_anyof(self, schemas: list[JsonSchemaValue]) -> JsonSchemaValue:
        """The same for versions of pydantic that ask here."""
        open_ = [schema for schema in schemas if REFUSED not in schema] or schemas
        return open_[0] if len(open_) == 1 else super().get_flattened_anyof(open_)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """A union whose alternatives are identified by a member, which all of them then require, or by a function."""
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


class _Handler:
    """The handler passed to users' functions; it returns the schema that they are about to change."""

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
        elif key == "additionalProperties":  # depends on the properties beside it
            schema[key] = value if schema.get(key, True) is True or value is False else schema[key]
        elif key in CONSTRAINING or key == LANGUAGE:
            constraints[key] = value
        elif key not in OWN:
            schema[key] = value
    if constraints.get("uniqueItems"):  # pydantic does not check it, so repetitions do no harm
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
