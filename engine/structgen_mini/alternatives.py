"""Which of several kinds of answer a text asks for, by the words that describe them.

A model too small to have learnt what requests mean fills the skeleton of an answer well, but chooses between skeletons
at chance. How much of what describes a kind is in the text (overlap.py) tells more: of tools by their names and
descriptions, of the alternatives of a union by all that their schemas say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from structgen_mini.outline import pointed, shape_of

KEENNESS = 20.0  # nats for all the words of a description against none of them
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SAYING = ("title", "description", "const", "enum")
_BESIDE = {"title", "description", "discriminator", "$defs", "definitions", "$schema", "$id"}  # of a union


def nearness(
    overlap: Callable[[str, Sequence[str]], Sequence[float]], text: str, described: Sequence[str]
) -> Tensor:
    """Probability [kinds] of each kind, by how much of its description the text takes up."""
    return (KEENNESS * torch.tensor(overlap(text, described), dtype=torch.float64)).softmax(0)


def alternatives(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The schema of a union of objects once for each, as a reference to it; none where it is anything else."""
    keyword = next((one for one in ("anyOf", "oneOf") if one in schema), None)
    if keyword is None or set(schema) - _BESIDE - {keyword}:
        return []
    found = [{**schema, "$ref": f"#/{keyword}/{at}"} for at in range(len(schema[keyword]))]
    return found if len(found) > 1 and all(shape_of(one).kind == "object" for one in found) else []


def description(schema: Mapping[str, Any]) -> str:
    """All that an alternative says of itself: titles, descriptions, constants, and the names of its members."""
    option, seen = pointed(schema["$ref"], schema), set[str]()
    while isinstance(option, Mapping) and isinstance(option.get("$ref"), str) and option["$ref"] not in seen:
        seen.add(option["$ref"])
        option = pointed(option["$ref"], schema)
    return " ".join(_CAMEL.sub(" ", said) for said in _said(option))


def _said(schema: Any) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    for keyword in _SAYING:
        value = schema.get(keyword)
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from _said(part)
