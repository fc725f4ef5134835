"""Generated grammars in Lark's notation, judged by llguidance and by Lark's Earley parser, installed for this only.

    pip install --target judges llguidance==1.9.1 lark==1.3.1
    PYTHONPATH=.:engine:tests:judges python -m conformance grammars

Lark reads every division of a text into terminals (`dynamic_complete`), as structgen does, so the two must agree.
llguidance reads the longest terminal at each place, so it accepts fewer texts: what it accepts, structgen must accept,
and what it refuses beside structgen, Lark must accept. Lark lets what is ignored stand at the very beginning, which
structgen and llguidance do not; texts that begin so are judged by llguidance alone. llguidance misreads ~1..2, which
Lark needs, so it is given {1,2}.

The library is judged in the same way, on the texts of its cases. Its grammars in EBNF are given to both as llguidance's
own converter writes them in Lark's notation, for Lark without terminals, of which Python's re would take the first
alternative that matches. Where check digits are verified, only texts that are accepted are judged.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import structgen as sg
from structgen.errors import StructgenError, Unsatisfiable
from structgen.sources.library import library

ALPHABET = "ab "
STRINGS = ('"a"', '"b"', '"ab"', '"ba"', '"A"i', '"a".."b"')
PATTERNS = ("/a+/", "/[ab]/", "/b*a/", "/a|bb/", "/(ab)+/", "/A/i")
TIMES = ("", "", "", "?", "*", "+", "~2", "~1..2")
EXTENSIONS = ("T0 & T1", '~"a" & /[ab]+/', "/[ab]{1,3}/ & ~T1")
COUNTED = re.compile(r'(?<=[\w)"/])\{(\d*)(,?)(\d*)\}(?=[\s)|])')
PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|/(?:[^/\\]|\\.)+/|//.*|%\w+|(?P<name>[A-Z]\w*)')
EACH = 10  # texts of the library's cases that are accepted, and as many that are rejected
ATTRIBUTES = ("", "[lazy]", '[suffix="b"]')


@dataclass(frozen=True)
class Judged:
    """A generated grammar: its source, and whether it has extensions, which Lark does not know."""

    source: str
    extended: bool


@st.composite
def grammars(draw: st.DrawFn, *, extensions: bool = True) -> Judged:
    """A few rules and terminals over two letters, sometimes with an unknown name."""
    extended, rules = extensions and draw(st.booleans()), draw(st.integers(1, 3))
    names = [*(f"r{number}" for number in range(1, rules)), "T0", "T1"]
    item = st.one_of(st.sampled_from(STRINGS), st.sampled_from(PATTERNS), st.sampled_from(names))

    def option(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        part = st.builds("{}{}".format, parts, st.sampled_from(TIMES))
        return st.lists(part, min_size=1, max_size=3).map(" ".join)

    group = st.lists(option(item), min_size=1, max_size=2).map(lambda options: f"({' | '.join(options)})")
    body = st.lists(option(st.one_of(item, item, group)), min_size=1, max_size=3).map(" | ".join)
    lines = [f"start: {draw(body)}", *(f"r{number}: {draw(body)}" for number in range(1, rules))]
    if extended:
        lines[0] += draw(st.sampled_from(["", " | x", " x"]))
        lines.append(f"x{draw(st.sampled_from(ATTRIBUTES))}: {draw(st.sampled_from([*STRINGS, *PATTERNS]))}")
        lines.append(f"T1: {draw(st.sampled_from(PATTERNS))}")
        lines.append(f"T0: {draw(st.sampled_from([*PATTERNS, *EXTENSIONS[1:]]))}")
    else:
        lines += [f"T{number}: {draw(st.sampled_from([*STRINGS, *PATTERNS]))}" for number in range(2)]
    lines += draw(st.sampled_from([[], [], ['%ignore " "']]))
    if draw(st.integers(0, 19)) == 0:
        lines[0] += draw(st.sampled_from([" r9", " T9", " &", ' "', " (", " T0{"]))
    return Judged("\n".join(lines), extended)


def texts() -> st.SearchStrategy[list[str]]:
    """Twenty texts of the alphabet, short ones first."""
    short = ["".join(letters) for length in range(3) for letters in itertools.product("ab", repeat=length)]
    longer = st.lists(st.text(ALPHABET, min_size=1, max_size=7), min_size=13, max_size=13)
    return longer.map(lambda some: [*short, *some])


class Peers:
    """The two judges."""

    def __init__(self) -> None:
        import llguidance
        from llguidance import LLTokenizer, TokenizerWrapper

        self._llguidance = llguidance.LLMatcher
        self._tokens = LLTokenizer(TokenizerWrapper(_ByteTokens()))

    def refusal(self, source: str) -> str:
        """llguidance's error; empty if it reads the grammar."""
        return self._llguidance.validate_grammar(self._read(source), self._tokens)

    def _read(self, source: str) -> str:
        return self._llguidance.grammar_from_lark(source.replace("~1..2", "{1,2}"))

    def accepts(self, source: str, text: str) -> bool:
        """Whether llguidance accepts the text byte by byte."""
        matcher = self._llguidance(self._tokens, self._read(source))
        ids = [*text.encode()]
        return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()

    def earley(self, source: str) -> Any:
        """Lark's parser; None if Lark cannot read the grammar or has a terminal that may be empty."""
        from lark import Lark
        from lark.exceptions import LarkError

        try:
            return Lark(source, parser="earley", lexer="dynamic_complete", ambiguity="resolve")
        except LarkError:
            return None


class _ByteTokens:
    eos_token_id, bos_token_id = 256, None
    tokens = (*(bytes([byte]) for byte in range(256)), b"<eos>")
    special_token_ids = (256,)

    def __call__(self, text: str | bytes) -> list[int]:
        return [*(text.encode() if isinstance(text, str) else text)]


def parses(earley: Any, text: str) -> bool:
    """Whether Lark's parser reads the text."""
    from lark.exceptions import LarkError

    try:
        earley.parse(text)
    except LarkError:
        return False
    return True


def judged(peers: Peers, grammar: Judged, some: list[str]) -> Iterator[tuple[str, str]]:
    """What was found about one grammar: a word to count, and what to show if it is a fault."""
    refusal = peers.refusal(grammar.source)
    try:
        constraint = sg.compile(sg.Lark(grammar.source))
    except Unsatisfiable as error:
        yield (
            ("refused by both" if refusal else "no string at all, which llguidance lets through"),
            str(error),
        )
        return
    except StructgenError as error:
        yield ("refused by both" if refusal else "FAULT refused by structgen alone"), str(error)
        return
    if refusal:
        yield "FAULT refused by llguidance alone", refusal
        return
    yield "read by both", ""
    earley = None if grammar.extended else peers.earley(grammar.source)
    for text in some:
        ours, theirs = constraint.accepts(text), peers.accepts(grammar.source, text)
        larks = parses(earley, text) if earley is not None and not text.startswith(" ") else None
        yield _verdict(ours, theirs, larks), f"{text!r}: structgen {ours}, llguidance {theirs}, Lark {larks}"


def of_library(peers: Peers) -> Iterator[tuple[str, str]]:
    """The same about each grammar of the library; what Lark does not know is left out of what it is given."""
    from llguidance.gbnf_to_lark import any_to_lark

    for name in library:
        entry, constraint = library.entry(name), sg.compile(library[name])
        plain = entry.notation == ".lark"
        source = entry.text if plain else any_to_lark(re.sub(r"\n\s+\|", " |", entry.text))
        refusal = peers.refusal(source)
        if refusal:
            yield "FAULT refused by llguidance alone", f"{name}: {refusal}"
            continue
        yield "read by both", ""
        rules = (
            source
            if plain
            else PIECE.sub(lambda piece: piece["name"].lower() if piece["name"] else piece[0], source)
        )
        earley = peers.earley(COUNTED.sub(_counted, rules.replace("%llguidance {}", "")))
        some = entry.accept[:EACH] if entry.check else (*entry.accept[:EACH], *entry.reject[:EACH])
        for text in some:
            ours, theirs = constraint.accepts(text), peers.accepts(source, text)
            larks = parses(earley, text) if earley is not None else None
            yield (
                _verdict(ours, theirs, larks),
                f"{name}, {text!r}: {ours}, llguidance {theirs}, Lark {larks}",
            )


def _counted(found: re.Match[str]) -> str:
    """A repetition as Lark writes it."""
    low, comma, high = found.groups()
    return f"~{low}" if not comma or low == high else f"~{low or 0}..{high}" if high else found[0]


def _verdict(ours: bool, theirs: bool, larks: bool | None) -> str:
    if larks is not None and ours != larks:
        return "FAULT text: Lark says otherwise"
    if theirs and not ours:
        return "FAULT text: llguidance alone accepts"
    if ours and not theirs:
        return "text: llguidance refuses, for the longest terminal" + ("" if larks else " (no Lark)")
    return "text: all agree" if larks is not None else "text: both agree"


def run(count: int, first: int) -> tuple[Counter[str], list[str]]:
    """The counts over so many grammars, and the faults."""
    counts, faults, peers = Counter[str](), list[str](), Peers()

    @seed(first)
    @settings(
        max_examples=max(count, 1), database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(grammars(), texts())
    def check(grammar: Judged, some: list[str]) -> None:
        counts["grammars"] += 1
        for word, shown in judged(peers, grammar, some):
            counts[word] += 1
            if word.startswith("FAULT"):
                faults.append(f"{word}: {shown}\n{grammar.source}\n")

    if count:
        check()
    for word, shown in of_library(peers):
        counts[f"library, {word}"] += 1
        if word.startswith("FAULT"):
            faults.append(f"library, {word}: {shown}\n")
    return counts, faults
