"""The terminals of a grammar as expressions: regular languages, without rules, special tokens or what is ignored."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import accumulate

from structgen.errors import StructgenError
from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    TEXT,
    Expr,
    Text,
    alt,
    both,
    char_ranges,
    complement,
    difference,
    excerpt,
    literal,
    repeat,
    seq,
)

from ..languages import empty
from ..regex.char_classes import ascii_case
from ..regex.dialect import Dialect
from ..regex.syntax import parse
from .nodes import (
    AllOf,
    CharRange,
    Complement,
    Given,
    Inner,
    InOrder,
    Json,
    LarkDefinition,
    LarkTree,
    NamedPart,
    OneOf,
    Pieces,
    Quoted,
    Slashed,
    SpecialToken,
    Times,
    TokenIds,
    Written,
    is_terminal,
)

NO_TERMINALS = {
    SpecialToken: "special tokens cannot be used in terminals",
    TokenIds: "special tokens cannot be used in terminals",
    Json: "%json cannot be used in terminals",
    Inner: "nested %lark cannot be used in terminals",
    Given: "named grammars cannot be used in terminals",
}


class Terminals:
    """The terminals of one grammar by name."""

    def __init__(self, tree: LarkTree):
        self._tree = tree
        self._known: dict[str, Expr] = {}

    def expr(self, node: Written, inside: str = "") -> Expr:
        """What a node describes as a terminal. inside: the name of the terminal or rule that it is the body of."""
        for name in _in_order(self._tree, node, inside, self._known):
            self._known[name] = self._nonempty(self._tree.definitions[name].body, name)
        return self._nonempty(node, inside)

    def _nonempty(self, node: Written, inside: str) -> Expr:
        expr = self._lower(node, inside)
        if _combines(node) and empty(expr):
            raise node.at.unsatisfiable(
                "no text satisfies this", "the parts of & exclude each other, or ~ leaves nothing"
            )
        return expr

    def _lower(self, node: Written, inside: str) -> Expr:
        match node:
            case NamedPart(_, name):
                return self._known[name]
            case Quoted() | Slashed() | CharRange() | Pieces():
                return leaf(node)
            case OneOf(_, options):
                return alt(*(self._lower(option, inside) for option in options))
            case InOrder(_, parts):
                return seq(*(self._lower(part, inside) for part in parts))
            case Times(_, body, low, high):
                return repeat(self._lower(body, inside), low, high)
            case AllOf(_, parts):
                return both(*(self._lower(part, inside) for part in parts))
            case Complement(_, body):
                return complement(self._lower(body, inside))
        raise node.at.invalid(NO_TERMINALS[type(node)], "move it into a rule, whose name is in lower case")


def leaf(node: Written) -> Expr:
    """A string, a pattern, a range of characters or the pieces of a text, which name nothing."""
    match node:
        case Quoted(_, text, fold):
            return seq(*(ascii_case(literal_char(char)) for char in text)) if fold else literal(text)
        case CharRange(_, low, high):
            return char_ranges([(ord(low), ord(high))])
        case Pieces(_, pieces):
            return run_of(tuple(piece for piece in pieces if piece))
        case Slashed():
            return _matching(node)
    raise TypeError(f"{type(node).__name__} is no leaf")


def literal_char(char: str) -> Expr:
    """One character as a set."""
    return char_ranges([(ord(char), ord(char))])


def run_of(pieces: tuple[str, ...]) -> Expr:
    """A run of neighbours among some pieces of a text, or nothing."""
    places = [0, *accumulate(map(len, pieces))]
    return excerpt([Text("".join(pieces), places, places)])


def _matching(node: Slashed) -> Expr:
    """The texts that a regular expression matches as a whole."""
    for flag in node.flags:
        if flag not in "isux":
            raise node.at.invalid(
                f"regular-expression flag {flag!r} is not supported", "the flags are i, s, u and x"
            )
    flags = "".join(dict.fromkeys(node.flags))
    try:
        found = parse((f"(?{flags})" if flags else "") + node.pattern.replace("\\/", "/"), Dialect.LARK)
    except StructgenError as error:
        kind = node.at.unsupported if hasattr(error, "remedy") else node.at.invalid
        raise kind(f"failed to compile regular expression: {error}", "") from None
    except RecursionError:
        raise node.at.invalid(
            "the regular expression is nested too deeply", "write its parts as terminals"
        ) from None
    if not isinstance(found, Expr):
        what = "look-around, anchors and word boundaries are not supported in terminals"
        raise node.at.unsupported(
            what, "remove it: a terminal is matched as a whole; use & and ~ for conditions"
        )
    return found


def shortest(expr: Expr) -> Expr:
    """The strings of an expression that begin with no other of its strings."""
    return EMPTY if expr.facts.nullable else difference(expr, seq(expr, ANY_CHAR, TEXT))


def named_terminals(node: Written) -> Iterator[NamedPart]:
    """The names in a node, in order."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, NamedPart):
            yield one
        waiting += reversed(parts_of(one))


def parts_of(node: Written) -> tuple[Written, ...]:
    """The nodes that a node is made of."""
    match node:
        case OneOf(_, options):
            return options
        case InOrder(_, parts) | AllOf(_, parts):
            return parts
        case Times(_, body, _, _) | Complement(_, body):
            return (body,)
    return ()


def _combines(node: Written) -> bool:
    return isinstance(node, AllOf | Complement) or any(map(_combines, parts_of(node)))


def _in_order(tree: LarkTree, node: Written, inside: str, known: Container[str]) -> list[str]:
    """The terminals that a node needs, those first that others need; refuses rules, unknown names and circles."""
    order, open_names = dict[str, None](), set[str]()
    waiting = [(inside, named_terminals(node))]
    while waiting:
        owner, names = waiting[-1]
        named = next(names, None)
        if named is None:
            waiting.pop()
            if waiting:
                order[owner] = None
                open_names.discard(owner)
        elif named.name not in order and named.name not in known:
            definition = _terminal(tree, named, owner)
            if named.name in open_names:
                what = f"circular reference in terminal {named.name!r}"
                raise named.at.invalid(what, "write it as a rule, in lower case")
            open_names.add(named.name)
            waiting.append((named.name, named_terminals(definition.body)))
    return list(order)


def _terminal(tree: LarkTree, named: NamedPart, owner: str) -> LarkDefinition:
    definition = tree.definitions.get(named.name)
    if definition is None:
        raise named.at.invalid(
            f"unknown name {named.name!r}", "define it, or put it into quotes if it is text"
        )
    if not is_terminal(named.name):
        whose = f"terminal {owner!r}" if is_terminal(owner) else "terminal"
        raise named.at.invalid(
            f"{whose} cannot reference rule {named.name!r}", "write the rule as a terminal, in upper case"
        )
    return definition
