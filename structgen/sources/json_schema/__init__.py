"""JSON Schema as a source.

    read    schema → Shape      each keyword becomes a shape; a schema is their intersection     (read, meet)
    write   Shape → Expr        the JSON texts of a shape's values                               (write)

Drafts 4 to 2020-12 are understood as far as their keywords are known; everything else is refused with its pointer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidSource
from ...grammar import SLACK, Expr, Grammar, seq
from .keywords import Unknown
from .layout import Layout, Whitespace
from .node import Node
from .read import JSON_SCHEMA, Reader, Rules
from .write import Additional, Writer


@dataclass(frozen=True, eq=False)
class JsonSchema:
    """JSON text that is valid under a schema; parsing gives the value as json.loads reads it.

    `whitespace` "flexible" allows white space between any two tokens, "compact" none.

    `additional` says what silence means. With "declared" only what a schema mentions is generated, as in OpenAI's
    strict mode: an object with `properties` and without `additionalProperties` gets no other members, a schema
    without `type` gets the types its keywords are about. Every output is valid, not every valid value an output.
    With "open" silence allows anything, as JSON Schema has it; what would then be any JSON value is refused.

    `unknown` "refuse" refuses keywords that no draft defines; "ignore" takes them for annotations, as JSON Schema
    says, except those that look like a misspelled keyword.

    Members are written in the order in which they are declared, numbers with bounds without an exponent.
    """

    schema: Mapping[str, Any] | bool
    whitespace: Whitespace = "flexible"
    additional: Additional = "declared"
    unknown: Unknown = "refuse"

    def __post_init__(self) -> None:
        Layout(self.whitespace)
        if self.additional not in ("declared", "open"):
            raise InvalidSource(f"additional is 'declared' or 'open', not {self.additional!r}")
        if self.unknown not in ("refuse", "ignore"):
            raise InvalidSource(f"unknown is 'refuse' or 'ignore', not {self.unknown!r}")
        if not isinstance(self.schema, dict | bool):
            raise InvalidSource(
                f"a JSON schema is an object, true or false, not {type(self.schema).__name__}"
            )

    def lower(self) -> Grammar:
        """The valid texts, as a grammar. Raises InvalidSource or Unsupported with the pointer of the cause."""
        return Grammar(
            lower(self.schema, Layout(self.whitespace), self.additional, Rules(unknown=self.unknown))
        )

    def parse(self, text: str) -> Any:
        """The value that the text stands for."""
        return json.loads(text)


def lower(
    schema: Any,
    layout: Layout,
    additional: Additional = "declared",
    rules: Rules = JSON_SCHEMA,
) -> Expr:
    """The texts that are valid under a schema. Slack may follow but no white space, or a model could go on for ever."""
    root = Node(schema)
    shape = Reader(root, rules).read(root)
    return seq(Writer(layout, additional).text(shape), SLACK)


__all__ = ["Additional", "JsonSchema", "Rules", "Unknown", "Whitespace", "lower"]
