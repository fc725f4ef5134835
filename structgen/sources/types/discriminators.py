"""Discriminators that are Python functions: the values of an alternative that get its tag.

A function cannot be analysed, but it can be called with examples. Most functions look at one member of the object, or
at the type of the value. An alternative is recognized if the function returns its tag for an object with the tag in one
member, but not with another string there; or for an object of the required members, whatever their values; or for
values of its JSON type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_OTHER = "\u0000 another"
_SAMPLES: dict[str, list[Any]] = {
    "string": ["", "a"],
    "integer": [0, 7],
    "number": [0, 1.5],
    "boolean": [True, False],
    "null": [None],
    "array": [[], [1]],
}


def told_apart(
    function: Callable[[Any], Any], tag: Any, schema: dict[str, Any], resolved: dict[str, Any]
) -> dict[str, Any] | None:
    """The part of an alternative for which the function returns the tag; None if it is unknown.

    resolved: the schema, with a reference at its root followed
    """
    kind = resolved.get("type")
    if kind in _SAMPLES:
        return schema if all(_gives(function, tag, value) for value in _SAMPLES[kind]) else None
    if kind != "object":
        return None
    members = resolved.get("properties", {})
    for name, member in members.items():
        holds_tag = isinstance(tag, str) and (member is True or member.get("type") == "string")
        decides = _gives(function, tag, {name: tag}) and not _gives(function, tag, {name: _OTHER})
        if holds_tag and decides:
            return _pinned(schema, name, tag)
    required = dict.fromkeys(resolved.get("required", ()))
    if _gives(function, tag, required) and _gives(function, tag, dict.fromkeys(members)):
        return schema
    return None


def _pinned(schema: dict[str, Any], name: str, tag: str) -> dict[str, Any]:
    """The objects of a schema in which the member `name` is the tag."""
    narrow = {"properties": {name: {"const": tag}}, "required": [name]}
    return {"allOf": [schema, narrow]} if "properties" in schema else {**schema, **narrow}


def _gives(function: Callable[[Any], Any], tag: Any, value: Any) -> bool:
    try:
        return function(value) == tag
    except Exception:  # users' code, called with values that it may not expect
        return False
