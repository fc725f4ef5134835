"""From a grammar in Lark's notation to expressions: rules over lexemes, each followed by what is ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from structgen.errors import StructgenError, Unsupported
from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    NOTHING,
    TEXT,
    Combines,
    Expr,
    Grammar,
    alt,
    budget,
    difference,
    ref,
    repeat,
    seq,
    star,
    token,
    token_set,
)

from ..embedding import embedded
from ..json_schema import JsonSchema
from ..place import Place, encodable
from ..productive import productive
from .commits import NO_GUARD, Guard, ends_early, lazy_beside
from .nodes import (
    AllOf,
    Given,
    Inner,
    InOrder,
    Json,
    LarkDefinition,
    LarkTree,
    NamedPart,
    OneOf,
    SpecialToken,
    Times,
    TokenIds,
    Written,
    is_terminal,
)
from .syntax import read
from .terminals import Terminals, shortest

START_RULE = "start"


@dataclass(frozen=True)
class Delimited:
    """A rule with attributes, for finding captures. value, marker: what stands before and in the marker, if any"""

    capture: str | None
    value: Expr
    marker: Expr | None = None
    marker_capture: str | None = None
    hidden: bool = False


@dataclass
class Lowered:
    """Rules by name, and the regions among them.

    whole: whether any amount of white space may stand in JSON; bounded: whether some JSON was read without that
    """

    rules: dict[str, Expr] = field(default_factory=dict)
    regions: dict[str, Delimited] = field(default_factory=dict)
    whole: bool = False
    bounded: bool = False

    def of(self, source: Any) -> Grammar:
        """The texts of a source inside this one."""
        if not isinstance(source, Combines):
            return source.lower()
        self.bounded = True
        return source.whole() if self.whole else source.lower()

    def grammar(self) -> Grammar:
        """The grammar."""
        return Grammar(ref(START_RULE), self.rules)


def lowered(source: str, given: Mapping[str, Any], *, whole: bool = False) -> Lowered:
    """The grammar of a source; `given` are other grammars by name, as sources or in Lark's notation."""
    result = Lowered(whole=whole)
    tree = read(encodable(source))
    _Lowering(tree, "", given, (), result).run()
    check_productive(result.rules, START_RULE, tree.definitions[START_RULE].at)
    return result


def check_productive(rules: Mapping[str, Expr], start: str, at: Place) -> None:
    """Refuse a grammar that derives no string at all."""
    if start not in productive(rules):
        raise at.unsatisfiable(
            f"{start} derives no string: every way through it needs a rule that never ends",
            "add an alternative that does not come back to its own rule",
        )


class _Lowering:
    """One grammar, whose rules are called by a prefix and their names. open_names: the given grammars around it"""

    def __init__(
        self,
        tree: LarkTree,
        prefix: str,
        given: Mapping[str, Any],
        open_names: tuple[str, ...],
        result: Lowered,
    ):
        self._tree, self._prefix, self._given = tree, prefix, given
        self._open_names, self._result = open_names, result
        self._terminals = Terminals(tree)
        self._skip = EMPTY
        self._inner = 0

    def run(self) -> None:
        """Add all rules to the result."""
        tree = self._tree
        if START_RULE not in tree.definitions:
            nested = "failed to compile nested Lark grammar: " if self._prefix.startswith("%") else ""
            raise tree.at.invalid(f"{nested}no start rule", "add a rule called start, where the text begins")
        ignored = [self._terminals.expr(node) for node in tree.ignored]
        self._skip = star(alt(*(difference(one, EMPTY) if one.facts.nullable else one for one in ignored)))
        for name, definition in tree.definitions.items():
            if is_terminal(name):
                self._terminals.expr(definition.body, name)
            else:
                self._result.rules[self._prefix + name] = self._rule(definition, self._prefix + name)
        if tree.initial_skip:
            rules, start = self._result.rules, self._prefix + START_RULE
            rules[start + "^"] = rules[start]
            rules[start] = seq(self._skip, ref(start + "^"))

    def _rule(self, definition: LarkDefinition, name: str, guard: Guard = NO_GUARD) -> Expr:
        """What a rule stands for, under a name; `guard`: the lazy rules that begin beside it."""
        attributes = definition.attributes
        if attributes == type(attributes)():
            return self._body(definition.body, guard)
        if ends_early(definition):
            return self._delimited(definition, name, guard)
        value = self._body(definition.body, guard)
        self._result.rules[name + "!"] = self._counted(definition, value)
        self._result.regions[name + "!"] = Delimited(attributes.capture, value)
        return ref(name + "!")

    def _guarded(self, name: str, guard: Guard) -> Expr:
        """A rule that begins beside lazy ones; then it has a copy of its own."""
        copy = f"{self._prefix}{name}"
        if guard:
            copy += f"~{','.join(guard)}"
            if copy not in self._result.rules:
                self._result.rules[copy] = NOTHING  # in case it begins with itself
                self._result.rules[copy] = self._rule(self._tree.definitions[name], copy, guard)
        return ref(copy)

    def _lazy(self, name: str) -> tuple[Expr, Expr | None]:
        """The value of a lazy rule and its marker, if it has one."""
        definition = self._tree.definitions[name]
        marker = definition.attributes.marker
        value = self._terminals.expr(definition.body, name)
        return value, None if marker is None else self._terminals.expr(marker.body, name)

    def _beginning(self, guard: Guard) -> Expr:
        """What lazy rules match."""
        return alt(*(_first_match(*self._lazy(name)) for name in guard))

    def _counted(self, definition: LarkDefinition, value: Expr) -> Expr:
        tokens = definition.attributes.max_tokens
        return value if tokens is None else budget(value, tokens)

    def _delimited(self, definition: LarkDefinition, name: str, guard: Guard) -> Expr:
        """A region that ends as soon as it can."""
        attributes = definition.attributes
        marker = attributes.marker
        value, ending = self._lazy(definition.name)
        whole = _first_match(value, ending)
        if guard and guard != (definition.name,):
            whole = difference(whole, seq(self._beginning(guard), ANY_CHAR, TEXT))
        self._result.rules[name + "!"] = self._counted(definition, whole)
        self._result.regions[name + "!"] = Delimited(
            attributes.capture,
            value,
            ending,
            marker.capture if marker else None,
            marker is not None and marker.kind == "stop",
        )
        return seq(ref(name + "!"), self._skip)

    def _body(self, node: Written, guard: Guard = NO_GUARD) -> Expr:
        """What a node describes in a rule: lexemes, each followed by what is ignored."""
        match node:
            case OneOf(_, options):
                beside = self._beside(options, guard)
                return alt(*(self._body(option, beside) for option in options))
            case InOrder(_, parts):
                return self._in_order(parts, guard)
            case Times():
                return self._times(node, (), guard)
            case AllOf(at, _):
                raise at.invalid(
                    "intersection '&' is not supported in rules", "define a terminal for it, in upper case"
                )
            case NamedPart(at, name) if not is_terminal(name):
                if name not in self._tree.definitions:
                    raise at.invalid(
                        f"unknown name {name!r}", "define it, or put it into quotes if it is text"
                    )
                return self._guarded(name, guard)
            case SpecialToken(_, name):
                return seq(token(name), self._skip)
            case TokenIds(_, ranges, negated):
                return seq(token_set(ranges, negated=negated), self._skip)
            case Json() | Inner() | Given():
                return seq(ref(self._sub_grammar(node)), self._skip)
        expr = self._terminals.expr(node)
        return self._lexeme(difference(expr, seq(self._beginning(guard), TEXT)) if guard else expr)

    def _beside(self, nodes: Sequence[Written], guard: Guard) -> Guard:
        return tuple(sorted({*guard, *lazy_beside(self._tree, nodes)}))

    def _in_order(self, parts: Sequence[Written], guard: Guard) -> Expr:
        """Parts one after another; where the number of one is open, what follows begins beside it."""
        done: list[Expr] = []
        for number, part in enumerate(parts):
            if isinstance(part, Times) and part.low != part.high:
                return seq(*done, self._times(part, parts[number + 1 :], guard))
            done.append(self._body(part, guard))
            guard = NO_GUARD
        return seq(*done)

    def _times(self, node: Times, rest: Sequence[Written], guard: Guard) -> Expr:
        body, low, high = node.body, node.low, node.high
        beside = self._beside([body, InOrder(node.at, tuple(rest))], NO_GUARD) if low != high else NO_GUARD
        if not beside and not guard:
            return seq(repeat(self._body(body), low, high), self._in_order(rest, NO_GUARD))
        if high == 0:
            return self._in_order(rest, guard)
        further = None if high is None else high - 1
        first = self._body(body, tuple(sorted({*guard, *(beside if low == 0 else ())})))
        more = seq(
            repeat(self._body(body), max(low - 1, 0), max(low - 1, 0)),
            repeat(self._body(body, beside), 0, None if further is None else further - max(low - 1, 0)),
        )
        whole = seq(first, more, self._in_order(rest, beside))
        return whole if low else alt(whole, self._in_order(rest, tuple(sorted({*guard, *beside}))))

    def _lexeme(self, expr: Expr) -> Expr:
        if self._skip is EMPTY or expr is EMPTY:
            return expr
        if not expr.facts.nullable:
            return seq(expr, self._skip)
        return alt(EMPTY, seq(difference(expr, EMPTY), self._skip))

    def _sub_grammar(self, node: Written) -> str:
        """The name of the rule that stands for a grammar inside this one."""
        if isinstance(node, Given):
            return self._given_grammar(node)
        self._inner += 1
        name = f"{self._prefix}%{self._inner}"
        if isinstance(node, Inner):
            return self._lark(node.tree, name, self._open_names)
        assert isinstance(node, Json)
        if not isinstance(node.schema, dict | bool):
            raise node.at.invalid("failed to compile inline JSON schema: it is no object", "write { … }")
        with _reported(node.at, "inline JSON schema"):
            return self._add(name, self._result.of(JsonSchema(node.schema)))

    def _given_grammar(self, node: Given) -> str:
        name, rule = node.name, f"@{node.name}"
        if name not in self._given:
            known = ", ".join(self._given) or "none"
            raise node.at.invalid(
                f"unknown named grammar '@{name}'", f"pass it in grammars={{…}}; there are {known}"
            )
        if name in self._open_names:
            circle = " -> ".join(
                f"@{one}" for one in [*self._open_names[self._open_names.index(name) :], name]
            )
            raise node.at.invalid(f"circular named grammar reference: {circle}", "write it as one grammar")
        value = self._given[name]
        with _reported(node.at, rule):
            if isinstance(value, str):
                return self._lark(read(value), rule, (*self._open_names, name))
            return self._add(rule, self._result.of(value))

    def _lark(self, tree: LarkTree, name: str, open_names: tuple[str, ...]) -> str:
        start = f"{name}.{START_RULE}"
        if start not in self._result.rules:
            _Lowering(tree, f"{name}.", self._given, open_names, self._result).run()
        return start

    def _add(self, name: str, grammar: Grammar) -> str:
        if grammar.check is not None:
            raise Unsupported(
                "uniqueItems cannot be checked inside another grammar", remedy="bound the items with an enum"
            )
        if name not in self._result.rules:
            self._result.rules[name], rules = embedded(grammar, f"{name}.")
            self._result.rules.update(rules)
        return name


def _first_match(value: Expr, marker: Expr | None) -> Expr:
    """What a lazy rule matches."""
    return shortest(value if marker is None else seq(value, marker))


@contextmanager
def _reported(at: Place, what: str) -> Iterator[None]:
    """Errors of a grammar inside this one, at the place where it stands."""
    try:
        yield
    except (StructgenError, RecursionError) as error:
        reason = (
            "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition("\n")[0]
        )
        if reason.startswith("circular"):
            raise
        raise at.invalid(f"failed to compile {what}: {reason}") from None
