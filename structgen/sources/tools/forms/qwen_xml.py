"""Qwen3-Coder's form: a tag for the function and one for each argument, on lines of their own.

    <tool_call>
    <function=name>
    <parameter=key>
    text
    </parameter>
    </function>
    </tool_call>

An argument is the text itself if it is a string, and JSON otherwise; readers tell them apart by the schema. So where a
string may stand beside other values it is not spelled like one of these, and no string is spelled null. No text holds a
tag at which a reader would cut it. Integers have no point, because int() reads none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    TEXT,
    Bytes,
    Expr,
    alt,
    any_of,
    char_ranges,
    chars_except,
    complement,
    literal,
    optional,
    repeat,
    seq,
    star,
    token,
)
from structgen.surface import option

from ...json_schema.decimals import spell_numbers
from ...json_schema.numbers import Numbers
from ...json_schema.otherwise import JSON_AGAIN
from ...json_schema.syntax import Syntax
from ...languages import contains, intersect, without
from ...regex import Regex
from .form import ENDS, KEY, OBJECT, SCALAR, STRING, VALUE, CallForm, around, mark
from .hermes import CLOSES, OPENS, Untagged

if TYPE_CHECKING:
    from ...json_schema.value_set import ValueSet

FUNCTION, PARAMETER, PARAMETER_CLOSES = "<function=", "<parameter=", "</parameter>"
SPACES = (  # of Python's \s; listed here because reading the expression takes long
    *((0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
)
SPACE = char_ranges(SPACES)
GAP = star(SPACE)
CUTS = alt(  # where readers cut a text
    seq(literal("<"), GAP, literal("parameter"), GAP, literal("=")),
    seq(literal("<"), GAP, literal("/"), GAP, literal("parameter"), GAP, literal(">")),
    *map(literal, (FUNCTION, "</function>", OPENS, CLOSES)),
)
UNCUT = complement(seq(TEXT, CUTS, TEXT))
SPELLED_NULL = seq(*map(any_of, ("nN", "uU", "lL", "lL")))
UNPLACED = ((0, 0x08), (0x0E, 0x1B), (0x7F, 0x7F), (0x3C, 0x3C), (0x3E, 0x3E))  # controls and angle brackets
OUTER = chars_except(char_ranges((*SPACES, *UNPLACED)))
INNER = chars_except(char_ranges(((0x09, 0x0D), (0x1C, 0x1F), *UNPLACED)))
KEYS = seq(OUTER, optional(seq(star(INNER), OUTER)))
NAMES = repeat(OUTER, 1)
# What int(), float() and json.loads read, and some more: strings beside such values are not spelled like this.
READ_AS = {
    "number": r"\s*[+-]?([\d_]+(\.[\d_]*)?|\.[\d_]+)([eE][+-]?[\d_]+)?\s*|\s*[+-]?(?i:nan|inf|infinity)\s*",
    "boolean": r"\s*((?i:true|false)|0|1)\s*",
    "array": r"\s*(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null|NaN|-?Infinity)\s*|\s*[\[{\"](?s:.)*",
}


@cache
def read_as(kind: str) -> Expr:
    """The texts that are read as a value of this kind."""
    return Regex(READ_AS[kind]).lower().start


class Tags(Syntax):
    """The spelling of all arguments of a call; marked: with marks around keys and values."""

    gaps = False
    comma = colon = EMPTY
    array_opens = NOTHING
    member_closes = literal(f"\n{PARAMETER_CLOSES}\n")

    def __init__(self, marked: bool) -> None:
        self._marked, self._values = marked, Values(marked)
        self.object_opens = mark(OBJECT) if marked else EMPTY
        self.object_closes = mark(ENDS + OBJECT) if marked else EMPTY

    def inside(self, kind: Literal["array", "object"]) -> Syntax:
        return self._values

    def word(self, word: str) -> Expr:
        return NOTHING

    def numbers(self, numbers: Numbers, more: Expr, *, reading: bool) -> Expr:
        return NOTHING

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        return NOTHING

    def keys(self, keys: Expr, origin: str) -> Expr:
        if isinstance(keys, Bytes) and not contains(KEYS, keys.value.decode()):
            raise Unsupported(
                f"the form 'qwen_xml' cannot write the name {keys.value.decode()!r:.60} in a tag",
                keyword="properties",
                pointer=origin,
                remedy=f"rename the member, or pass {option('form', 'json')}",
            )
        named = intersect(keys, KEYS)
        if named is NOTHING:
            return NOTHING
        return seq(literal(PARAMETER), around(KEY, named, self._marked), literal(">\n"))


class Values(Syntax):
    """The spelling of one argument: strings as they are, lists and objects as JSON."""

    confused = frozenset({"null", "boolean", "number", "array", "object"})
    free = intersect(without(TEXT, SPELLED_NULL), UNCUT)

    def __init__(self, marked: bool) -> None:
        self._marked = marked
        if marked:
            self.object_opens = seq(mark(VALUE), literal("{"))
            self.object_closes = seq(literal("}"), mark(ENDS + VALUE))
            self.array_opens = seq(mark(VALUE), literal("["))
            self.array_closes = seq(literal("]"), mark(ENDS + VALUE))

    def inside(self, kind: Literal["array", "object"]) -> Syntax:
        return JSON_INSIDE

    def taken(self, value_set: ValueSet) -> Expr:
        kinds = {"array" if kind == "object" else kind for kind in value_set.kinds()}
        return alt(*map(read_as, sorted(kinds & READ_AS.keys())))

    def word(self, word: str) -> Expr:
        return around(SCALAR, literal(word), self._marked)

    def numbers(self, numbers: Numbers, more: Expr, *, reading: bool) -> Expr:
        spelled = spell_numbers(numbers, reading=reading)
        return NOTHING if spelled is NOTHING else around(SCALAR, spelled, self._marked)

    def strings(self, values: Expr, *, reading: bool) -> Expr:
        free = NOTHING if values is NOTHING else intersect(without(values, SPELLED_NULL), UNCUT)
        return NOTHING if free is NOTHING else self.quoted(free)

    def content(self, text: Expr) -> Expr:
        return text

    def quoted(self, content: Expr) -> Expr:
        return around(STRING, content, self._marked)

    def keys(self, keys: Expr, origin: str) -> Expr:
        return JSON_INSIDE.keys(keys, origin)


JSON_INSIDE = Untagged(UNCUT)
PLAIN, MARKED = Tags(False), Tags(True)


class QwenXml(CallForm):
    """Qwen3-Coder's form."""

    name = "qwen_xml"
    markup = (OPENS, CLOSES)
    sign = FUNCTION
    unsaid = (FUNCTION,)
    example = (
        f"{OPENS}\n{FUNCTION}name>\n{PARAMETER}key>\ntext\n{PARAMETER_CLOSES}\n"
        f"{PARAMETER}other>\n3\n{PARAMETER_CLOSES}\n</function>\n{CLOSES}"
    )
    between = literal("\n")
    names = NAMES

    def spelling(self, marked: bool) -> Syntax:
        return MARKED if marked else PLAIN

    def framed(self, name: str, arguments: Expr) -> Expr:
        return seq(
            token(OPENS),
            literal(f"\n{FUNCTION}{name}>\n"),
            arguments,
            literal("</function>\n"),
            token(CLOSES),
        )

    def arguments(self, arguments: Expr, marked: bool) -> Expr:
        return arguments

    def known(self, arguments: Mapping[str, Any]) -> Expr:
        return seq(*(part for key, value in arguments.items() for part in _known(key, value)))


def _known(key: str, value: Any) -> tuple[Expr, ...]:
    """The texts of one argument."""
    spelled = literal(value) if isinstance(value, str) else JSON_AGAIN.value(value)
    return literal(f"{PARAMETER}{key}>\n"), spelled, literal(f"\n{PARAMETER_CLOSES}\n")
