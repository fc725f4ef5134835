"""Expressions: sets of strings over an alphabet of bytes and named special tokens.

Expressions are immutable and interned: building the same one twice gives the same object, so equality is identity,
hashing is O(1) and memo tables on expressions are cheap. They are built only by the constructors in `build`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar.annotates import Annotates
from structgen.grammar.facts import Facts


class Combines(Annotates):
    """What can stand in an expression: `|`, `+`, `&` and `~` make alternatives, sequences, intersections, complements.

    Sources are such things too, by the grammar that they lower to; so are strings beside them.
    """

    def lower(self) -> Any:
        """The texts as a Grammar."""
        raise NotImplementedError

    def whole(self) -> Any:
        """The texts with any amount of white space where a bounded one is generated."""
        return self.lower()

    def as_expr(self) -> Expr:
        """The texts as an expression."""
        return nested(self.whole())

    def __or__(self, other: Part) -> Expr:
        return interned(Alt, (self.as_expr(), as_expr(other)))

    def __ror__(self, other: Part) -> Expr:
        return interned(Alt, (as_expr(other), self.as_expr()))

    def __add__(self, other: Part) -> Expr:
        return interned(Seq, (self.as_expr(), as_expr(other)))

    def __radd__(self, other: Part) -> Expr:
        return interned(Seq, (as_expr(other), self.as_expr()))

    def __and__(self, other: Part) -> Expr:
        return interned(And, (self.as_expr(), as_expr(other)))

    def __rand__(self, other: Part) -> Expr:
        return interned(And, (as_expr(other), self.as_expr()))

    def __invert__(self) -> Expr:
        return interned(Not, self.as_expr())


Part = Combines | str


@dataclass(frozen=True, eq=False)
class Expr(Combines):
    """An expression is a set of strings; the subclasses are its syntax."""

    def as_expr(self) -> Expr:
        """The expression itself."""
        return self

    @cached_property
    def fingerprint(self) -> bytes:
        """A digest of the structure, equal in every process (Merkle style: children enter by their digests)."""
        waiting = [self]
        while waiting:  # from the leaves up, so that deep nesting does not exhaust the stack
            open_parts = [part for part in waiting[-1].children if "fingerprint" not in part.__dict__]
            if not open_parts:
                node = waiting.pop()
                node.__dict__["fingerprint"] = node._digest()
            waiting += open_parts
        return self.__dict__["fingerprint"]

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions that this one is made of."""
        return ()

    @cached_property
    def facts(self) -> Facts:
        """The properties of the expression, computed when it is built, from those of its parts."""
        return _facts(self)

    def _digest(self) -> bytes:
        digest = hashlib.blake2b(type(self).__name__.encode(), digest_size=16)
        for item in fields(self):
            digest.update(encoded(getattr(self, item.name)))
        return digest.digest()


@dataclass(frozen=True, eq=False)
class Bytes(Expr):
    """The single string of exactly these bytes. `Bytes(b"")` is the empty string."""

    value: bytes


@dataclass(frozen=True, eq=False)
class Chars(Expr):
    """One character from sorted, disjoint, inclusive ranges of code points without surrogates."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Token(Expr):
    """One special token, by the name the vocabulary gives it."""

    name: str


@dataclass(frozen=True, eq=False)
class TokenSet(Expr):
    """One token by its id: in one of the sorted, inclusive ranges or, if `negated`, in none of them.

    It may be any token of the vocabulary, whatever it spells, except those that end an answer or fill it up.
    """

    ranges: tuple[tuple[int, int], ...]
    negated: bool


@dataclass(frozen=True, eq=False)
class Budget(Expr):
    """The strings of `body` in at most `tokens` tokens; a token counts if some of what it spells is in them."""

    body: Expr
    tokens: int

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False)
class Slack(Expr):
    """Any number of zero-width tokens if the vocabulary has one, else the empty string.

    It marks where a scaffold may leave positions unused. Inside `both` and `complement` it is the empty string.
    """


@dataclass(frozen=True, eq=False)
class Seq(Expr):
    """The concatenation of its parts."""

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
    """`body` at least `low` and at most `high` times; `high` None means without limit."""

    body: Expr
    low: int
    high: int | None

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False)
class And(Expr):
    """The intersection of all parts."""

    parts: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Not(Expr):
    """The strings of TEXT that `body` does not contain."""

    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)


@dataclass(frozen=True, eq=False)
class StateGraph(Expr):
    """The strings that lead from state 0 to an accepting one; moves are (source, expression, target).

    It serves languages that are computed as states and that the other operations would have to write out.
    """

    moves: tuple[tuple[int, Expr, int], ...]
    accepting: tuple[int, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return tuple(label for _, label, _ in self.moves)


@dataclass(frozen=True, eq=False)
class Excerpt(Expr):
    """The pieces of a text, from a place where one may begin to one where it may end, of `low` to `high` characters.

    value: the text as bytes; no piece runs over a byte BREAK
    marks: CHARACTER, BEGIN and END of each byte, and of the end of the text: what may begin or end in front of it
    """

    value: bytes
    marks: bytes
    low: int
    high: int | None


CHARACTER, BEGIN, END = 1, 2, 4  # marks of an Excerpt's bytes
BREAK = 0xFF  # no byte of UTF-8


@dataclass(frozen=True, eq=False)
class Placeholder(Expr):
    """The pieces of a document that is not known yet; an Excerpt takes its place when it is.

    align, low, high, folded: which pieces; spelled: whether as JSON spells them
    """

    align: str
    low: int
    high: int | None
    folded: bool
    spelled: bool = False


@dataclass(frozen=True, eq=False)
class AnyOrder(Expr):
    """Some of `parts` in any order, each at most once, and any number of `others`; at least one item, then `end`.

    The first `required` of the parts must occur; `between` separates neighbours. Only an automaton that computes its
    states on demand can hold it, never a table, because there are too many sets of parts.
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


@dataclass(frozen=True, eq=False)
class Nested(Expr):
    """A grammar inside an expression: its start, and rules that only it names. Lowering spreads it out (`flat`)."""

    start: Expr
    rules: tuple[tuple[str, Expr], ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.start, *(rule for _, rule in self.rules))


def nested(grammar: Any) -> Expr:
    """A Grammar as an expression. Raises Unsupported if texts need a check that no automaton makes."""
    if grammar.check is not None:
        raise Unsupported(
            "uniqueItems cannot be checked inside another grammar", remedy="bound the items with an enum"
        )
    if grammar.start.facts.closed:
        return grammar.start
    return interned(Nested, grammar.start, tuple(sorted(grammar.rules.items())))


def as_expr(part: Any) -> Expr:
    """The expression that a part of one stands for: a string, an expression, or anything that lowers to a Grammar."""
    if isinstance(part, str):
        return interned(Bytes, part.encode())
    if isinstance(part, Combines):
        return part.as_expr()
    if hasattr(part, "lower") and not isinstance(part, bytes | type):
        return nested(part.lower())
    raise InvalidSource(f"{part!r:.60} is no part of a grammar: pass a string, an expression or a source")


def encoded(value: Any) -> bytes:
    """One field of an expression as bytes that identify it."""
    if isinstance(value, Expr):
        return value.fingerprint
    if isinstance(value, tuple):
        return b"(" + b",".join(encoded(item) for item in value) + b")"
    return f"{type(value).__name__}:{value!r};".encode()


_MARKS = (Ref, Token, TokenSet, Budget, Slack, Placeholder)  # what is not text
E = TypeVar("E", bound=Expr)
_interned: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def interned(kind: type[E], *values: Any) -> E:
    """The one expression of this kind with these fields, made if it does not exist yet."""
    key = (kind, *values)
    node = _interned.get(key)
    if node is None:
        node = kind(*values)
        node.__dict__["facts"] = _facts(node)
        _interned[key] = node
    return node  # type: ignore[return-value]


def _facts(expr: Expr) -> Facts:
    closed, ordered = not isinstance(expr, Ref), isinstance(expr, AnyOrder)
    copied = isinstance(expr, Excerpt)
    textual = not isinstance(expr, _MARKS)
    sizes, nullable = list[int](), list[bool]()
    for part in expr.children:
        facts = part.facts
        closed, textual, ordered = (
            closed and facts.closed,
            textual and facts.textual,
            ordered or facts.ordered,
        )
        copied = copied or facts.copied
        sizes.append(facts.size)
        nullable.append(facts.nullable)
    return Facts(closed, textual, written_size(expr, sizes), contains_empty(expr, nullable), ordered, copied)


def written_size(expr: Expr, parts: list[int]) -> int:
    """Bytes, characters and references of an expression, given those of its parts."""
    if isinstance(expr, Bytes | Excerpt):
        return len(expr.value)
    return sum(parts) * copies(expr) if isinstance(expr, Repeat) else max(sum(parts), 1)


def copies(expr: Repeat) -> int:
    """The number of copies of the body when a repetition is written out."""
    return (expr.high or expr.low) + (expr.high is None)


def contains_empty(expr: Expr, parts: list[bool]) -> bool:
    """Whether an expression contains the empty string, given whether its parts do; False for a Ref."""
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
        case Excerpt(_, _, low) | Placeholder(_, low):
            return low == 0
        case Budget():
            return parts[0]
        case Not():
            return not parts[0]
        case StateGraph(_, accepting):
            return 0 in accepting
    return False
