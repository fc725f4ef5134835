"""The form of Hermes and Qwen: `<tool_call>` and `</tool_call>` around a JSON object with name and arguments."""

from __future__ import annotations

import json

from structgen.grammar import ANY_CHAR, NOTHING, Expr, literal, repeat, seq, token

from ...json_schema.syntax import Syntax
from ...languages import intersect
from .form import CallForm, unmarked

OPENS, CLOSES = "<tool_call>", "</tool_call>"


class Untagged(Syntax):
    """JSON whose strings and keys are `free` of the tags of a form, at which readers cut the text."""

    def __init__(self, free: Expr) -> None:
        self.free = free

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        return super().strings(intersect(values, self.free), reading=reading)

    def keys(self, keys: Expr, origin: str) -> Expr:
        free = intersect(keys, self.free)
        return NOTHING if free is NOTHING else super().keys(free, origin)


TAGS = (OPENS, CLOSES)
UNTAGGED = Untagged(unmarked(TAGS))


class Hermes(CallForm):
    """Hermes' form."""

    name = "hermes"
    markup = TAGS
    example = f'{OPENS}\n{{"name": "name", "arguments": {{"key": "text", "other": 3}}}}\n{CLOSES}'
    between = literal("\n")
    names = intersect(repeat(ANY_CHAR, 1), unmarked(TAGS))

    def spelling(self, marked: bool) -> Syntax:
        return UNTAGGED

    def framed(self, name: str, arguments: Expr) -> Expr:
        quoted = json.dumps(name, ensure_ascii=False)
        begun = literal(f'\n{{"name": {quoted}, "arguments": ')
        return seq(token(OPENS), begun, arguments, literal("}\n"), token(CLOSES))
