"""JSON Schema as a source.

    formula   what a place may hold, by the names of schemas            every, some, opposite
    read      name → ValueSet      one level of a schema, type by type     meet, union, minus      (combine)
    write     ValueSet → Expr      the JSON texts of a set's values; schemas with names become rules

Every keyword that applies schemas to a value reduces to the operations in the right column. `$schema` decides the
draft, 4 to 2020-12; a keyword that cannot be enforced is refused with its pointer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from structgen.errors import InvalidSource, Unsatisfiable, Unsupported
from structgen.grammar import NOTHING, SLACK, Check, Combines, Grammar, seq
from structgen.limits.budget import OverLimit
from structgen.surface import option

from ..canonical import canonical
from ..outline import Outline
from ..reading import json_value
from .formula import Formula
from .keywords import Unknown
from .node import Node
from .otherwise import Uniqueness
from .outline import outline_of
from .productive import productive
from .read import JSON_SCHEMA, Late, Reader, Rules
from .repeats import Judge
from .style import Order, Style, Whitespace
from .syntax import JSON_SYNTAX, Syntax
from .terms import Additional, Resources, Schema, Terms
from .write import SchemaWriter

MOST_NAMED = 8  # further refusals that one message names after the first
PATIENCE = 2.0  # seconds of CPU time to find them
THOROUGH = 20.0  # seconds of CPU time to list all refusals


@dataclass(frozen=True, eq=False)
class JsonSchema(Combines):
    """The JSON texts that are valid under a schema; `parse` returns the value that json.loads reads.

    `whitespace`: "compact" generates none between JSON tokens, "flexible" what printers of JSON write: a space
    after a colon, and before a member, an element or a closing bracket at most a new line and the spaces of its level
    (four a level, 16 in all). More would let an unsure model fill its blocks with blanks. `Constraint.accepts` and
    `check` read any amount, and a lazy constraint generates it.

    `additional` says what happens to members and types that the schema does not mention. "declared" generates only what
    is mentioned, as OpenAI's strict mode does. An object with `properties` but no `additionalProperties` gets no other
    members; with `properties` {}, as in tools without arguments, it gets none at all; an object without any keyword
    about its members is free. A schema without `type` gets the types that its keywords are about. A member or type
    counts as mentioned if any schema that the value must satisfy mentions it: the schema itself, one around it, one it
    refers to, one of allOf, or the alternative of anyOf, oneOf or if/then/else that is taken. `not`, the other
    alternatives of oneOf and a failed `if` only exclude values, and they are read as under "open". Every output is
    valid, but not every valid value can be an output. "open" keeps JSON Schema's defaults: whatever is not mentioned is
    allowed. A place that could then hold any JSON value is refused.

    `unknown`: keywords and formats that no draft defines are annotations and have no effect. "ignore" still refuses
    one that looks like a misspelled keyword (`requierd`), "annotations" accepts it, "refuse" refuses them all.

    `format` is enforced. `contentEncoding`, `contentMediaType` and `contentSchema` have no effect, as in validators;
    for base64 write a pattern.

    `resources` are further schemas that references may name, keyed by the URI of the reference or by their own `$id`.
    Nothing is ever fetched.

    `order`: "declared" writes members in the order in which the schema names them, then undeclared members. "any"
    allows every order, with undeclared members anywhere; the automaton remembers which members have been written. With
    more than ten named members nothing else can be counted, and more than 64 are refused.

    Most values are generated in one spelling: strings under a pattern, a format or an enum and member names have no
    unnecessary escapes, numbers with bounds have no exponent, times have a capital T and Z. `Constraint.accepts`
    accepts every spelling of a value whose numbers are all doubles or integers.
    """

    schema: Mapping[str, Any] | bool
    whitespace: Whitespace = "flexible"
    additional: Additional = "declared"
    unknown: Unknown = "ignore"
    resources: Mapping[str, Any] = field(default_factory=dict)
    order: Order = "declared"

    def __post_init__(self) -> None:
        _ = self.terms
        if not isinstance(self.schema, dict | bool):
            raise InvalidSource(
                f"a JSON schema is an object, true or false, not {type(self.schema).__name__}"
            )

    @classmethod
    def under(cls, schema: Any, terms: Terms) -> JsonSchema:
        """The source of a schema under these terms."""
        return cls(schema, terms.whitespace, terms.additional, terms.unknown, terms.resources, terms.order)

    @property
    def terms(self) -> Terms:
        """The options, checked."""
        return Terms(self.whitespace, self.additional, self.unknown, self.resources, self.order)

    def lower(self) -> Grammar:
        """The valid texts, as a grammar. Raises InvalidSource or Unsupported with the pointer of the cause."""
        return self.spelled(JSON_SYNTAX)

    def whole(self) -> Grammar:
        """The valid texts with any amount of white space between tokens."""
        terms = self.terms
        return lower(self.schema, terms.style.for_reading(), terms.additional, terms.rules(JSON_SCHEMA))

    def spelled(self, spelling: Syntax) -> Grammar:
        """The valid texts in another syntax than JSON's."""
        terms = self.terms
        style = replace(terms.style, spelling=spelling)
        return lower(self.schema, style, terms.additional, terms.rules(JSON_SCHEMA))

    def refusals(self) -> list[Unsupported]:
        """Everything in the schema that cannot be enforced; empty if the schema can be lowered."""
        terms = self.terms
        return refusals(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA))

    def checked(self) -> list[str]:
        """The pointers of the keywords that no automaton can decide, checked while generating: uniqueItems."""
        terms = self.terms
        return checked(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA))

    def outline(self) -> Outline:
        """The outline of the values, for prompts and slots."""
        return outline_of(self.schema, self.terms.rules(JSON_SCHEMA))

    def canonical(self, text: str) -> str | None:
        """The JSON text with its strings and numbers spelled as they are generated; None if the text is malformed."""
        return canonical(text)

    def reading(self) -> Grammar:
        """The valid texts in canonical spelling, with numbers to the last digit; times may have small t and z."""
        terms = self.terms
        return lower(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA).for_reading())

    def parse(self, text: str) -> Any:
        """The value of the text. Raises Rejected if it is not a JSON text."""
        return json_value(text)


def lower(
    schema: Any,
    style: Style,
    additional: Additional = "declared",
    rules: Rules = JSON_SCHEMA,
) -> Grammar:
    """The texts that are valid under a schema. Slack may follow, but no white space: it could go on forever."""
    try:
        grammar = _lowered(Reader(Node(schema), rules), style, additional)
        if grammar.start is NOTHING and additional == "declared":
            _check_silence(schema, style, rules)
        return grammar
    except OverLimit:
        raise
    except Unsupported as first:
        others, cut = _others(first, schema, style, additional, rules)
        said = [f"{error.keyword} (at {error.pointer or '/'})" for error in others[:MOST_NAMED]]
        said += [f"{len(others) - MOST_NAMED} more"] if len(others) > MOST_NAMED else []
        said += ["perhaps others, which there was no time to look for"] if cut else []
        if said:
            first.args = (f"{first}; also refused: {', '.join(said)}",)
        raise


def _check_silence(schema: Any, style: Style, rules: Rules) -> None:
    """Raise Unsatisfiable if a schema that allows nothing would allow something with undeclared members or types."""
    if _lowered(Reader(Node(schema), rules), style, "open").start is not NOTHING:
        raise Unsatisfiable(
            "nothing satisfies this schema without members or types that it does not mention; let its alternatives "
            "exclude each other (additionalProperties: false, or a required member with a const), or pass "
            + option("additional", "open")
        )


def _others(
    first: Unsupported, schema: Any, style: Style, additional: Additional, rules: Rules
) -> tuple[list[Unsupported], bool]:
    """The refusals after the first, and whether time ran out before all were found."""
    try:
        found = refusals(schema, style, additional, rules, PATIENCE)
    except OverLimit:
        return [], True
    others = [error for error in found if str(error) != str(first) and not isinstance(error, Late)]
    return others, any(isinstance(error, Late) for error in found)


def refusals(
    schema: Any,
    style: Style,
    additional: Additional = "declared",
    rules: Rules = JSON_SCHEMA,
    seconds: float = THOROUGH,
) -> list[Unsupported]:
    """Everything in a schema that is refused, each with keyword, pointer and remedy.

    Past a refusal a schema may be far larger than it seems. When `seconds` of CPU time are used up, the list holds what
    has been found by then and ends with an OverLimit.
    """
    return _explained(schema, style, additional, rules, seconds).refusals or []


def relaxations(schema: Any, style: Style, additional: Additional, rules: Rules) -> list[Unsupported]:
    """Everything in a schema that is neither enforced nor refused, because the reader of the value does not need it."""
    return _explained(schema, style, additional, rules).relaxed


def checked(
    schema: Any, style: Style, additional: Additional = "declared", rules: Rules = JSON_SCHEMA
) -> list[str]:
    """The pointers of the keywords that no automaton can decide and that are checked while generating."""
    return list(_explained(schema, style, additional, rules).judged)


def _explained(
    schema: Any, style: Style, additional: Additional, rules: Rules, seconds: float = THOROUGH
) -> Reader:
    """A reader that has collected all refusals and relaxations."""
    reader = Reader(Node(schema), rules)
    reader.refusals, reader.patience = [], seconds
    reader.until = time.thread_time() + seconds
    try:
        _lowered(reader, style, additional)
    except Late as late:
        reader.refusals.append(late)
    except Unsupported as error:
        reader.refuse(error)
    return reader


def _lowered(reader: Reader, style: Style, additional: Additional) -> Grammar:
    writer = SchemaWriter(reader, style.for_reading() if reader.rules.reading else style, additional)
    try:
        root = reader.root()
        text = writer.text(root)
    except RecursionError:
        raise Unsupported(
            "the schema is nested too deeply: following it takes more nested calls than Python has left here",
            pointer="",
            remedy="nest fewer schemas in one another, or compile where fewer calls are open",
        ) from None
    return productive(Grammar(seq(text, SLACK), writer.complete(), _check(reader, writer, root)))


def _check(reader: Reader, writer: SchemaWriter, root: Formula) -> Check | None:
    """The check that texts must pass in addition to the grammar; None if it needs none."""
    if not reader.judged:
        return None
    if writer.holds:
        raise Unsupported(
            "uniqueItems over more than a few values cannot be checked beside strings that hold JSON",
            keyword="uniqueItems",
            pointer=next(iter(reader.judged)),
            remedy="drop it, or read the strings that hold JSON on their own",
        )
    return Uniqueness(Judge(writer), root, tuple(reader.judged))


__all__ = [
    "Additional",
    "JsonSchema",
    "Order",
    "Resources",
    "Rules",
    "Schema",
    "Terms",
    "Unknown",
    "Whitespace",
    "checked",
    "lower",
    "outline_of",
    "refusals",
    "relaxations",
]
