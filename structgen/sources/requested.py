"""The source that a request over HTTP names by its kind, as vLLM's `structured_outputs` has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from structgen.errors import InvalidSource

from . import Source
from .choices import Choices
from .ebnf import Ebnf
from .json_schema import JsonSchema, Terms
from .lark import Lark
from .regex import Regex
from .structural_tag import StructuralTag

JSON_KINDS = ("json", "json_object")
SOURCE_KINDS = (*JSON_KINDS, "regex", "choice", "grammar", "structural_tag")
EBNF_RULE = re.compile(r"^\s*[\w-]+\s*(\[[^\]\n]*\]\s*)?::=", re.MULTILINE)  # else it is in Lark's notation


def requested(kind: str, value: Any, terms: Terms, special: Mapping[str, int]) -> Source[Any]:
    """The source of one of SOURCE_KINDS. Raises InvalidSource if the value is none.

    special: ids of the vocabulary's special tokens by name, which a structural tag may name
    """
    if kind == "regex":
        return Regex(value)
    if kind == "choice":
        return Choices(value)
    if kind == "grammar":
        is_lark = isinstance(value, str) and not EBNF_RULE.search(value)
        return Lark(value) if is_lark else Ebnf(value)
    if kind == "structural_tag":
        return StructuralTag(value, terms, special)
    return JsonSchema.under({"type": "object"} if kind == "json_object" else _schema(value), terms)


def _schema(value: Any) -> Any:
    """A schema as it is, or as the JSON text of it."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InvalidSource(f"the JSON Schema is not JSON: {error}") from None
