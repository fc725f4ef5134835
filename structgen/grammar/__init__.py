"""The intermediate representation every source lowers to: a small algebra of text.

An expression denotes a set of strings over an alphabet of bytes and named special tokens. Build expressions only with
the lower-case constructors, which keep the algebra small:

    seq(literal("id-"), repeat(chars("09"), 1, 4))      an id such as id-2041

`complement` is taken within TEXT, the well-formed UTF-8 strings, so a complement never admits broken text.

`expr` defines the kinds of expressions and their facts, `build` the constructors, `rules` grammars: expressions that
name each other.
"""

from structgen.grammar.build import (
    ANY_CHAR,
    EMPTY,
    NOTHING,
    SLACK,
    TEXT,
    alt,
    any_of,
    any_order,
    automaton,
    both,
    char_ranges,
    chars,
    chars_except,
    complement,
    difference,
    either,
    literal,
    optional,
    ref,
    repeat,
    separated,
    seq,
    star,
    token,
)
from structgen.grammar.expr import (
    Alt,
    And,
    AnyOrder,
    Bytes,
    Chars,
    Expr,
    Facts,
    Not,
    Ref,
    Repeat,
    Seq,
    Slack,
    StateGraph,
    Token,
    contains_empty,
    copies,
    written_size,
)
from structgen.grammar.rules import Check, Detour, Grammar, renamed, tokens_of

__all__ = [
    "ANY_CHAR",
    "EMPTY",
    "NOTHING",
    "SLACK",
    "TEXT",
    "Alt",
    "And",
    "AnyOrder",
    "Bytes",
    "Chars",
    "Check",
    "Detour",
    "Expr",
    "Facts",
    "Grammar",
    "Not",
    "Ref",
    "Repeat",
    "Seq",
    "Slack",
    "StateGraph",
    "Token",
    "alt",
    "any_of",
    "any_order",
    "automaton",
    "both",
    "char_ranges",
    "chars",
    "chars_except",
    "complement",
    "contains_empty",
    "copies",
    "difference",
    "either",
    "literal",
    "optional",
    "ref",
    "renamed",
    "repeat",
    "separated",
    "seq",
    "star",
    "token",
    "tokens_of",
    "written_size",
]
