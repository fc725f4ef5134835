"""Which of several kinds of answer a text asks for, by the words that describe them.

A model too small to have learnt what requests mean fills the skeleton of an answer well, but chooses between skeletons
at chance. How much of what describes a kind is in the text (`Runtime.overlap`) tells more: of tools by their names and
descriptions, of the alternatives of a union by all that their schemas say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

KEENNESS = 20.0  # nats for all the words of a description against none of them
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SAYING = ("title", "description", "const", "enum")


def nearness(
    overlap: Callable[[str, Sequence[str]], Sequence[float]], text: str, described: Sequence[str]
) -> Tensor:
    """Probability [kinds] of each kind, by how much of its description the text takes up."""
    return (KEENNESS * torch.tensor(overlap(text, described), dtype=torch.float64)).softmax(0)


def alternatives(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The schemas of a union of objects, each with the definitions that it may refer to; none of anything else."""
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    shared = {name: schema[name] for name in ("$defs", "definitions") if name in schema}
    found = [{**option, **shared} for option in options if isinstance(option, Mapping)]
    alone = not set(schema) - {"anyOf", "oneOf", "discriminator", *_SAYING, *shared, "$schema", "$id"}
    objects = all(_resolved(option).get("type") == "object" for option in found)
    return found if alone and objects and len(found) == len(options) > 1 else []


def description(schema: Mapping[str, Any]) -> str:
    """All that an alternative says of itself: titles, descriptions, constants, and the names of its members."""
    return " ".join(_CAMEL.sub(" ", said) for said in _said(_resolved(schema)))


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition that a schema refers to, or itself."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    shelf, _, name = reference.removeprefix("#/").partition("/")
    known = schema.get(shelf, {}).get(name)
    return known if isinstance(known, Mapping) else {}


def _said(schema: Any) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for keyword in _SAYING:
        value = schema.get(keyword)
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from _said(part)
