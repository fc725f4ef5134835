"""The intermediate representation every source lowers to: a small algebra of text.

An expression denotes a set of strings over an alphabet of bytes and named special tokens. Build expressions only with
the lower-case constructors, which keep the algebra small:

    seq(literal("id-"), repeat(chars("09"), 1, 4))      an id such as id-2041

Users combine grammars with the same constructors, as `sg.grammar`: strings and sources may stand beside expressions,
and `|`, `+`, `&` and `~` work on sources too. What comes out is compiled like a source; its values are texts.

    sg.grammar.seq("<call>", sg.library["json"], "</call>") | sg.Regex("none")
    sg.grammar.Grammar(ref("list"), {"list": alt("x", seq("(", ref("list"), ")"))})     rules may name each other

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
    budget,
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
    token_set,
)
from structgen.grammar.excerpts import Text, copied, excerpt, holds, respelled
from structgen.grammar.expr import (
    Alt,
    And,
    AnyOrder,
    Budget,
    Bytes,
    Chars,
    Combines,
    Excerpt,
    Expr,
    Nested,
    Not,
    Part,
    Placeholder,
    Ref,
    Repeat,
    Seq,
    Slack,
    StateGraph,
    Token,
    TokenSet,
    as_expr,
    contains_empty,
    copies,
    nested,
    written_size,
)
from structgen.grammar.facts import Facts
from structgen.grammar.rewrite import Rewriting
from structgen.grammar.rules import Check, Detour, Grammar, beyond_text, renamed, spelled_out, tokens_of

__all__ = [
    "ANY_CHAR",
    "EMPTY",
    "NOTHING",
    "SLACK",
    "TEXT",
    "Alt",
    "And",
    "AnyOrder",
    "Budget",
    "Bytes",
    "Chars",
    "Check",
    "Combines",
    "Detour",
    "Excerpt",
    "Expr",
    "Facts",
    "Grammar",
    "Nested",
    "Not",
    "Part",
    "Placeholder",
    "Ref",
    "Repeat",
    "Rewriting",
    "Seq",
    "Slack",
    "StateGraph",
    "Text",
    "Token",
    "TokenSet",
    "alt",
    "any_of",
    "any_order",
    "as_expr",
    "automaton",
    "beyond_text",
    "both",
    "budget",
    "char_ranges",
    "chars",
    "chars_except",
    "complement",
    "contains_empty",
    "copied",
    "copies",
    "difference",
    "either",
    "excerpt",
    "holds",
    "literal",
    "nested",
    "optional",
    "ref",
    "renamed",
    "repeat",
    "respelled",
    "separated",
    "seq",
    "spelled_out",
    "star",
    "token",
    "token_set",
    "tokens_of",
    "written_size",
]
