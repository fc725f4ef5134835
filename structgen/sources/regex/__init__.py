"""Regular expressions as sources.

`Regex(pattern)` means what `re.fullmatch(pattern, text)` means: the whole text matches, `\\d`, `\\w`, `\\s` and `(?i)`
follow Unicode unless `(?a)` is set, and `.` is anything but a newline. `search_expr(pattern)` means what JSON
Schema's `pattern` means: an ECMA-262 pattern found anywhere in the string. Greedy and lazy repetitions denote the
same language. Anchors, word boundaries, look-aheads, look-behinds and atomic groups are compiled exactly at any place;
back-references and conditions on groups are refused.

How assertions become languages: if no look-ahead or anchor stands in an unbounded repetition, lowering goes from right
to left and carries `rest`, the language of what may follow. A look-ahead intersects `rest`; an end anchor keeps only
its empty string. A start anchor depends on whether anything has been read, so `rest` is a function of that. All other
patterns become automata (`assertions`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import (
    EMPTY,
    NOTHING,
    TEXT,
    Combines,
    Expr,
    Grammar,
    Repeat,
    alt,
    literal,
    repeat,
    seq,
    star,
)

from ..languages import intersect, without
from .assertions import TooManySteps, walked
from .dialect import Dialect
from .nodes import Alternation, Anchor, Atomic, Behind, Concat, Look, Node, Repeated, concat, inside
from .syntax import parse

UNROLLED = 100  # copies of a repetition whose body has assertions

Rest = Callable[[bool], Expr]  # the language of what follows, given that nothing has been read so far


@dataclass(frozen=True)
class Regex(Combines):
    """Text that matches a regular expression from end to end; parsing returns the text.

    `pattern` follows Python's re. Syntax that is not supported raises Unsupported; syntax that re rejects as well
    raises InvalidSource. Both quote the pattern and the position.
    """

    pattern: str

    def __post_init__(self) -> None:
        if not isinstance(self.pattern, str):
            raise InvalidSource(f"a regular expression is a string, not {type(self.pattern).__name__}")

    def lower(self) -> Grammar:
        """The texts that match, as a grammar."""
        return Grammar(fullmatch_expr(self.pattern, Dialect.PYTHON_UNICODE))

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


@lru_cache(maxsize=1000)
def fullmatch_expr(pattern: str, dialect: Dialect = Dialect.PYTHON) -> Expr:
    """The strings that `pattern` matches from end to end."""
    return _lowered(parse(pattern, dialect), EMPTY, pattern)


@lru_cache(maxsize=1000)
def search_expr(pattern: str, pointer: str | None = None, dialect: Dialect = Dialect.ECMA) -> Expr:
    """The strings in which `pattern` is found: TEXT pattern TEXT, with ^ and $ observed at any place.

    pointer: the place of the pattern in its schema, for error messages
    """
    node = parse(pattern, dialect, pointer)
    if isinstance(node, Expr):
        return TEXT if node.facts.nullable else seq(TEXT, node, TEXT)
    return _lowered(concat(TEXT, node), TEXT, pattern, pointer)


def _lowered(node: Node, rest: Expr, pattern: str, pointer: str | None = None) -> Expr:
    """`node` and then `rest`, from the start of the text to its end."""
    if not any(map(_needs_states, inside(node))):
        return _lower(node, True, lambda fresh: rest)
    looks, node = _conditions(node)
    if looks:
        whole = _lowered(node, rest, pattern, pointer)
        for look in looks:
            ahead = _lowered(concat(Anchor.START, look.body), TEXT, pattern, pointer)
            whole = without(whole, ahead) if look.negate else intersect(ahead, whole)
        return whole
    try:
        return walked(concat(node, rest))
    except TooManySteps as error:
        message = f"the pattern {pattern!r} has assertions that take too many states to work out"
        raise Unsupported(message, keyword="pattern", pointer=pointer, remedy=error.remedy) from error


def _conditions(node: Node) -> tuple[list[Look], Node]:
    """The look-aheads at the start of the text, which are conditions on the whole text, and the node without them."""
    parts = _flat(node)
    if parts[:1] == [TEXT] and parts[1:2] == [Anchor.START]:
        del parts[0]
    looks: list[Look] = []
    while len(parts) > 1 and parts[0] is Anchor.START and isinstance(look := parts[1], Look):
        looks.append(look)
        del parts[1]
    return looks, concat(*parts)


def _flat(node: Node) -> list[Node]:
    return [part for child in node.parts for part in _flat(child)] if isinstance(node, Concat) else [node]


def _needs_states(node: Node) -> bool:
    """Whether a node can be compiled only as an automaton."""
    if isinstance(node, Repeated):
        ahead = any(isinstance(part, Look | Anchor) and part is not Anchor.START for part in inside(node))
        return max(node.low, node.high or 0) > UNROLLED or (node.high is None and ahead)
    return isinstance(node, Behind | Atomic)


def _lower(node: Node, fresh: bool, rest: Rest) -> Expr:
    """`node` and then `rest`; `fresh`: `node` begins at the start of the text."""
    match node:
        case Anchor.START:
            return rest(True) if fresh else NOTHING
        case Anchor.END:
            return EMPTY if rest(fresh).facts.nullable else NOTHING
        case Anchor.LAST_LINE:
            return intersect(alt(EMPTY, literal("\n")), rest(fresh))
        case Look(body, negate):
            ahead = _lower(body, fresh, lambda fresh: TEXT)
            return without(rest(fresh), ahead) if negate else intersect(ahead, rest(fresh))
        case Alternation(parts):
            return alt(*(_lower(part, fresh, rest) for part in parts))
        case Concat(parts):
            for part in reversed(parts[1:]):
                rest = _then(part, rest)
            return _lower(parts[0], fresh, rest)
        case Repeated():
            return _repeated(node, fresh, rest)
    assert isinstance(node, Expr)
    return _plain(node, fresh, rest)


def _then(node: Node, rest: Rest) -> Rest:
    """The language of what may follow the left neighbour of `node`."""
    return cache(lambda fresh: _lower(node, fresh, rest))


def _plain(expr: Expr, fresh: bool, rest: Rest) -> Expr:
    """An expression without assertions; if it reads nothing, `rest` may still be at the start of the text."""
    if not expr.facts.nullable:
        return seq(expr, rest(False))
    if not fresh or rest(True) is rest(False):
        return seq(expr, rest(fresh))
    return alt(rest(True), seq(_nonempty(expr), rest(False)))


def _nonempty(expr: Expr) -> Expr:
    if isinstance(expr, Repeat) and not expr.body.facts.nullable:
        return repeat(expr.body, max(expr.low, 1), expr.high)
    return without(expr, EMPTY)


def _repeated(node: Repeated, fresh: bool, rest: Rest) -> Expr:
    """A repeated body with assertions: one copy per round; unbounded only if its assertions are all start anchors."""
    body, low, high = node.body, node.low, node.high
    if high is None:
        tail = _endless(body, rest)
    else:
        tail = rest
        for _ in range(high - low):
            tail = _optional(body, tail, rest)
    for _ in range(low):
        tail = _then(body, tail)
    return tail(fresh)


def _optional(body: Node, tail: Rest, rest: Rest) -> Rest:
    return cache(lambda fresh: alt(rest(fresh), _lower(body, fresh, tail)))


def _endless(body: Node, rest: Rest) -> Rest:
    """`body` any number of times. Once something has been read, start anchors fail and the body is plain."""
    later = star(_lower(body, False, lambda fresh: EMPTY))

    @cache
    def tail(fresh: bool) -> Expr:
        if not fresh:
            return seq(later, rest(False))
        read = _lower(body, True, lambda fresh: NOTHING if fresh else tail(False))
        return alt(rest(True), read)

    return tail
