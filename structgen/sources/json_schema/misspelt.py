"""Which unknown keywords are misspellings, and which are annotations of other tools.

In JSON Schema every unknown keyword is an annotation, so a typing error silently drops a constraint. But tools write
their own annotations (`propertyOrder`, `readonly`, `ui:widget`), and these must pass. A keyword counts as misspelled if
two things agree:

    its name is near   `requierd`, `min_length`, `Required`, `allowAdditionalProperties`
    its value fits     required takes a list of names, so `requires: "v2"` is an annotation

A misspelled annotation (`descripton`) has no effect and counts as an annotation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")

# Names with such a prefix or separator belong to other tools: x-order, _format, $target, ui:title, content.type.
_OWN = re.compile(r"x-|[_$@]|.*[:.].")
_MARKS = re.compile(r"[-_\s:]")
# Words near a keyword that tools use in another sense; `requires` is one of JSON Schema's first drafts.
_WORDS = frozenset({"requires", "nillable", "multiple", "propertyname", "formats", "patterns"})
# Keywords so long that any name that ends with one is a misspelling of it.
_TELLING = ("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems")
_LEAST = ((16, 3), (9, 2), (5, 1))  # (least letters of a keyword, slips allowed in it)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool) or str(value).lower() in ("true", "false")


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0


def _are_schemas(value: Any) -> bool:
    return _is_list(value) and all(isinstance(part, dict | bool) for part in value)


def _is_number(value: Any) -> bool:
    """A number, a digit string, or for draft 4's exclusive bounds a boolean."""
    return isinstance(value, int | float) or (isinstance(value, str) and value.strip("-").isdigit())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_required(value: Any) -> bool:
    return isinstance(value, bool) or (_is_list(value) and all(isinstance(name, str) for name in value))


def _is_type(value: Any) -> bool:
    return all(name in TYPES for name in value) if _is_list(value) else value in TYPES


def _is_pointer(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("#")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_FORMS: list[tuple[Callable[[Any], bool], tuple[str, ...]]] = [
    (_is_number, ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
    (_is_number, ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")),
    (_is_number, ("minContains", "maxContains")),
    (_is_text, ("pattern", "format")),
    (_is_schema, ("additionalItems", "additionalProperties", "contains", "propertyNames", "not", "if")),
    (_is_schema, ("then", "else", "unevaluatedItems", "unevaluatedProperties")),
    (lambda value: _is_map(value) or _are_schemas(value), ("items",)),
    (_is_map, ("properties", "patternProperties", "dependencies", "dependentRequired", "dependentSchemas")),
    (_are_schemas, ("allOf", "anyOf", "oneOf", "prefixItems")),
    (_is_list, ("enum",)),
    (_is_required, ("required",)),
    (_is_type, ("type",)),
    (_is_flag, ("uniqueItems",)),
    (_is_pointer, ("$ref",)),
]
FITS = {keyword: fits for fits, keywords in _FORMS for keyword in keywords}
_SURE = frozenset({"enum", "$ref"})  # short, but recognized by their values


def meant(keyword: str, value: Any, annotations: Iterable[str]) -> str | None:
    """The keyword of which the unknown `keyword` is a misspelling; None if it is an annotation."""
    near = nearest(keyword, frozenset(annotations))
    return near if near is not None and FITS[near](value) else None


@lru_cache(maxsize=10_000)
def nearest(keyword: str, annotations: frozenset[str]) -> str | None:
    """The keyword whose name is near enough to be meant; None if an annotation is at least as near."""
    if _OWN.match(keyword) and not keyword.lower().startswith("$ref"):
        return None
    name = _plain(keyword)
    if not name or name in _WORDS:
        return None
    for known in _TELLING:
        if name.endswith(known.lower()):
            return known
    slips, found = min((distance(name, _plain(known)), known) for known in FITS)
    if slips > _allowed(found) or any(distance(name, _plain(word)) <= slips for word in annotations):
        return None
    return found


def _plain(keyword: str) -> str:
    """The letters alone: min_length and minlength are minLength."""
    return _MARKS.sub("", keyword).lower()


def _allowed(keyword: str) -> int:
    """The number of slips that a misspelling of this keyword may have."""
    return next((slips for letters, slips in _LEAST if len(keyword) >= letters), int(keyword in _SURE))


def distance(left: str, right: str) -> int:
    """The number of letters added, omitted, changed or swapped with their neighbour (optimal string alignment)."""
    before, row = [0] * (len(right) + 1), list(range(len(right) + 1))
    for i, letter in enumerate(left, 1):
        after = [i]
        for j, other in enumerate(right, 1):
            cost = min(row[j] + 1, after[j - 1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            after.append(cost)
        before, row = row, after
    return row[-1]
