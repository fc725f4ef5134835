"""Notes inside a schema: what pydantic checks that no grammar says, and which members unions are told apart by.

While a schema is generated nobody knows yet where its parts will stand. So notes stand in the schema itself, and are
taken out once it is complete: what is only checked when parsing becomes a list with JSON pointers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen.errors import Unsupported

from ..json_schema.own import REFUSED
from ..json_schema.pointers import escape, steps

CHECKED = "x-checked"  # [keyword, message, remedy] of each check
TAGGED = "x-tagged"  # the member by which the alternatives of a union are told apart

PARSED = "say it with constraints of Field where they can, and expect Rejected where they cannot"


def checked(schema: Mapping[str, Any], keyword: str, message: str, remedy: str = PARSED) -> dict[str, Any]:
    """The schema, with a note of what is checked when the text is parsed and not before."""
    return {**schema, CHECKED: [*schema.get(CHECKED, []), [keyword, message, remedy]]}


def refused(why: str, instead: str) -> dict[str, Any]:
    """The schema of values that cannot be generated."""
    return {REFUSED: [why, instead]}


def settled(schema: dict[str, Any]) -> tuple[dict[str, Any], list[Unsupported]]:
    """The schema without notes, and what its notes say."""
    found: list[Unsupported] = []
    return _settled(schema, "", schema, found), found


def _settled(value: Any, pointer: str, root: dict[str, Any], found: list[Unsupported]) -> Any:
    if isinstance(value, list):
        return [_settled(part, f"{pointer}/{index}", root, found) for index, part in enumerate(value)]
    if not isinstance(value, dict):
        return value
    for keyword, message, remedy in value.get(CHECKED, []):
        found.append(Unsupported(message, keyword=keyword, pointer=pointer, remedy=remedy))
    if TAGGED in value:
        value = _with_tags(value, root)
    return {
        key: _settled(part, f"{pointer}/{escape(str(key))}", root, found)
        for key, part in value.items()
        if key not in (CHECKED, TAGGED)
    }


def _with_tags(union: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A union whose alternatives all need the member that tells them apart."""
    tag = union[TAGGED]
    options = [option if _needs(option, tag, root) else _needing(option, tag) for option in union["oneOf"]]
    return {**union, "oneOf": options}


def _needs(option: dict[str, Any], tag: str, root: dict[str, Any]) -> bool:
    """Whether an alternative needs the tag by itself; those of unions inside unions are asked."""
    if "$ref" in option:
        inside = root
        for step in steps(option["$ref"]):
            inside = inside[step]
        return _needs(inside, tag, root)
    parts = option.get("oneOf") or option.get("anyOf")
    if parts:
        return all(_needs(part, tag, root) for part in parts)
    return tag in option.get("required", ())


def _needing(option: dict[str, Any], tag: str) -> dict[str, Any]:
    return {**option, "required": [*option.get("required", ()), tag]}
