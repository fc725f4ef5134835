"""The form of an answer in words: `response_format`, `text.format`, or vLLM's `structured_outputs`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from structgen.errors import StructgenError
from structgen.server.problems import Problem, instead, of_error, quoted
from structgen.sources import JsonSchema, Source, Terms
from structgen.sources.json_schema.pointers import escape
from structgen.sources.requested import SOURCE_KINDS, requested

SCHEMA_FIELDS = frozenset({"name", "schema", "strict", "description"})
FORMAT_FIELDS = {
    "text": frozenset({"type"}),
    "json_object": frozenset({"type"}),
    "json_schema": frozenset({"type", "json_schema"}),
}
SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class WantedFormat:
    """The texts that an answer may be. place: of the schema or grammar in the body; key: equal for equal sources."""

    source: Source[Any]
    place: str
    key: str

    @property
    def is_schema(self) -> bool:
        """Whether an answer has fields that a document may state."""
        return isinstance(self.source, JsonSchema)


def wanted_format(
    given: Any, at: str, terms: Terms, *, nested: bool, special: Mapping[str, int]
) -> WantedFormat | None:
    """The form that a `response_format` or a `text.format` asks for, None for any text.

    nested: whether the schema lies inside an object `json_schema`, as in chats
    special: ids of the vocabulary's special tokens by name, which a structural tag may name
    """
    if given is None:
        return None
    kind = given.get("type")
    if isinstance(kind, str) and kind in FORMAT_FIELDS:
        _refuse_others(
            given, FORMAT_FIELDS[kind] if nested or kind != "json_schema" else SCHEMA_FIELDS | {"type"}, at
        )
    if kind == "text":
        return None
    if kind == "json_object":
        return _read("json_object", True, at, terms, special)
    if kind == "json_schema":
        return _json_schema(given, at, terms, nested=nested)
    if kind == "structural_tag":
        return _read("structural_tag", given, at, terms, special)
    if kind == "grammar" or kind == "regex":
        raise Problem(
            f"a format of type {kind!r} is not part of this API; write it as structured_outputs, "
            f'as in {{"{kind}": "…"}}',
            param=f"{at}/type",
        )
    raise Problem(
        f'the type of a format is "text", "json_object", "json_schema" or "structural_tag", {instead(kind)}',
        param=f"{at}/type",
        code="invalid_value",
    )


def _refuse_others(given: Mapping[str, Any], fields: Set[str], at: str) -> None:
    """Raise Problem for a field that a format does not have."""
    other = next((name for name in given if name not in fields), None)
    if other is not None:
        raise Problem(
            f"{quoted(other)} is not a field of this format, whose fields are {', '.join(sorted(fields))}",
            param=f"{at}/{escape(other)}",
            code="unknown_parameter",
        )


def _json_schema(given: Mapping[str, Any], at: str, terms: Terms, *, nested: bool) -> WantedFormat:
    holder = given.get("json_schema") if nested else given
    at = f"{at}/json_schema" if nested else at
    if not isinstance(holder, Mapping):
        raise Problem("a format of type json_schema needs an object json_schema", param=at)
    if nested:
        _refuse_others(holder, SCHEMA_FIELDS, at)
    name = holder.get("name")
    if not isinstance(name, str) or not SCHEMA_NAME.fullmatch(name):
        raise Problem(
            "the name of a schema has 1 to 64 letters, digits, underscores and hyphens", param=f"{at}/name"
        )
    if holder.get("schema") is None:
        raise Problem("a format of type json_schema needs a schema", param=f"{at}/schema")
    return _read("json", holder["schema"], f"{at}/schema", terms, {})


def structured(given: Any, at: str, terms: Terms, special: Mapping[str, int]) -> WantedFormat | None:
    """The form in the fields of vLLM's `structured_outputs`, exactly one of which says what is wanted."""
    if given is None:
        return None
    fields = {name: value for name, value in given.items() if value not in (None, False)}
    if fields.pop("disable_any_whitespace", False):
        terms = replace(terms, whitespace="compact")
    if len(fields) != 1 or not fields.keys() <= set(SOURCE_KINDS):
        names = ", ".join(sorted(map(str, fields))) or "nothing"
        raise Problem(
            f"structured_outputs holds one of {', '.join(SOURCE_KINDS)}; here it holds {names}", param=at
        )
    ((kind, value),) = fields.items()
    if kind == "json_object" and value is not True:
        raise Problem(f"json_object is true or false, not {quoted(str(value))}", param=f"{at}/{kind}")
    return _read(kind, value, f"{at}/{kind}", terms, special)


def _read(kind: str, value: Any, at: str, terms: Terms, special: Mapping[str, int]) -> WantedFormat:
    try:
        source = requested(kind, value, terms, special)
    except StructgenError as error:
        raise of_error(error, at) from error
    return WantedFormat(source, at, f"{json.dumps([kind, value])} {terms!r}")
