"""The form of gpt-oss: a message to a function in the channel `commentary`; answers are in the channel `final`."""

from __future__ import annotations

from collections.abc import Sequence

from structgen.grammar import Expr, chars, literal, repeat, seq, token

from ...json_schema.syntax import Syntax
from .form import CallForm, unmarked
from .hermes import Untagged

CHANNEL, CONSTRAIN, MESSAGE, CALLS, START = (
    "<|channel|>",
    "<|constrain|>",
    "<|message|>",
    "<|call|>",
    "<|start|>",
)
TOKENS = (CHANNEL, CONSTRAIN, MESSAGE, CALLS, START)
SAFE = Untagged(unmarked(TOKENS))


class Harmony(CallForm):
    """The form of gpt-oss."""

    name = "harmony"
    markup = TOKENS
    example = (
        f'{CHANNEL}commentary to=functions.name {CONSTRAIN}json{MESSAGE}{{"key": "text", "other": 3}}{CALLS}'
    )
    between = seq(token(START), literal("assistant"))
    names = repeat(chars("az", "AZ", "09", "__", "--", ".."), 1)

    def spelling(self, marked: bool) -> Syntax:
        return SAFE

    def framed(self, name: str, arguments: Expr) -> Expr:
        to = seq(
            token(CHANNEL), literal(f"commentary to=functions.{name} "), token(CONSTRAIN), literal("json")
        )
        return seq(to, token(MESSAGE), arguments, token(CALLS))

    def answer(self, names: Sequence[str], marked: bool) -> Expr:
        words = super().answer(names, marked)
        return seq(token(CHANNEL), literal("final"), token(MESSAGE), words)
