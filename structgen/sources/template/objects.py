"""The values of a template's holes as a JSON object, for models that write nothing but JSON.

The object has a member for each name. The holes' languages are those of the template; the fixed text is put around them
afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from structgen.grammar import SLACK, Combines, Expr, Grammar, literal, renamed, seq

from ..json_schema.strings import QUOTE, spell, spell_strings
from ..outline import Outline
from .hole import Hole
from .source import Template


@dataclass(frozen=True, eq=False)
class HoleValues(Combines):
    """The JSON objects of the values of a template's holes; `parse` puts the template around them."""

    template: Template[Any]

    def lower(self) -> Grammar:
        """The JSON objects."""
        rules: dict[str, Expr] = {}
        members: list[Expr] = []
        for index, (name, hole) in enumerate(self.template.names.items()):
            value, more = _member(hole, f"hole {index} ")
            rules |= more
            opening = literal(("{" if index == 0 else ",") + json.dumps(name, ensure_ascii=False) + ":")
            members += [opening, SLACK, value, SLACK]
        return Grammar(seq(*members, literal("}")), rules)

    def parse(self, text: str) -> Any:
        """The values of the object, with the filled template. Raises Rejected if a Python validator refuses them."""
        raw: dict[str, Any] = json.loads(text, parse_int=_Digits, parse_float=_Digits)
        texts = {name: _text(value) for name, value in raw.items()}
        values = {name: hole.read(texts[name]) for name, hole in self.template.names.items()}
        return self.template.made(values, self.template.filled(texts))

    @property
    def schema(self) -> dict[str, Any]:
        """A JSON Schema of the object."""
        return self.template.schema

    def outline(self) -> Outline:
        """The outline of the object."""
        return self.template.outline()


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


def _text(value: Any) -> str:
    """A JSON value as it stands in a text."""
    return value if isinstance(value, str) else json.dumps(value)


def _member(hole: Hole, prefix: str) -> tuple[Expr, Mapping[str, Expr]]:
    """The JSON texts of a hole's values, and the rules that they need, with a prefix to their names."""
    grammar = hole.language if hole.typed is None else hole.typed.lower()
    names = {name: prefix + name for name in grammar.rules}
    start = renamed(grammar.start, names)
    rules = {names[name]: renamed(rule, names) for name, rule in grammar.rules.items()}
    if hole.typed is not None:
        return start, rules
    if not rules:
        return spell_strings(start), rules
    return seq(QUOTE, spell(start), SLACK, QUOTE), {name: spell(rule) for name, rule in rules.items()}
