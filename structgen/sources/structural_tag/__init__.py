"""Structural tags: trees of formats, as XGrammar, vLLM and SGLang read them, as one automaton.

    {"type": "triggered_tags", "triggers": ["<call="], "tags": [{"begin": "<call=f>", "content": …, "end": "</call>"}]}

A format describes a piece of text. Free text (`any_text`, what stands around triggered tags) goes on until its end
or a trigger begins: it contains neither. A token of the vocabulary is that token alone, never the text that it spells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from structgen.errors import InvalidSource
from structgen.grammar import Combines, Grammar

from ..combined import flat
from ..json_schema import Terms
from .formats import Around, FormatReader


@dataclass(frozen=True, eq=False)
class StructuralTag(Combines):
    """The texts of a structural tag; parsing returns the text.

    tag: {"type": "structural_tag", "format": …}, a format alone, or vLLM's {"structures": …, "triggers": …}; as a dict,
        JSON text, or a pydantic model of one
    terms: options of the JSON Schemas in it
    special: ids of special tokens by name, from `Vocabulary.special`, needed where named tokens are to be excluded
    """

    tag: Any
    terms: Terms = field(default_factory=Terms)
    special: Mapping[str, int] = field(default_factory=dict)

    def lower(self) -> Grammar:
        """The texts. Raises InvalidSource or Unsupported with the pointer of the format that is wrong."""
        return self._read(whole=False)

    def whole(self) -> Grammar:
        """The same with any amount of white space in JSON."""
        return self._read(whole=True)

    def _read(self, *, whole: bool) -> Grammar:
        value, pointer = _format_of(_plain(self.tag))
        return flat(Grammar(FormatReader(self.terms, self.special, whole).read(value, pointer, Around())))

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


def _plain(tag: Any) -> Any:
    if hasattr(tag, "model_dump"):
        return tag.model_dump()
    if not isinstance(tag, str):
        return tag
    try:
        return json.loads(tag)
    except (ValueError, RecursionError) as error:
        raise InvalidSource(f"the structural tag is not JSON: {error}") from None


def _format_of(tag: Any) -> tuple[Any, str]:
    """The format in a structural tag, and its pointer."""
    if not isinstance(tag, Mapping):
        raise InvalidSource(f"a structural tag is an object, not {type(tag).__name__}", pointer="")
    if "structures" in tag or ("triggers" in tag and "type" not in tag):
        return _legacy(tag), ""
    if tag.get("type") != "structural_tag":
        return tag, ""
    if "format" not in tag:
        raise InvalidSource(
            'a structural tag has a format: {"type": "structural_tag", "format": {…}}', pointer=""
        )
    return tag["format"], "/format"


def _legacy(tag: Mapping[str, Any]) -> dict[str, Any]:
    """vLLM's older form as triggered tags."""
    structures = tag.get("structures")
    if not isinstance(structures, list) or not all(isinstance(one, Mapping) for one in structures):
        raise InvalidSource('structures is an array of {"begin", "schema", "end"}', pointer="/structures")
    tags = [
        {
            "begin": one.get("begin"),
            "content": {
                "type": "json_schema",
                "json_schema": one.get("schema", one.get("structural_tag_schema")),
            },
            "end": one.get("end"),
        }
        for one in structures
    ]
    return {"type": "triggered_tags", "triggers": tag.get("triggers"), "tags": tags}
