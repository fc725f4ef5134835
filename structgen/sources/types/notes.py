"""Notes inside a schema: the checks of pydantic that no grammar expresses, and the tag members of unions.

While a schema is being generated, the final places of its parts are unknown. Notes are therefore kept in the schema
itself and taken out once it is complete. The checks that run only when parsing then become a list with JSON pointers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen.errors import Unsupported

from ..json_schema.own import REFUSED
from ..json_schema.pointers import escape, steps

CHECKED = "x-checked"  # a list of [keyword, message, remedy], one per check
TAGGED = "x-tagged"  # the member whose value identifies the alternative of a union

PARSED = "say it with constraints of Field where they can, and expect Rejected where they cannot"


def checked(schema: Mapping[str, Any], keyword: str, message: str, remedy: str = PARSED) -> dict[str, Any]:
    """The schema, with a note about a check that runs only when the text is parsed."""
    return {**schema, CHECKED: [*schema.get(CHECKED, []), [keyword, message, remedy]]}


def refused(why: str, instead: str) -> dict[str, Any]:
    """The schema of values that cannot be generated."""
    return {REFUSED: [why, instead]}


def settled(schema: dict[str, Any]) -> tuple[dict[str, Any], list[Unsupported]]:
    """The schema without its notes, and the checks in the notes."""
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
    """A union with the tag member made required in every alternative."""
    tag = union[TAGGED]
    options = [option if _needs(option, tag, root) else _needing(option, tag) for option in union["oneOf"]]
    return {**union, "oneOf": options}


def _needs(option: dict[str, Any], tag: str, root: dict[str, Any]) -> bool:
    """Whether an alternative already requires the tag; nested unions are searched."""
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
