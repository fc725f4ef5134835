"""Gemma 4's form: `<|tool_call>call:name{key:<|"|>text<|"|>,n:3}<tool_call|>`.

Strings stand between special tokens and have no escapes, so they hold braces, commas, quotes and line breaks as they
are, and never the names of these tokens. Keys are bare. The readers of vLLM and SGLang read texts, not tokens, and
differ in places; what is written here both read alike. Numbers have no exponent. An optional member that is null is
left out. Where a string may stand beside numbers or null, no string is spelled like one of these, because the readers
tell them apart by the schema alone. Inside an array that stands in an array, strings have no brackets.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    Bytes,
    Expr,
    alt,
    any_of,
    char_ranges,
    chars,
    chars_except,
    literal,
    repeat,
    seq,
    token,
)
from structgen.surface import option

from ...json_schema.decimals import spell_numbers
from ...json_schema.held import scalar_texts
from ...json_schema.numbers import Numbers
from ...json_schema.otherwise import Again
from ...json_schema.syntax import Syntax
from ...languages import contains, intersect
from .form import ARRAY, ENDS, KEY, OBJECT, SCALAR, STRING, CallForm, around, mark, unmarked

if TYPE_CHECKING:
    from ...json_schema.value_set import ValueSet

QUOTES = '<|"|>'
AROUND = repeat(any_of(" \t\n\r"))  # white space that readers of numbers and of null leave out
OPENS, CLOSES = "<|tool_call>", "<tool_call|>"
BARE = chars_except(
    char_ranges(
        [
            *((0, 0x20), (0x7F, 0x7F), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
            *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
            *((ord(char), ord(char)) for char in ':,{}[]"<>|'),
        ]
    )
)
KEYS = repeat(BARE, 1)
NAMES = repeat(BARE, 1)


class Bare(Syntax):
    """The spelling of Gemma's arguments; marked: with marks around values and keys."""

    gaps, holds_null = False, False
    confused = frozenset({"null", "boolean", "number"})

    def __init__(self, marked: bool, depth: int = 0, root: Bare | None = None) -> None:
        self._marked, self._depth, self._root = marked, depth, root or self
        self.free = UNCAGED if depth == CAGED else UNQUOTED
        if marked:
            self.object_opens = seq(mark(OBJECT), literal("{"))
            self.object_closes = seq(literal("}"), mark(ENDS + OBJECT))
            self.array_opens = seq(mark(ARRAY), literal("["))
            self.array_closes = seq(literal("]"), mark(ENDS + ARRAY))

    @cached_property
    def _element(self) -> Bare:
        return Bare(self._marked, self._depth + 1, self._root)

    def inside(self, kind: Literal["array", "object"]) -> Syntax:
        if self._depth == CAGED:
            return self
        return self._element if kind == "array" else self._root

    def taken(self, value_set: ValueSet) -> Expr:
        texts = scalar_texts(value_set.only(self.confused))
        return seq(AROUND, texts, AROUND) if texts else NOTHING

    def word(self, word: str) -> Expr:
        return around(SCALAR, literal(word), self._marked)

    def numbers(self, numbers: Numbers, more: Expr, *, reading: bool) -> Expr:
        spelled = spell_numbers(numbers, reading=reading, exponents=False)
        return NOTHING if spelled is NOTHING else around(SCALAR, seq(spelled, more), self._marked)

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        free = NOTHING if values is NOTHING else intersect(values, self.free)
        return NOTHING if free is NOTHING else self.quoted(free)

    def content(self, text: Expr) -> Expr:
        return text

    def quoted(self, content: Expr) -> Expr:
        return around(STRING, seq(token(QUOTES), content, token(QUOTES)), self._marked)

    def keys(self, keys: Expr, origin: str) -> Expr:
        if isinstance(keys, Bytes) and not contains(KEYS, keys.value.decode()):
            raise Unsupported(
                f"the form 'gemma' has no quotes around keys, and {keys.value.decode()!r:.60} needs them",
                keyword="properties",
                pointer=origin,
                remedy=f"rename the member, or pass {option('form', 'json')}",
            )
        bare = intersect(keys, KEYS)
        return NOTHING if bare is NOTHING else around(KEY, bare, self._marked)


UNQUOTED = unmarked((QUOTES, OPENS, CLOSES))
CAGED = 2  # arrays that stand directly in one another, inside which SGLang counts the brackets of strings too
UNCAGED = intersect(UNQUOTED, repeat(chars_except(any_of("[]"))))
PLAIN, MARKED = Bare(False), Bare(True)


class BareAgain(Again):
    """The texts of known values in Gemma's syntax."""

    comma, colon, gap = literal(","), literal(":"), EMPTY

    def string(self, text: str) -> Expr:
        return literal(f"{QUOTES}{text}{QUOTES}")

    def key(self, text: str) -> Expr:
        return literal(text)

    def scalar(self) -> Expr:
        quotes = literal(QUOTES)
        return alt(seq(quotes, UNQUOTED, quotes), repeat(chars("az", "09", "--", ".."), 1))


class Gemma(CallForm):
    """Gemma 4's form."""

    name = "gemma"
    markup = (OPENS, CLOSES, QUOTES)
    example = f"{OPENS}call:name{{key:{QUOTES}text{QUOTES},other:3}}{CLOSES}"
    names = NAMES
    again = BareAgain()

    def spelling(self, marked: bool) -> Syntax:
        return MARKED if marked else PLAIN

    def framed(self, name: str, arguments: Expr) -> Expr:
        return seq(token(OPENS), literal(f"call:{name}"), arguments, token(CLOSES))

    def arguments(self, arguments: Expr, marked: bool) -> Expr:
        return arguments

    def content(self, kind: str, text: str) -> str:
        return text.removeprefix(QUOTES).removesuffix(QUOTES) if kind == STRING else text
