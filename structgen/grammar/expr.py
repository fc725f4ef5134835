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
            digest.update(encoded(getattr(self, item.name)))
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
class StateGraph(Expr):
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


def encoded(value: Any) -> bytes:
    """One field of an expression as bytes that determine it."""
    if isinstance(value, Expr):
        return value.fingerprint
    if isinstance(value, tuple):
        return b"(" + b",".join(encoded(item) for item in value) + b")"
    return f"{type(value).__name__}:{value!r};".encode()


E = TypeVar("E", bound=Expr)
_interned: WeakValueDictionary[tuple[Any, ...], Expr] = WeakValueDictionary()


def interned(kind: type[E], *values: Any) -> E:
    """The one expression of this kind with these fields, made if it is not there yet."""
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
        case StateGraph(_, accepting):
            return 0 in accepting
    return False
