"""Regular expressions as sources.

`Regex(pattern)` means what `re.fullmatch(pattern, text)` means: the whole text matches, `\\d`, `\\w`, `\\s` and `(?i)`
know Unicode unless `(?a)` says otherwise, `.` is anything but a newline. `search_expr(pattern)` means what JSON
Schema's `pattern` means: an ECMA-262 pattern found anywhere in the string. Greedy and lazy repetitions are the same
language. Anchors, word boundaries, look-aheads, look-behinds and atomic groups are worked out exactly wherever they
stand; back-references and conditions on groups are refused.

How assertions become languages: where look-aheads and anchors stand in no repetition without end, lowering goes from
right to left with the language of what may follow, `rest`. A look-ahead intersects it, an end anchor keeps the empty
string of it. A start anchor asks whether anything has been read before, so `rest` is a function of just that. All else
becomes an automaton (`assertions`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import EMPTY, NOTHING, TEXT, Expr, Grammar, Repeat, alt, literal, repeat, seq, star

from ..languages import intersect, without
from .assertions import TooManySteps, walked
from .dialect import Dialect
from .nodes import Alternation, Anchor, Atomic, Behind, Concat, Look, Node, Repeated, concat, inside
from .syntax import parse

UNROLLED = 100  # copies of a repetition whose body has assertions

Rest = Callable[[bool], Expr]  # the language of what follows, given that nothing has been read so far


@dataclass(frozen=True)
class Regex:
    """Text that matches a regular expression from end to end; parsing gives the text back.

    `pattern` follows Python's re. What it cannot honour is refused with Unsupported, what re would
    refuse too with InvalidSource; both quote the pattern and the position.
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
    """The strings in which `pattern` is found: TEXT pattern TEXT, with ^ and $ honoured wherever they stand.

    `pointer` says where in a schema the pattern stands, for refusals.
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
    """Look-aheads at the start of the text, which are conditions on all of it, and the node without them."""
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
    """Whether a node can be worked out only as an automaton."""
    if isinstance(node, Repeated):
        ahead = any(isinstance(part, Look | Anchor) and part is not Anchor.START for part in inside(node))
        return max(node.low, node.high or 0) > UNROLLED or (node.high is None and ahead)
    return isinstance(node, Behind | Atomic)


def _lower(node: Node, fresh: bool, rest: Rest) -> Expr:
    """`node` and then `rest`; `fresh` says that `node` begins at the start of the text."""
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
    """What may follow a node's left neighbour."""
    return cache(lambda fresh: _lower(node, fresh, rest))


def _plain(expr: Expr, fresh: bool, rest: Rest) -> Expr:
    """An expression without assertions: it stays at the start only where it reads nothing."""
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
    """A body with assertions: as many copies as bounded, and without end only if start anchors are all it has."""
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
    """`body` any number of times. Once something is read start anchors fail, so the body is plain from there."""
    later = star(_lower(body, False, lambda fresh: EMPTY))

    @cache
    def tail(fresh: bool) -> Expr:
        if not fresh:
            return seq(later, rest(False))
        read = _lower(body, True, lambda fresh: NOTHING if fresh else tail(False))
        return alt(rest(True), read)

    return tail
