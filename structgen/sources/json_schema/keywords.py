"""The keywords that are supported, those that do not constrain instances, and those that are refused, with remedies."""

from __future__ import annotations

from typing import Any, Literal

from structgen.surface import option

from .drafts import spelled
from .misspelt import meant
from .node import Node

# Keywords that constrain only the instances of one type.
TYPED = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "divisibleBy"),
    "string": ("minLength", "maxLength", "pattern", "format", "x-verbatim"),
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

# Annotations, identifiers and containers of definitions; `discriminator` and `nullable` are OpenAPI's. Validators do
# not check contentEncoding and contentMediaType, so enforcing them would reject valid strings.
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

# Keywords of draft 3, which is read as draft 4; in later drafts they are annotations.
OBSOLETE = {
    "extends": "use allOf",
    "disallow": "use not",
}
TYPE_OF = {keyword: type_ for type_, keywords in TYPED.items() for keyword in keywords}

CONSTRAINING = frozenset(GENERAL).union(*TYPED.values())

Unknown = Literal["ignore", "refuse", "annotations"]


def check_keywords(node: Node, unknown: Unknown, old: bool) -> None:
    """Refuse the first keyword of a schema that is neither understood nor an annotation.

    In JSON Schema unknown keywords are annotations, and so they are with "ignore" and "annotations"; but "ignore"
    refuses misspelled keywords, and "refuse" all unknown ones. `old`: the document is in a draft before the oldest.
    """
    for keyword in node.mapping():
        if keyword in CONSTRAINING:
            if keyword not in node:
                _unheard(node.child(keyword), keyword, unknown)
            continue
        if not asserts(keyword, node.value[keyword], unknown):
            continue
        place = node.child(keyword)
        if keyword in OBSOLETE:
            if old:
                place.unsupported(f"{keyword} is not supported", keyword, OBSOLETE[keyword])
            continue
        known = meant(keyword, place.value, ANNOTATIONS)
        if known is not None:
            remedy = f"did you mean {known}? If it is an annotation, pass {option('unknown', 'annotations')}"
        else:
            remedy = f"drop it, start its name with x-, or pass {option('unknown', 'ignore')}"
        place.unsupported(f"{keyword} is not a keyword", keyword, remedy)


def asserts(keyword: str, value: Any, unknown: Unknown) -> bool:
    """Whether a keyword constrains instances, or would if it were spelled correctly."""
    if keyword in ANNOTATIONS or (keyword.startswith("x-") and keyword not in CONSTRAINING):
        return False
    if keyword in CONSTRAINING or keyword in OBSOLETE or unknown == "refuse":
        return True
    return unknown == "ignore" and meant(keyword, value, ANNOTATIONS) is not None


def _unheard(place: Node, keyword: str, unknown: Unknown) -> None:
    """Refuse a keyword of another draft if unknown keywords are refused; otherwise it has no effect."""
    if unknown == "refuse":
        remedy = (
            f"drop it, name the draft that it belongs to in $schema, or pass {option('unknown', 'ignore')}"
        )
        place.unsupported(f"draft {spelled(place.draft)} has no keyword {keyword}", keyword, remedy)


def mentioned(node: Node) -> set[str]:
    """The types that a schema's own keywords mention."""
    return {TYPE_OF[keyword] for keyword in node.mapping() if keyword in TYPE_OF and keyword in node}
