"""Regular expressions as sources.

`Regex(pattern)` means what `re.fullmatch(pattern, text, re.ASCII)` means: the whole text matches, `\\d`, `\\w`,
`\\s` and `(?i)` know ASCII only, `.` is anything but a newline. `search_expr(pattern)` means what JSON Schema's
`pattern` means: an ECMA-262 pattern found anywhere in the string. Greedy and lazy repetitions are the same
language. Look-aheads and anchors are worked out exactly wherever they stand, except look-aheads and end anchors
inside repetitions without end; back-references, look-behind and word boundaries are refused.

How assertions become languages: lowering goes from right to left with the language of what may follow, `rest`.
A look-ahead intersects it, an end anchor keeps the empty string of it. A start anchor asks whether anything has
been read before, so `rest` is a function of just that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

from ..errors import InvalidSource, Unsupported
from ..grammar import EMPTY, NOTHING, TEXT, Expr, Grammar, Repeat, alt, literal, repeat, seq, star
from .languages import intersect, nullable, without
from .regex_syntax import Anchor, Concat, Dialect, Look, Node, Options, Repeated, parse

UNROLLED = 100  # copies of a repetition whose body has assertions

Rest = Callable[[bool], Expr]  # the language of what follows, given that nothing has been read so far


@dataclass(frozen=True)
class Regex:
    """Text that matches a regular expression from end to end; parsing gives the text back.

    `pattern` follows Python's re with re.ASCII. What it cannot honour is refused with Unsupported, what re would
    refuse too with InvalidSource; both quote the pattern and the position.
    """

    pattern: str

    def __post_init__(self) -> None:
        if not isinstance(self.pattern, str):
            raise InvalidSource(f"a regular expression is a string, not {type(self.pattern).__name__}")

    def lower(self) -> Grammar:
        """The texts that match, as a grammar."""
        return Grammar(fullmatch_expr(self.pattern))

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


@lru_cache(maxsize=1000)
def fullmatch_expr(pattern: str) -> Expr:
    """The strings that `pattern`, in Python's syntax, matches from end to end."""
    return _lower(parse(pattern, Dialect.PYTHON), True, lambda fresh: EMPTY, pattern)


@lru_cache(maxsize=1000)
def search_expr(pattern: str, pointer: str | None = None, dialect: Dialect = Dialect.ECMA) -> Expr:
    """The strings in which `pattern` is found: TEXT pattern TEXT, with ^ and $ honoured wherever they stand.

    `pointer` says where in a schema the pattern stands, for refusals.
    """
    node = parse(pattern, dialect, pointer)
    if isinstance(node, Expr):
        return TEXT if nullable(node) else seq(TEXT, node, TEXT)
    try:
        return _lower(Concat((TEXT, node)), True, lambda fresh: TEXT, pattern)
    except Unsupported as error:
        message = f"the pattern {pattern!r} has an assertion that cannot be worked out"
        raise Unsupported(message, keyword="pattern", pointer=pointer, remedy=error.remedy) from error


def _lower(node: Node, fresh: bool, rest: Rest, pattern: str) -> Expr:
    """`node` and then `rest`; `fresh` says that `node` begins at the start of the text."""
    match node:
        case Anchor.START:
            return rest(True) if fresh else NOTHING
        case Anchor.END:
            return EMPTY if nullable(rest(fresh)) else NOTHING
        case Anchor.LAST_LINE:
            return intersect(alt(EMPTY, literal("\n")), rest(fresh))
        case Look(body, negate):
            ahead = _lower(body, fresh, lambda fresh: TEXT, pattern)
            return without(rest(fresh), ahead) if negate else intersect(ahead, rest(fresh))
        case Options(parts):
            return alt(*(_lower(part, fresh, rest, pattern) for part in parts))
        case Concat(parts):
            for part in reversed(parts[1:]):
                rest = _then(part, rest, pattern)
            return _lower(parts[0], fresh, rest, pattern)
        case Repeated():
            return _repeated(node, fresh, rest, pattern)
    return _plain(node, fresh, rest)


def _then(node: Node, rest: Rest, pattern: str) -> Rest:
    """What may follow a node's left neighbour."""
    return cache(lambda fresh: _lower(node, fresh, rest, pattern))


def _plain(expr: Expr, fresh: bool, rest: Rest) -> Expr:
    """An expression without assertions: it stays at the start only where it reads nothing."""
    if not nullable(expr):
        return seq(expr, rest(False))
    if not fresh or rest(True) is rest(False):
        return seq(expr, rest(fresh))
    return alt(rest(True), seq(_nonempty(expr), rest(False)))


def _nonempty(expr: Expr) -> Expr:
    if isinstance(expr, Repeat) and not nullable(expr.body):
        return repeat(expr.body, max(expr.low, 1), expr.high)
    return without(expr, EMPTY)


def _repeated(node: Repeated, fresh: bool, rest: Rest, pattern: str) -> Expr:
    """A body with assertions: as many copies as bounded, and without end only if start anchors are all it has."""
    body, low, high = node.body, node.low, node.high
    if max(low, high or 0) > UNROLLED:
        raise _refused(
            pattern, f"an assertion repeated more than {UNROLLED} times", "repeat the part without it"
        )
    if high is None:
        tail = _endless(body, rest, pattern)
    else:
        tail = rest
        for _ in range(high - low):
            tail = _optional(body, tail, rest, pattern)
    for _ in range(low):
        tail = _then(body, tail, pattern)
    return tail(fresh)


def _optional(body: Node, tail: Rest, rest: Rest, pattern: str) -> Rest:
    return cache(lambda fresh: alt(rest(fresh), _lower(body, fresh, tail, pattern)))


def _endless(body: Node, rest: Rest, pattern: str) -> Rest:
    """`body` any number of times. Once something is read start anchors fail, so the body is plain from there."""
    if _looks_ahead(body):
        remedy = "bound the repetition, or move the assertion out of it"
        raise _refused(pattern, "a look-ahead or $ inside a repetition without end", remedy)
    later = star(_lower(body, False, lambda fresh: EMPTY, pattern))

    @cache
    def tail(fresh: bool) -> Expr:
        if not fresh:
            return seq(later, rest(False))
        read = _lower(body, True, lambda fresh: NOTHING if fresh else tail(False), pattern)
        return alt(rest(True), read)

    return tail


def _looks_ahead(node: Node) -> bool:
    match node:
        case Look() | Anchor.END | Anchor.LAST_LINE:
            return True
        case Concat(parts) | Options(parts):
            return any(map(_looks_ahead, parts))
        case Repeated(body, _, _):
            return _looks_ahead(body)
    return False


def _refused(pattern: str, what: str, remedy: str) -> Unsupported:
    return Unsupported(f"the pattern {pattern!r} has {what}", keyword="pattern", remedy=remedy)
