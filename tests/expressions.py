"""Random expressions, what they mean, and what every compiled automaton owes.

`ends` is the oracle: it matches a string by following the definition of each expression, position by position, and
shares no code with the automata. A string is a tuple of symbols: bytes, then 256, 257, … for the tokens in TOKENS.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from structgen.grammar import (
    EMPTY,
    SLACK,
    Alt,
    And,
    Bytes,
    Chars,
    Expr,
    Grammar,
    Not,
    Ref,
    Repeat,
    Seq,
    Slack,
    Token,
    alt,
    any_of,
    both,
    char_ranges,
    chars,
    chars_except,
    complement,
    literal,
    optional,
    ref,
    repeat,
    separated,
    seq,
    star,
    token,
)
from structgen_engine.automata.dfa import DEAD, NEVER, Dfa

TOKENS = ("<end>", "<null>")
NULL = "<null>"
RULES = {"pair": seq(literal("a"), ref("tail")), "tail": alt(literal("b"), literal("ß")), "none": alt()}

Symbols = tuple[int, ...]


@dataclass(eq=False)
class Oracle:
    """The strings of a grammar; `null` is the symbol that Slack repeats, None if Slack is the empty string."""

    text: Symbols
    rules: Mapping[str, Expr] = field(default_factory=lambda: RULES)
    null: int | None = None
    memo: dict[tuple[Expr, int, bool], frozenset[int]] = field(default_factory=dict)

    def accepts(self, expr: Expr) -> bool:
        return len(self.text) in self.ends(expr, 0)

    def ends(self, expr: Expr, at: int, slack: bool = True) -> frozenset[int]:
        """Where a match of `expr` that starts at position `at` may end."""
        key = (expr, at, slack)
        if key not in self.memo:
            self.memo[key] = frozenset(self._ends(expr, at, slack))
        return self.memo[key]

    def _ends(self, expr: Expr, at: int, slack: bool) -> set[int]:
        text = self.text
        match expr:
            case Bytes(value):
                return {at + len(value)} if text[at : at + len(value)] == tuple(value) else set()
            case Chars(ranges):
                found = {end: self._character(at, end) for end in range(at + 1, min(at + 4, len(text)) + 1)}
                return {
                    end for end, c in found.items() if c is not None and any(a <= c <= b for a, b in ranges)
                }
            case Token(name):
                return {at + 1} if text[at : at + 1] == (256 + TOKENS.index(name),) else set()
            case Slack():
                end = at
                while slack and self.null is not None and text[end : end + 1] == (self.null,):
                    end += 1
                return set(range(at, end + 1))
            case Seq(parts):
                here = {at}
                for part in parts:
                    here = {end for start in here for end in self.ends(part, start, slack)}
                return here
            case Alt(parts):
                return {end for part in parts for end in self.ends(part, at, slack)}
            case Repeat(body, low, high):
                return self._repeat(body, low, high, at, slack)
            case And(parts):
                return set.intersection(*(set(self.ends(part, at, False)) for part in parts))
            case Not(body):
                inside = self.ends(body, at, False)
                return {
                    end for end in range(at, len(text) + 1) if self._is_text(at, end) and end not in inside
                }
            case Ref(name):
                return set(self.ends(self.rules[name], at, slack))
        raise AssertionError(expr)

    def _repeat(self, body: Expr, low: int, high: int | None, at: int, slack: bool) -> set[int]:
        here, found = {at}, set()
        for count in range((low + len(self.text) + 1 if high is None else high) + 1):
            if count >= low:
                found |= here
            here = {end for start in here for end in self.ends(body, start, slack)}
        return found

    def _character(self, at: int, end: int) -> int | None:
        try:
            decoded = bytes(self.text[at:end]).decode()
        except ValueError:
            return None
        return ord(decoded) if len(decoded) == 1 else None

    def _is_text(self, at: int, end: int) -> bool:
        try:
            bytes(self.text[at:end]).decode()
        except ValueError:
            return False
        return True


def accepts(expr: Expr, text: Symbols, null: int | None = None) -> bool:
    """Whether `expr` contains `text`, by definition."""
    return Oracle(text, null=null).accepts(expr)


LITERALS = st.sampled_from([b"", b"a", b"b", b"ab", b"aba", "ß".encode(), "€a".encode(), b"\xc3", b"\x9f"])
BOUNDARIES = "ab\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"
RANGES = st.lists(
    st.tuples(st.sampled_from(BOUNDARIES), st.sampled_from(BOUNDARIES)).map(
        lambda p: (ord(min(p)), ord(max(p)))
    ),
    min_size=1,
    max_size=2,
)
LEAVES = st.one_of(
    LITERALS.map(literal),
    st.sampled_from(
        [char_ranges([(97, 98)]), char_ranges([(97, 97), (0xDF, 0xE5)]), char_ranges([(0, 0x10FFFF)])]
    ),
    RANGES.map(char_ranges),
)
MARKS = st.sampled_from([SLACK, token("<end>"), ref("pair"), ref("tail"), ref("none")])


def _combined(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    parts = st.lists(children, max_size=3)
    bounds = st.tuples(st.integers(0, 4), st.none() | st.integers(0, 3))
    return st.one_of(
        parts.map(lambda p: seq(*p)),
        parts.map(lambda p: alt(*p)),
        st.builds(
            lambda body, b: repeat(body, b[0], None if b[1] is None else b[0] + b[1]), children, bounds
        ),
        st.lists(children, min_size=1, max_size=2).map(lambda p: both(*p)),
        children.map(complement),
    )


def expressions(*, marks: bool = False, leaves: int = 6) -> st.SearchStrategy[Expr]:
    """Expressions over a and b, a few longer characters and broken UTF-8; with `marks` also tokens, slack and rules."""
    return st.recursive(st.one_of(LEAVES, MARKS) if marks else LEAVES, _combined, max_leaves=leaves)


NOISE = (*b"ab", *"ß€\U00010000".encode(), 0x80, 0xC3, 0xED, 0xA0, 0xFF)


def near(expr: Expr, rng: random.Random, *, null: int | None = None, symbols: Symbols = NOISE) -> Symbols:
    """A string that is in the language of `expr` or a few changes away from it."""
    text = list(_sample(expr, rng, null))[:12]
    for _ in range(rng.choice((0, 0, 1, 2))):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(4):
            case 0:
                text.insert(at, rng.choice(symbols))
            case 1:
                del text[at : at + 1]
            case 2:
                text[at : at + 1] = [rng.choice(symbols)]
            case _:
                text[at:at] = text[at // 2 : at]
    return tuple(text[:14])


def _sample(expr: Expr, rng: random.Random, null: int | None) -> Symbols:
    """A string of `expr`; a guess where intersections and complements are involved."""
    match expr:
        case Bytes(value):
            return tuple(value)
        case Chars(ranges):
            low, high = rng.choice(ranges)
            return tuple(
                chr(rng.choice((low, high, rng.randint(low, high)))).encode("utf-8", "surrogatepass")
            )
        case Token(name):
            return (256 + TOKENS.index(name),)
        case Slack():
            return () if null is None else (null,) * rng.randrange(3)
        case Seq(parts):
            return sum((_sample(part, rng, null) for part in parts), ())
        case Alt(parts) | And(parts):
            return _sample(rng.choice(parts), rng, null) if parts else ()
        case Repeat(body, low, high):
            times = rng.randint(low, low + 3 if high is None else high)
            return sum((_sample(body, rng, null) for _ in range(times)), ())
        case Not(body):
            return (
                tuple(rng.choice(["", "a", "ß", "ab", "ba€"]).encode())
                + _sample(body, rng, null)[: rng.randrange(4)]
            )
        case Ref(name):
            return _sample(RULES[name], rng, null)
    raise AssertionError(expr)


def assert_minimal(dfa: Dfa) -> None:
    """Every state is reachable and live, no two are equivalent, no two classes are equal, only class 0 is refused."""
    delta, accepting = dfa.delta.numpy(), dfa.accepting.numpy()
    reached, waiting = {dfa.start}, [dfa.start]
    while waiting:
        for state in set(delta[waiting.pop()].tolist()) - reached - {DEAD}:
            reached.add(state)
            waiting.append(state)
    assert reached == set(range(1, dfa.states)), "a state is unreachable"
    if accepting.any():
        assert (dfa.distance[1:] < NEVER).all(), "a state never accepts"
    else:
        assert dfa.states == 2, "an empty language has one state beside DEAD"
    assert len({tuple(column) for column in delta.T.tolist()}) == dfa.alphabet.size, "two classes are equal"
    assert _parts(delta, accepting) == (dfa.states if accepting.any() else 1), "two states are equivalent"


def _parts(delta: np.ndarray, accepting: np.ndarray) -> int:
    """How many states the language tells apart (Moore's partition refinement, the plain way)."""
    block, count = accepting.astype(int).tolist(), 0
    while True:
        names: dict[tuple[int, ...], int] = {}
        rows = [(block[s], *(block[t] for t in row)) for s, row in enumerate(delta.tolist())]
        block = [names.setdefault(row, len(names)) for row in rows]
        if len(names) == count:
            return count
        count = len(names)


def grammar(expr: Expr) -> Grammar:
    """The grammar of `expr` over RULES."""
    return Grammar(expr, RULES)


# Recursive grammars


def random_grammar(rng: random.Random, letters: str = "ab", rules: int = 3) -> Grammar:
    """Up to `rules` small rules that refer to one another at random: left, right, hidden and indirect recursion, empty
    strings, ambiguity, rules without strings."""
    names = [f"r{index}" for index in range(rng.randint(1, rules))]

    def expression(depth: int) -> Expr:
        kind = rng.random()
        if depth == 0 or kind < 0.25:
            return literal("".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 1, 1, 2)))))
        if kind < 0.5:
            return ref(rng.choice(names))
        if kind < 0.6:
            low, more = rng.choice(((0, None), (1, None), (0, 1), (0, 2), (2, 1)))
            return repeat(expression(depth - 1), low, None if more is None else low + more)
        parts = [expression(depth - 1) for _ in range(rng.choice((2, 2, 3)))]
        return seq(*parts) if kind < 0.8 else alt(*parts)

    def body() -> Expr:
        ending = literal("".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 1, 2)))))
        choices = [ending] * (rng.random() < 0.85) + [expression(3) for _ in range(rng.choice((1, 2, 2)))]
        return alt(*choices)

    start = ref(names[0]) if rng.random() < 0.5 else seq(expression(2), ref(names[-1]))
    return Grammar(start, {name: body() for name in names})


def strings(grammar: Grammar, letters: str, longest: int) -> set[bytes]:
    """All strings over `letters` of up to `longest` bytes: what the rules derive, until nothing new comes."""
    known: dict[str, set[bytes]] = {name: set() for name in grammar.rules}
    while True:
        derived = {name: _derived(body, known, letters, longest) for name, body in grammar.rules.items()}
        if derived == known:
            return _derived(grammar.start, known, letters, longest)
        known = derived


def _derived(expr: Expr, known: Mapping[str, set[bytes]], letters: str, longest: int) -> set[bytes]:
    def derived(part: Expr) -> set[bytes]:
        return _derived(part, known, letters, longest)

    def joined(left: set[bytes], right: set[bytes]) -> set[bytes]:
        return {a + b for a in left for b in right if len(a) + len(b) <= longest}

    match expr:
        case Bytes(value):
            return {value} if len(value) <= longest else set()
        case Chars(ranges):
            return {c.encode() for c in letters if any(low <= ord(c) <= high for low, high in ranges)}
        case Seq(parts):
            found = {b""}
            for part in parts:
                found = joined(found, derived(part))
            return found
        case Alt(parts):
            return set().union(*map(derived, parts))
        case And(parts):
            return set.intersection(*map(derived, parts))
        case Not(body):
            every = {b""}
            for _ in range(longest):
                every |= joined(every, {c.encode() for c in letters})
            return every - derived(body)
        case Repeat(body, low, high):
            found, here, once = set(), {b""}, derived(body)
            for count in range((low + longest if high is None else high) + 1):
                found |= here if count >= low else set()
                here = joined(here, once)
            return found
        case Ref(name):
            return known[name]
    raise AssertionError(expr)


_SPACE = star(any_of(" \t\n\r"))
_HEX = chars("09", "af", "AF")
_ESCAPE = seq(literal("\\"), alt(any_of('"\\/bfnrt'), seq(literal("u"), repeat(_HEX, 4, 4))))
_STRING = seq(literal('"'), star(alt(chars_except(chars("\x00\x1f", '""', "\\\\")), _ESCAPE)), literal('"'))
_DIGITS = repeat(chars("09"), 1)
_NUMBER = seq(
    optional(literal("-")),
    alt(literal("0"), seq(chars("19"), star(chars("09")))),
    optional(seq(literal("."), _DIGITS)),
    optional(seq(any_of("eE"), optional(any_of("+-")), _DIGITS)),
)


def json_grammar(*, compact: bool = False) -> Grammar:
    """Any JSON text (RFC 8259); `compact` ones have no white space."""
    space = EMPTY if compact else _SPACE
    words = [literal(word) for word in ("true", "false", "null")]
    value = seq(alt(ref("nested"), _STRING, _NUMBER, *words), space)
    comma, member = seq(literal(","), space), seq(_STRING, space, literal(":"), space, value)
    array = seq(literal("["), space, separated(value, comma), literal("]"))
    object_ = seq(literal("{"), space, separated(member, comma), literal("}"))
    return Grammar(seq(space, value), {"nested": alt(array, object_)})
