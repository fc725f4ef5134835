"""The argument of a custom tool: one text, free, of a regular expression, or of a grammar in Lark's notation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import (
    SLACK,
    TEXT,
    Budget,
    Combines,
    Grammar,
    Token,
    TokenSet,
    beyond_text,
    complement,
    literal,
    seq,
)

from ..crossed import crossed, meets
from ..json_schema.style import Style
from ..json_schema.syntax import JSON_SYNTAX, Syntax
from ..lark import Lark
from ..outline import Field, Outline
from ..reading import json_value
from ..regex import Regex

INPUT = "input"  # the name of the text among the arguments
SYNTAXES: Mapping[str, Any] = {"regex": Regex, "lark": Lark}
SAID = {
    "regex": "a text that matches this regular expression",
    "lark": "a text of this grammar in Lark's notation",
}


@dataclass(frozen=True, eq=False)
class TextArguments:
    """A source of arguments that hold one text of another source; schema: tells a model what is asked for."""

    texts: Combines
    schema: Mapping[str, Any]
    style: Style

    def lower(self) -> Grammar:
        """The arguments, as a grammar."""
        return self.spelled(JSON_SYNTAX)

    def reading(self) -> Grammar:
        """The same: characters have one spelling each."""
        return self.lower()

    def spelled(self, spelling: Syntax) -> Grammar:
        """The arguments in another syntax than JSON's. Raises Unsupported for a grammar that speaks of tokens."""
        style, inside = Style(self.style.whitespace, spelling=spelling), spelling.inside("object")
        texts = self._free(inside)
        value = inside.quoted(inside.content(texts.start))
        before = seq(spelling.object_opens, style.gap, spelling.keys(literal(INPUT), ""), style.colon)
        after = seq(spelling.member_closes, style.gap, spelling.object_closes, SLACK)
        rules = {name: inside.content(rule) for name, rule in texts.rules.items()}
        return Grammar(seq(before, value, after), rules)

    def _free(self, spelling: Syntax) -> Grammar:
        """The texts that the syntax can write."""
        grammar = self.texts.lower()
        for part in beyond_text(grammar):
            if isinstance(part, Token | TokenSet | Budget):
                raise Unsupported(
                    "tokens in the text of a tool, which is a string of characters",
                    pointer="",
                    remedy="write the grammar without special tokens and without limits on tokens",
                )
        if spelling.free is TEXT or not meets(grammar, complement(spelling.free)):
            return grammar
        return crossed(grammar, spelling.free)

    def outline(self) -> Outline:
        """The outline of the arguments."""
        return Outline.of_fields([Field(INPUT, Outline("string"))])

    def parse(self, text: str) -> Any:
        """The arguments in a JSON text."""
        return json_value(text)


def text_schema(description: str = "") -> dict[str, Any]:
    """The JSON Schema of arguments that hold one text."""
    text = {"type": "string", **({"description": description} if description else {})}
    return {
        "type": "object",
        "properties": {INPUT: text},
        "required": [INPUT],
        "additionalProperties": False,
    }


def grammar_arguments(given: Any, name: str, at: str, style: Style) -> TextArguments:
    """The arguments of a custom tool with texts of a grammar. Raises InvalidSource with the place of a fault."""
    if not isinstance(given, Mapping) or not isinstance(given.get("definition"), str):
        raise InvalidSource(
            f"tool {name!r}: a grammar needs a definition, a string", pointer=f"{at}/definition"
        )
    syntax, definition = given.get("syntax"), given["definition"]
    if not isinstance(syntax, str) or syntax not in SYNTAXES:
        raise Unsupported(
            f"tool {name!r}: grammars of syntax {syntax!r:.40} are not supported",
            pointer=f"{at}/syntax",
            remedy='write it in "lark" or as a "regex"',
        )
    try:
        texts = SYNTAXES[syntax](definition)
        texts.lower()
    except (InvalidSource, Unsupported) as error:
        raise type(error)(f"tool {name!r}: {error}", pointer=f"{at}/definition") from error
    return TextArguments(texts, text_schema(f"{SAID[syntax]}:\n{definition}"), style)
