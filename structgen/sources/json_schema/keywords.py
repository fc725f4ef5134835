"""Which keywords are understood, which say nothing about instances, and which are refused, with the way out."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

from .drafts import spelled
from .node import Node

TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")

# Keywords that constrain the instances of one type only, and say nothing about the others.
TYPED = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "divisibleBy"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": (
        "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains",
        "maxContains", "unevaluatedItems",
    ),
    "object": (
        "properties", "required", "additionalProperties", "patternProperties", "propertyNames",
        "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "dependencies",
        "unevaluatedProperties",
    ),
}  # fmt: skip
GENERAL = (
    "type", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$dynamicRef",
    "$recursiveRef", "nullable", "discriminator",
)  # fmt: skip

# Annotations, identifiers and places where definitions live; `discriminator` and `nullable` are OpenAPI's. What
# contentEncoding and contentMediaType say of a string validators do not check, so enforcing it would reject valid ones.
ANNOTATIONS = frozenset(
    [
        "$schema",
        "$id",
        "id",
        "$anchor",
        "$dynamicAnchor",
        "$recursiveAnchor",
        "$comment",
        "$defs",
        "definitions",
        "$vocabulary",
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "contentMediaType",
        "contentEncoding",
        "contentSchema",
        "externalDocs",
        "xml",
        "enumNames",
        "enumDescriptions",
        "markdownDescription",
    ]
)

REFUSED = {
    "extends": "use allOf",
    "disallow": "use not",
}

CONSTRAINING = frozenset(GENERAL).union(*TYPED.values())
_LONG = [
    keyword for keyword in (*CONSTRAINING, *REFUSED) if len(keyword) > 4
]  # short words are close to everything


Unknown = Literal["refuse", "ignore", "annotations"]


def check_keywords(node: Node, unknown: Unknown) -> None:
    """Refuse the first keyword of a schema that is neither understood nor an annotation.

    JSON Schema takes unknown keywords for annotations, and so does unknown="annotations". With "ignore" those that
    differ by little from a keyword we understand are refused all the same: they are surely misspelled.
    """
    for keyword in node.mapping():
        if (
            (keyword in node and keyword in CONSTRAINING)
            or keyword in ANNOTATIONS
            or keyword.startswith("x-")
        ):
            continue
        place = node.child(keyword)
        if keyword in CONSTRAINING:
            _unheard(place, keyword, unknown)
            continue
        if keyword in REFUSED:
            place.unsupported(f"{keyword} is not supported", keyword, REFUSED[keyword])
        if unknown == "annotations":
            continue
        meant = get_close_matches(keyword, _LONG, n=1, cutoff=0.85) if keyword[:1].isalpha() else []
        if meant:
            place.unsupported(f"{keyword} is not a keyword", keyword, f"did you mean {meant[0]}?")
        if unknown == "refuse":
            remedy = 'drop it, start its name with x-, or pass unknown="ignore"'
            place.unsupported(f"{keyword} is not a keyword I know", keyword, remedy)


def _unheard(place: Node, keyword: str, unknown: Unknown) -> None:
    """Refuse a keyword of another draft where unknown keywords are refused; it says nothing elsewhere."""
    if unknown == "refuse":
        remedy = 'drop it, name the draft that it belongs to in $schema, or pass unknown="ignore"'
        place.unsupported(f"draft {spelled(place.draft)} has no keyword {keyword}", keyword, remedy)


def mentioned(node: Node) -> set[str]:
    """The types about which a schema's own keywords say something."""
    return {type_ for type_, keywords in TYPED.items() if any(keyword in node for keyword in keywords)}
