"""The form of Hermes and Qwen: `<tool_call>` and `</tool_call>` around a JSON object with name and arguments."""

from __future__ import annotations

import json

from structgen.grammar import Expr, literal, seq, token

from ...json_schema.syntax import Syntax
from ...languages import intersect
from .form import CallForm, unmarked

OPENS, CLOSES = "<tool_call>", "</tool_call>"


class Tagless(Syntax):
    """JSON whose strings do not contain the tags of the form, at which readers cut the text."""

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        return super().strings(intersect(values, unmarked((OPENS, CLOSES))), reading=reading)


TAGLESS = Tagless()


class Hermes(CallForm):
    """Hermes' form."""

    name = "hermes"
    markup = (OPENS, CLOSES)
    example = f'{OPENS}\n{{"name": "name", "arguments": {{"key": "text", "other": 3}}}}\n{CLOSES}'
    between = literal("\n")

    def spelling(self, marked: bool) -> Syntax:
        return TAGLESS

    def framed(self, name: str, arguments: Expr) -> Expr:
        quoted = json.dumps(name, ensure_ascii=False)
        begun = literal(f'\n{{"name": {quoted}, "arguments": ')
        return seq(token(OPENS), begun, arguments, literal("}\n"), token(CLOSES))
