"""The intermediate representation every source lowers to: a small algebra of text.

An expression denotes a set of strings over an alphabet of bytes and named special tokens. Expressions are
immutable and interned: building the same one twice gives the same object, so equality is identity, hashing is
O(1) and memo tables on expressions are cheap. Build them only with the lower-case constructors below, which keep
the algebra small (`seq` flattens, `alt` drops NOTHING, `repeat(x, 1, 1)` is `x`):

    seq(literal("id-"), repeat(chars("09"), 1, 4))      an id such as id-2041

`complement` is taken within TEXT, the well-formed UTF-8 strings, so a complement never admits broken text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

WIDE = 32  # alternatives up to which `either` joins those of its parts
LONG = 1000  # parts from which `seq` keeps a sequence within another whole
SURROGATES = (0xD800, 0xDFFF)
MAX_CODE_POINT = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an expression from its parts.

    closed: there is no Ref in it, so that what it denotes is here in full
    textual: it is about bytes and characters alone, without Ref, Token or Slack
    size: bytes, characters and references when its repetitions are written out
    nullable: it contains the empty string; of a Ref that is not known, and False
    ordered: there are parts in any order in it
    """

    closed: bool
    textual: bool
    size: int
    nullable: bool
    ordered: bool


@dataclass(frozen=True, eq=False)
class Expr:
    """A set of strings; the subclasses are its syntax."""

    @cached_property
    def fingerprint(self) -> bytes:
        """A digest of the structure, equal in every process (Merkle style: children enter by their digests)."""
        waiting = [self]
        while waiting:  # from the leaves up, so that no depth of nesting exhausts the stack
            open_parts = [part for part in waiting[-1].children if "fingerprint" not in part.__dict__]
            if not open_parts:
                node = waiting.pop()
                node.__dict__["fingerprint"] = node._digest()
            waiting += open_parts
        return self.__dict__["fingerprint"]

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions this one is made of."""
        return ()

    @property
    def facts(self) -> Facts:
        """What has been known of it since it was built."""
        return self.__dict__["facts"]

    def _digest(self) -> bytes:
        digest = hashlib.blake2b(type(self).__name__.encode(), digest_size=16)
        for item in fields(self):
            digest.update(_encode(getattr(self, item.name)))
        return digest.digest()


@dataclass(frozen=True, eq=False)
class Bytes(Expr):
    """Exactly these bytes, one string. `Bytes(b"")` is the empty string."""

    value: bytes


@dataclass(frozen=True, eq=False)
class Chars(Expr):
    """One character out of sorted, disjoint, inclusive ranges of code points; never a surrogate."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Token(Expr):
    """One special token, by the name the vocabulary gives it."""

    name: str


@dataclass(frozen=True, eq=False)
class Slack(Expr):
    """Any number of zero-width tokens where the vocabulary has one, else the empty string.

    It marks where a scaffold may leave positions unused. Inside `both` and `complement` it is the empty string.
    """


@dataclass(frozen=True, eq=False)
class Seq(Expr):
    """Its parts one after the other."""

    parts: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Alt(Expr):
    """Any one of its parts; `Alt(())` is NOTHING."""

    parts: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Repeat(Expr):
    """`body` at least `low` and at most `high` times; `high` None means without end."""

    body: Expr
    low: int
    high: int | None

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False)
class And(Expr):
    """What all parts have in common."""

    parts: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Not(Expr):
    """All of TEXT that `body` does not contain."""

    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False)
class Automaton(Expr):
    """The strings that lead from state 0 to an accepting one; moves are (source, expression, target).

    For languages that are met as states, where the other operations would have to spell them out.
    """

    moves: tuple[tuple[int, Expr, int], ...]
    accepting: tuple[int, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return tuple(label for _, label, _ in self.moves)


@dataclass(frozen=True, eq=False)
class AnyOrder(Expr):
    """Some of `parts` in any order, each at most once, and any number of `others`: one at least, then `end`.

    The first `required` of the parts are there; `between` stands between any two. It denotes itself in an automaton
    that meets its states as they are needed, never in a table: sets of parts are too many.
    """

    parts: tuple[Expr, ...]
    required: int
    others: Expr
    between: Expr
    end: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (*self.parts, self.others, self.between, self.end)


@dataclass(frozen=True, eq=False)
class Ref(Expr):
    """A rule of the grammar, by name."""

    name: str


def _encode(value: Any) -> bytes:
    """One field of an expression as bytes that determine it."""
    if isinstance(value, Expr):
        return value.fingerprint
    if isinstance(value, tuple):
        return b"(" + b",".join(_encode(item) for item in value) + b")"
    return f"{type(value).__name__}:{value!r};".encode()


E = TypeVar("E", bound=Expr)
_interned: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def _intern(kind: type[E], *values: Any) -> E:
    key = (kind, *values)
    node = _interned.get(key)
    if node is None:
        node = kind(*values)
        node.__dict__["facts"] = _facts(node)
        _interned[key] = node
    return node  # type: ignore[return-value]


def _facts(expr: Expr) -> Facts:
    parts = [part.facts for part in expr.children]
    return Facts(
        all(part.closed for part in parts) and not isinstance(expr, Ref),
        all(part.textual for part in parts) and not isinstance(expr, Ref | Token | Slack),
        written_size(expr, [part.size for part in parts]),
        contains_empty(expr, [part.nullable for part in parts]),
        any(part.ordered for part in parts) or isinstance(expr, AnyOrder),
    )


def written_size(expr: Expr, parts: list[int]) -> int:
    """Bytes, characters and references of an expression, given those of its parts."""
    if isinstance(expr, Bytes):
        return len(expr.value)
    return sum(parts) * copies(expr) if isinstance(expr, Repeat) else max(sum(parts), 1)


def copies(expr: Repeat) -> int:
    """How often the body of a repetition is written when it is written out."""
    return (expr.high or expr.low) + (expr.high is None)


def contains_empty(expr: Expr, parts: list[bool]) -> bool:
    """Whether an expression contains the empty string, given whether its parts do; False of a Ref."""
    match expr:
        case Bytes(value):
            return not value
        case Slack():
            return True
        case Seq() | And():
            return all(parts)
        case Alt():
            return any(parts)
        case Repeat(_, low, _):
            return low == 0 or parts[0]
        case Not():
            return not parts[0]
        case Automaton(_, accepting):
            return 0 in accepting
    return False


EMPTY: Expr = _intern(Bytes, b"")
NOTHING: Expr = _intern(Alt, ())
SLACK: Expr = _intern(Slack)


def literal(text: str | bytes) -> Expr:
    """Exactly `text`, in UTF-8."""
    return _intern(Bytes, text.encode() if isinstance(text, str) else bytes(text))


def char_ranges(ranges: Iterable[tuple[int, int]]) -> Expr:
    """One character whose code point lies in any of the inclusive `ranges`; surrogates are left out."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(ranges)):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return _intern(Chars, tuple(merged)) if merged else NOTHING


def _without_surrogates(ranges: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    for low, high in ranges:
        for part in (
            (max(low, 0), min(high, SURROGATES[0] - 1)),
            (max(low, SURROGATES[1] + 1), min(high, MAX_CODE_POINT)),
        ):
            if part[0] <= part[1]:
                yield part


def chars(*pairs: str) -> Expr:
    """One character out of ranges written as two-character strings: chars("az", "__")."""
    return char_ranges((ord(pair[0]), ord(pair[-1])) for pair in pairs)


def any_of(characters: str) -> Expr:
    """One of these characters."""
    return char_ranges((ord(c), ord(c)) for c in characters)


def chars_except(expr: Expr) -> Expr:
    """One character that `expr`, which is of `chars` or NOTHING, is not."""
    if not isinstance(expr, Chars) and expr is not NOTHING:
        raise ValueError(f"chars_except needs a set of characters, not {expr}")
    gaps, start = [], 0
    for low, high in expr.ranges if isinstance(expr, Chars) else ():
        gaps.append((start, low - 1))
        start = high + 1
    return char_ranges([(low, high) for low, high in [*gaps, (start, MAX_CODE_POINT)] if low <= high])


def token(name: str) -> Expr:
    """The special token called `name`."""
    return _intern(Token, name)


def seq(*parts: Expr) -> Expr:
    """Parts in order; neighbouring literals are joined.

    A very long sequence is kept whole: built from its end, part by part, copying it each time would be quadratic.
    """
    flat: list[Expr] = []
    for part in parts:
        for item in part.parts if isinstance(part, Seq) and len(part.parts) < LONG else (part,):
            if item is NOTHING:
                return NOTHING
            if isinstance(item, Bytes) and flat and isinstance(flat[-1], Bytes):
                flat[-1] = literal(flat[-1].value + item.value)
            elif item is not EMPTY:
                flat.append(item)
    if not flat:
        return EMPTY
    return flat[0] if len(flat) == 1 else _intern(Seq, tuple(flat))


def alt(*parts: Expr) -> Expr:
    """Any of the parts, duplicates dropped."""
    flat: dict[Expr, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.parts if isinstance(part, Alt) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else _intern(Alt, tuple(flat))


def either(first: Expr, rest: Expr) -> Expr:
    """`first` or `rest`, which is kept whole once it is wide: a thousand tails, each of which holds the next, are then
    as many alternatives and not half a million.
    """
    wide = isinstance(rest, Alt) and len(rest.parts) > WIDE and first is not NOTHING
    return _intern(Alt, (first, rest)) if wide else alt(first, rest)


def repeat(body: Expr, low: int = 0, high: int | None = None) -> Expr:
    """`body` from `low` to `high` times (None: without end).

    (x{a,b}){c,d} becomes x{ac,bd} where no count between is left out: else each text could be read in many ways.
    """
    if low < 0 or (high is not None and high < low):
        raise ValueError(f"a repetition of {low} to {high} times")
    if high == 0 or body is EMPTY:
        return EMPTY
    if body is NOTHING:
        return NOTHING if low else EMPTY
    if (low, high) == (1, 1) or body is SLACK:
        return body
    if isinstance(body, Repeat) and (low == high or _touch(body, low)):
        most = None if high is None or body.high is None else body.high * high
        return repeat(body.body, body.low * low, most)
    return _intern(Repeat, body, low, high)


def _touch(body: Repeat, times: int) -> bool:
    """Whether `times` of a repetition and one more make counts without a gap; more of them then do so too."""
    most = times * body.high if body.high is not None else 0 if not times else None
    return most is None or (times + 1) * body.low <= most + 1


def star(body: Expr) -> Expr:
    """`body` any number of times."""
    return repeat(body, 0, None)


def optional(body: Expr) -> Expr:
    """`body` or the empty string."""
    return repeat(body, 0, 1)


def separated(item: Expr, separator: Expr, low: int = 0, high: int | None = None) -> Expr:
    """`low` to `high` items with separators between them."""
    if high == 0:
        return EMPTY
    rest = repeat(seq(separator, item), max(low - 1, 0), None if high is None else high - 1)
    return seq(item, rest) if low else optional(seq(item, rest))


def any_order(parts: Iterable[Expr], required: int, others: Expr, between: Expr, end: Expr) -> Expr:
    """Parts in any order, each at most once; see AnyOrder. None of them, nor `end`, may be empty."""
    listed = tuple(parts)
    if len({*listed} - {NOTHING}) < len([part for part in listed if part is not NOTHING]):
        raise ValueError("a part that stands in any order stands there twice")
    if NOTHING in listed[:required] or end is NOTHING:
        return NOTHING
    listed = tuple(part for part in listed if part is not NOTHING)
    return _intern(AnyOrder, listed, required, others, between, end) if listed else NOTHING


def both(*parts: Expr) -> Expr:
    """What all parts have in common; TEXT where there are none."""
    flat: dict[Expr, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.parts if isinstance(part, And) else (part,)))
    if not flat:
        return TEXT
    if NOTHING in flat:
        return NOTHING
    return next(iter(flat)) if len(flat) == 1 else _intern(And, tuple(flat))


def complement(body: Expr) -> Expr:
    """All text but `body`."""
    return body.body if isinstance(body, Not) else _intern(Not, body)


def difference(left: Expr, right: Expr) -> Expr:
    """What `left` contains and `right` does not."""
    return both(left, complement(right))


def automaton(moves: Iterable[tuple[int, Expr, int]], accepting: Iterable[int]) -> Expr:
    """The strings that lead from state 0 to one of `accepting`; states that lead nowhere are left out."""
    rows = [row for row in moves if row[1] is not NOTHING]
    sources: dict[int, list[int]] = {}
    for source, _, target in rows:
        sources.setdefault(target, []).append(source)
    waiting = list(accepting)
    alive = set(waiting)
    while waiting:
        new = set(sources.get(waiting.pop(), ())) - alive
        alive |= new
        waiting += new
    rows = [row for row in rows if row[2] in alive]
    return _intern(Automaton, tuple(rows), tuple(sorted(accepting))) if 0 in alive else NOTHING


def ref(name: str) -> Expr:
    """The rule called `name`."""
    return _intern(Ref, name)


ANY_CHAR = char_ranges([(0, MAX_CODE_POINT)])
TEXT = star(ANY_CHAR)


@dataclass(frozen=True)
class Detour:
    """How a text that fails a check may go on instead: it keeps its first `at` bytes, and what follows them does not
    begin with a string of `never`, an expression of text without references. `place` is the path to the part of the
    text that this is about."""

    at: int
    never: Expr
    place: tuple[str | int, ...] = ()


class Check(Protocol):
    """What no automaton can tell of the texts that a grammar's expressions accept."""

    @property
    def places(self) -> tuple[str, ...]:
        """JSON pointers of what is checked."""
        ...

    def __call__(self, text: str) -> Detour | None:
        """None where a text is well, and else how it has to go on."""
        ...


@dataclass(frozen=True)
class Grammar:
    """A start expression and the rules that its Refs name.

    check: of the texts that the expressions accept, None where all are well. It is no part of the automaton nor of the
    fingerprint; whoever generates has to ask it.
    """

    start: Expr
    rules: Mapping[str, Expr] = field(default_factory=dict)
    check: Check | None = field(default=None, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the structure, equal in every process."""
        digest = hashlib.blake2b(self.start.fingerprint, digest_size=16)
        for name in sorted(self.rules):
            digest.update(_encode(name) + self.rules[name].fingerprint)
        return digest.hexdigest()


def tokens_of(grammar: Grammar) -> list[str]:
    """The names of all special tokens in the grammar, sorted."""
    seen: set[Expr] = set()
    waiting = [grammar.start, *grammar.rules.values()]
    while waiting:
        expr = waiting.pop()
        if expr not in seen and not expr.facts.textual:
            seen.add(expr)
            waiting += expr.children
    return sorted({expr.name for expr in seen if isinstance(expr, Token)})
