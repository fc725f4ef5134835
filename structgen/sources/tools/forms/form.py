"""What every surface form has: a spelling of values, the frame of a call, answers in words, and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from structgen.errors import Unsupported
from structgen.grammar import ANY_CHAR, EMPTY, TEXT, Expr, alt, complement, literal, repeat, seq, token

from ...json_schema.otherwise import JSON_AGAIN, Again
from ...json_schema.syntax import JSON_SYNTAX, Syntax
from ...languages import contains, intersect

# The marks of a reply: what a reader of the same automaton finds in a text (automata/pushdown/marked).
CALL, ANSWER, ARGUMENTS = "call", "answer", "arguments"
OBJECT, ARRAY, KEY, STRING, SCALAR = "object", "array", "key", "string", "scalar"
VALUE = "value"  # in JSON
PART_KINDS = (ANSWER, ARGUMENTS, OBJECT, ARRAY, KEY, STRING, SCALAR, VALUE)
ENDS = "/"


def mark(name: str) -> Expr:
    """A mark in a grammar."""
    return token(f"mark {name}")


def marks_of(tools: int) -> list[str]:
    """The names of the marks in the grammar of a reply with so many tools, as tokens."""
    names = [*PART_KINDS, CALL, *(f"{CALL} {index}" for index in range(tools))]
    return [f"mark {name}" for name in (*names, *(ENDS + name for name in names))]


class CallForm:
    """A surface form. The methods that take `marked` give texts with marks around their parts, if it is set.

    name: of the form; markup: its special tokens; between: what stands between two calls
    sign: what the chat template of its models contains, if other forms have the same tokens
    unsaid: what an answer in words does not contain, besides the markup
    example: a call, for prompts
    again: how known arguments are written; names: those that tools may have
    """

    name: str
    markup: tuple[str, ...] = ()
    sign: str = ""
    unsaid: tuple[str, ...] = ()
    example: str
    between: Expr = EMPTY
    again: Again = JSON_AGAIN
    names: Expr = repeat(ANY_CHAR, 1)

    def spelling(self, marked: bool) -> Syntax:
        """The spelling of arguments."""
        return JSON_SYNTAX

    def framed(self, name: str, arguments: Expr) -> Expr:
        """A call of the tool with this name."""
        raise NotImplementedError

    def arguments(self, arguments: Expr, marked: bool) -> Expr:
        """The texts of all arguments of a call."""
        return around(ARGUMENTS, arguments, marked)

    def known(self, arguments: Mapping[str, Any]) -> Expr:
        """The texts of arguments that are known."""
        return self.again.value(arguments)

    def call(self, index: int, name: str, arguments: Expr, marked: bool) -> Expr:
        """A call of tool number `index`. Raises Unsupported if the form cannot write its name."""
        if not contains(self.names, name):
            raise Unsupported(
                f"tool {name!r}: the form {self.name!r} cannot write this name",
                pointer="/name",
                remedy='give the tool a name of letters, digits, "_", "-" and "."',
            )
        inside = self.framed(name, self.arguments(arguments, marked))
        return seq(mark(f"{CALL} {index}"), inside, mark(ENDS + CALL)) if marked else inside

    def answer(self, names: Sequence[str], marked: bool) -> Expr:
        """An answer in words, which is never the name of a tool and has no markup."""
        words = intersect(repeat(ANY_CHAR, 1), unmarked((*self.markup, *self.unsaid)))
        if names:
            words = intersect(words, complement(alt(*map(literal, names))))
        return around(ANSWER, words, marked)

    def content(self, kind: str, text: str) -> str:
        """The string, key or scalar that stands between two marks."""
        return text


def around(kind: str, text: Expr, marked: bool) -> Expr:
    """A text, with marks around it if asked for."""
    return seq(mark(kind), text, mark(ENDS + kind)) if marked else text


def unmarked(names: Sequence[str]) -> Expr:
    """All texts that do not contain one of these names."""
    return complement(seq(TEXT, alt(*map(literal, names)), TEXT)) if names else TEXT
