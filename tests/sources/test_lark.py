"""Grammars in Lark's notation: what they derive, and what is said of those that are wrong."""

from __future__ import annotations

import itertools
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import structgen as sg
from structgen.errors import InvalidSource, StructgenError, Unsatisfiable, Unsupported
from structgen.sources.lark import Lark

ARITHMETIC = """
?start: sum
?sum: product | sum "+" product -> add
?product: atom | product "*" atom -> mul
!atom: NUMBER | "(" sum ")"
%import common (NUMBER, WS_INLINE)
%ignore WS_INLINE
"""


@cache
def compiled(source: str) -> sg.Constraint[str]:
    return sg.compile(Lark(source))


def derives(source: str, text: str) -> bool:
    return compiled(source).accepts(text)


@pytest.mark.parametrize(
    ("body", "pattern"),
    [
        ('"a" | "b" "c"', "a|bc"),
        ('("a" "b"?)+', "(ab?)+"),
        ('"a".."c"~2', "[a-c]{2}"),
        ('"a"~1..2 "b"{,2}', "a{1,2}b{0,2}"),
        ('["a"] "b"', "a?b"),
        ('"a"{2,}', "a{2,}"),
        ('"AB"i', "[aA][bB]"),
        ("/[ab]c/i", "[abAB][cC]"),
        ("/a b/x", "ab"),
        ("| /b+/", "(b+)?"),
        ("X & Y", None),
        ('"a" -> first | "b" -> second', "a|b"),
    ],
)
def test_a_body_means_what_the_regular_expression_means(body: str, pattern: str | None) -> None:
    """On all short strings of a few letters."""
    if pattern is None:
        source, pattern = 'start: Z\nZ: X & Y & ~"b"\nX: /[ab]*/\nY: /.|../', "a|[ab]{2}"
    else:
        source = f"start: {body}"
    for length in range(5):
        for letters in itertools.product("abcA", repeat=length):
            text = "".join(letters)
            assert derives(source, text) == bool(re.fullmatch(pattern, text)), text


def test_rules_may_be_recursive_and_white_space_follows_lexemes() -> None:
    for text in ("1", "1+2*3", "(1 + 2) * 3 ", "(" * 30 + "7" + ")" * 30, "1e5"):
        assert derives(ARITHMETIC, text), text
    for text in ("", " 1", "1+", "1 2", "(1", "1e 5"):
        assert not derives(ARITHMETIC, text), text


def test_what_is_ignored_stands_after_lexemes_that_may_be_empty_only_if_they_are_not() -> None:
    source = 'start: A "x"\nA: /a*/\n%ignore " "'
    assert derives(source, "a x ")
    assert derives(source, "x")
    assert not derives(source, " x")


@given(st.text(st.sampled_from("ab/*\n -\"'\\#1.5eE+\r\t\f"), max_size=8))
def test_common_terminals_are_those_of_lark_by_its_patterns(text: str) -> None:
    for name, pattern in COMMON_OF_LARK.items():
        assert derives(f"start: {name}\n%import common.{name}", text) == bool(re.fullmatch(pattern, text)), (
            name
        )


COMMON_OF_LARK = {
    "SIGNED_NUMBER": r"[+-]?(\d+|(\d+[eE][+-]?\d+|(\d+\.\d*|\.\d+)([eE][+-]?\d+)?))",
    "WS": "[ \t\f\r\n]+",
    "NEWLINE": "(\r?\n)+",
    "C_COMMENT": r"/\*(.|\n)*?\*/(?<!/\*/)",
    "CPP_COMMENT": "//[^\n]*",
    "SQL_COMMENT": "--[^\n]*",
    "CNAME": "[_a-zA-Z][_a-zA-Z0-9]*",
}


def test_grammars_stand_in_one_another_with_their_own_names() -> None:
    source = 'start: item %lark {\n  start: item\n  item: "b"\n} item ":" %json {"type": "boolean"} @digit\nitem: "a"'
    constraint = sg.compile(Lark(source, grammars={"digit": sg.Regex("[0-9]")}))
    assert constraint.accepts("aba:true7")
    assert not constraint.accepts("aaa:true7")
    nested = Lark("start: @pair", grammars={"pair": 'start: @item ":" @item', "item": "start: /[a-z]+/"})
    assert sg.compile(nested).accepts("a:bc")


def test_pieces_of_a_text_are_neighbours() -> None:
    source = 'start: %regex {"substring_words": "the fox, runs"}'
    pieces = ["the", " ", "fox", ",", " ", "runs"]
    for low, high in itertools.combinations_with_replacement(range(7), 2):
        assert derives(source, "".join(pieces[low:high]))
    for text in ("th", "the fox runs", "fox,runs"):
        assert not derives(source, text)


def test_a_lazy_rule_ends_as_soon_as_it_can() -> None:
    source = 'start: head "!"\nhead[lazy]: /.*/ "<end>"'
    assert derives(source, "a<end>!")
    assert not derives(source, "a<end>b<end>!")
    for attribute in ("suffix", "stop"):
        marked = f'start: "<" r ">"\nr[{attribute}=/!!+/]: /[a-z]*/'
        assert derives(marked, "<ab!!>")
        assert not derives(marked, "<ab!!!>")


@pytest.mark.parametrize(
    ("source", "line", "column", "what", "instead"),
    [
        ('# c\r\nstart: "a"\r\nitem missing', 3, 6, "expected ':'", "item:"),
        ('start.2: "a"', 1, 6, "priorities", "remove"),
        ('start: a{"x"}\na{x}: x', 1, 10, "invalid repetition count", "{2}"),
        ("start: list{x}", 1, 12, "templates", "rule of its own"),
        ("%declare A\nstart: A", 1, 1, "%declare", "%ignore"),
        (r"start: /a(?=b)/", 1, 8, "look-around", "without it"),
        (r"start: /(a)\1/", 1, 8, "regular expression", "at position"),
        ("start: /a$/", 1, 8, "anchors", "&"),
        ('start[temperature=0.5]: "a"', 1, 7, "temperature", "temperature= to the call"),
        ("%import common.INTS\nstart: INTS", 1, 16, "unknown common import", "SIGNED_INT"),
        ("start: a", 1, 8, "unknown name 'a'", "quotes"),
        ('start: "a"\nstart: "b"', 2, 1, "duplicate", "another name"),
        ('start: start "a"', 1, 1, "derives no string", "alternative"),
        ('start: "a" | B\nB: "a" & "b"', 2, 4, "no text", "&"),
        ('start: "x', 1, 8, "unterminated string", "close it"),
        ("start: ABC\nABC: DEF\nDEF: ABC", 3, 6, "circular", "rule"),
        ("start: A & B\nA: /a/\nB: /b/", 1, 8, "in rules", "terminal"),
        ("start: @x", 1, 8, "unknown named grammar", "grammars="),
        ('start: %json {"type": 5}', 1, 8, "inline JSON schema", "type"),
    ],
)
def test_what_is_wrong_is_shown_with_its_line_and_what_to_write(
    source: str, line: int, column: int, what: str, instead: str
) -> None:
    with pytest.raises((InvalidSource, Unsatisfiable, Unsupported)) as caught:
        Lark(source).lower()
    sentence, shown, caret = str(caught.value).split("\n")
    assert f"line {line}, column {column} of the grammar" in sentence
    assert what in sentence
    assert instead in sentence
    assert shown == source.replace("\r", "").split("\n")[line - 1]
    assert caret == " " * (column - 1) + "^"


SEEDS = (
    ARITHMETIC,
    'start[capture]: a* b\na[lazy]: /x.*/ "y"i\nb[max_tokens=3, suffix="z"]: C{2,3}\nC: /[ab]/ & ~"b"',
    'start: %json {"type": "array", "items": {"type": "integer"}} %lark { start: "q"~2..3 } <|x|> <[2-5,9]> @g',
    '%llguidance {}\nstart: | %regex {"substring_chars": "abc"} ["\\u00e4".."\\u00ff"] -> x\n// comment\n',
)


@given(st.data())
def test_no_mutation_of_a_grammar_ends_in_another_error(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 5))
        new = data.draw(
            st.sampled_from(["", *'"/()[]{}|&~:%<>@.,=*+?!-\\\n\x00aA1 ä', "%ignore ", "start", "\ud800"])
        )
        text = text[:at] + new + text[at + cut :]
    reason = refusal(text)
    assert reason is None or reason.startswith("line "), reason


def refusal(source: str) -> str | None:
    try:
        Lark(source).lower()
    except StructgenError as error:
        return str(error)
    return None


def test_deep_and_long_grammars_are_read_or_refused() -> None:
    assert derives("start: " + "(" * 100 + '"a"' + ")" * 100, "a")
    for source in ("start: " + "(" * 5000, "start: " + "~" * 5000 + "A", "start: %json " + "[" * 100_000):
        with pytest.raises(InvalidSource):
            Lark(source).lower()
    chain = "start: T0\n" + "\n".join(f'T{n}: T{n + 1} "a"?' for n in range(2000)) + '\nT2000: "b"'
    assert len(Lark(chain).lower().rules) == 1


CAPTURES = {
    'start: (item ",")* item\nitem[capture]: /[0-9]+/': ("1,22", [("item", "1", 0, 1), ("item", "22", 2, 4)]),
    'start: lst\nlst[capture]: ITEM "," lst | ITEM\nITEM: /[0-9]+/': (
        "1,2",
        [("lst", "2", 2, 3), ("lst", "1,2", 0, 3)],
    ),
    'start[capture="all"]: r "z"\nr[capture, stop=/!!+/, stop_capture="mark"]: /[a-zä]*/': (
        "äb!!z",
        [("mark", "!!", 2, 4), ("r", "äb", 0, 2), ("all", "äbz", 0, 5)],
    ),
    'start: e\ne[capture]: e "+" e | "1"': (
        "1+1",
        [("e", "1", 0, 1), ("e", "1", 2, 3), ("e", "1+1", 0, 3)],
    ),
}


@pytest.mark.parametrize("source", CAPTURES)
def test_captures_are_the_pieces_of_rules_inner_ones_first(source: str) -> None:
    text, expected = CAPTURES[source]
    lark = Lark(source)
    assert [(name, *capture) for name, capture in lark.captured(text)] == expected
    assert lark.captures(text)[expected[0][0]][0] == expected[0][1:]
    assert lark.captures(text + "?") == {}


def test_a_generation_has_its_captures() -> None:
    model = sg.load()
    source = Lark('start: "id " number "!"\nnumber[capture="n"]: /[0-9]{2,3}/')
    result = model.generate("a number", source, details=True)
    ((text, start, end),) = result.captures["n"]
    assert (text, start) == (result.text[3:-1], 3)
    assert end == len(result.text) - 1
    assert type(result).from_dict(result.to_dict()).captures == result.captures


CALLS = """
start: call* TEXT
call: head /[0-9]+/ ";" | other "?"
head[lazy]: TEXT "<call>"
other[suffix="<ask>"]: TEXT
TEXT: /(.|\\n)*/
"""


def test_where_a_lazy_rule_may_begin_its_first_match_decides() -> None:
    for text in ("", "a <cal", "a<call>1;b", "<call>1;<ask>?<call>2;", "<ask>?"):
        assert derives(CALLS, text), text
    for text in ("<call>", "a<call>b", "<call>1;<call>", "<ask>", "<ask>!", "<call>1", "<ask>?<call>a;"):
        assert not derives(CALLS, text), text


@given(st.text(st.sampled_from("ab<>"), max_size=8))
def test_a_text_passes_if_no_trigger_is_left_open(text: str) -> None:
    """The texts are cut at the trigger, from left to right: each piece but the first begins with what must follow."""
    source = 'start: call* TEXT\ncall: head "a"\nhead[lazy]: TEXT "<>"\nTEXT: /[ab<>]*/'
    rest = text
    while "<>" in rest and rest.partition("<>")[2].startswith("a"):
        rest = rest.partition("<>")[2][1:]
    assert derives(source, text) == ("<>" not in rest)
