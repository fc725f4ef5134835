"""JSON Schema as a source.

    formula   what a place may hold, by the names of schemas            every, some, opposite
    read      name → ValueSet      one level of a schema, type by type     meet, union, minus      (combine)
    write     ValueSet → Expr      the JSON texts of a set's values; schemas with names become rules

Every keyword that applies schemas to a value comes down to the operations in the right column. `$schema` decides the
draft, 4 to 2020-12; what cannot be enforced is refused with its pointer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from structgen.errors import InvalidSource, Unsatisfiable, Unsupported
from structgen.grammar import NOTHING, SLACK, Check, Grammar, seq
from structgen.limits.budget import OverLimit
from structgen.surface import option

from ..canonical import canonical
from ..outline import Outline
from .formula import Formula
from .keywords import Unknown
from .node import Node
from .otherwise import Uniqueness
from .outline import outline_of
from .productive import productive
from .read import JSON_SCHEMA, Late, Reader, Rules
from .repeats import Judge
from .style import Order, Style, Whitespace
from .terms import Additional, Resources, Schema, Terms
from .write import Writer

MOST_NAMED = 8  # refusals that one message names beside the first
PATIENCE = 2.0  # seconds of computing to find them
THOROUGH = 20.0  # seconds of computing to list all


@dataclass(frozen=True, eq=False)
class JsonSchema:
    """JSON text that is valid under a schema; parsing gives the value as json.loads reads it.

    `whitespace` "flexible" allows white space between any two tokens, "compact" none.

    `additional` says what silence means. With "declared" only what a schema mentions is generated, as in OpenAI's
    strict mode: an object with `properties` and without `additionalProperties` gets no other members (with
    `properties` {}, as tools without arguments have it, none; an object of which nothing is said is free), a schema
    without `type` gets the types its keywords are about. One rule holds wherever schemas stand: a member or a type is
    mentioned by a schema that the value must satisfy, be it around, referred to, one of allOf, or the alternative of
    anyOf, oneOf, if and then, or else that is taken. What `not`, the other alternatives of oneOf or a failed `if` name
    they only exclude, with all that their own silence allows. Every output is valid, not every valid value an output.
    With "open" silence allows anything, as JSON Schema has it; what would then be any JSON value is refused.

    `unknown`: keywords and formats that no draft defines are annotations and say nothing. With "ignore" one that is
    a keyword misspelled (`requierd`) is refused all the same; "annotations" lets it pass, "refuse" lets none pass.

    `format` is enforced; `contentEncoding`, `contentMediaType` and `contentSchema` say nothing, as validators have it:
    for base64 write a pattern.

    `resources` are other schemas that references may name, by the URI that they are referred to by or their own `$id`.
    Nothing is ever fetched.

    `order` "declared" writes members in the order in which a schema names them, undeclared ones behind them; with "any"
    members come in any order, undeclared ones anywhere: which have been written is remembered. Beside more than ten
    named members nothing else can be counted, and more than 64 are refused.

    One spelling of most values is generated: strings under a pattern, a format or an enum and member names without
    escapes that JSON does not ask for, numbers with bounds without an exponent, times with capital T and Z. All
    spellings of a value are accepted (`Constraint.accepts`), if all their numbers are doubles or integers.
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
        """The schema on these terms."""
        return cls(schema, terms.whitespace, terms.additional, terms.unknown, terms.resources, terms.order)

    @property
    def terms(self) -> Terms:
        """The options, checked."""
        return Terms(self.whitespace, self.additional, self.unknown, self.resources, self.order)

    def lower(self) -> Grammar:
        """The valid texts, as a grammar. Raises InvalidSource or Unsupported with the pointer of the cause."""
        terms = self.terms
        return lower(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA))

    def refusals(self) -> list[Unsupported]:
        """Everything in the schema that cannot be enforced; empty where it can be lowered."""
        terms = self.terms
        return refusals(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA))

    def checked(self) -> list[str]:
        """The pointers of what no automaton can tell, so that it is checked while generating: uniqueItems."""
        terms = self.terms
        return checked(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA))

    def outline(self) -> Outline:
        """What the values look like, for prompts and for slots."""
        return outline_of(self.schema, self.terms.rules(JSON_SCHEMA))

    def canonical(self, text: str) -> str | None:
        """The JSON text with its strings and numbers spelled as they are generated; None where it is malformed."""
        return canonical(text)

    def reading(self) -> Grammar:
        """The valid texts in canonical spelling: T and Z of times in small letters too, numbers to the last digit."""
        terms = self.terms
        return lower(self.schema, terms.style, terms.additional, terms.rules(JSON_SCHEMA).for_reading())

    def parse(self, text: str) -> Any:
        """The value that the text stands for."""
        return json.loads(text)


def lower(
    schema: Any,
    style: Style,
    additional: Additional = "declared",
    rules: Rules = JSON_SCHEMA,
) -> Grammar:
    """The texts that are valid under a schema. Slack may follow but no white space, or a model could go on for ever."""
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
    """Raise Unsatisfiable where a schema that allows nothing would allow something with what it does not mention."""
    if _lowered(Reader(Node(schema), rules), style, "open").start is not NOTHING:
        raise Unsatisfiable(
            "nothing satisfies this schema without members or types that it does not mention; let its alternatives "
            "exclude each other (additionalProperties: false, or a required member with a const), or pass "
            + option("additional", "open")
        )


def _others(
    first: Unsupported, schema: Any, style: Style, additional: Additional, rules: Rules
) -> tuple[list[Unsupported], bool]:
    """What else is refused, and whether there was no time for all of it."""
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

    Past a refusal a schema may be far larger than it seems; after so many seconds only what has been found is given,
    and an OverLimit behind it says so.
    """
    return _explained(schema, style, additional, rules, seconds).refusals or []


def relaxations(schema: Any, style: Style, additional: Additional, rules: Rules) -> list[Unsupported]:
    """Everything in a schema that is neither enforced nor refused, since whoever reads the value does not mind."""
    return _explained(schema, style, additional, rules).relaxed


def checked(
    schema: Any, style: Style, additional: Additional = "declared", rules: Rules = JSON_SCHEMA
) -> list[str]:
    """The pointers of what no automaton can tell, so that it is checked while generating."""
    return list(_explained(schema, style, additional, rules).judged)


def _explained(
    schema: Any, style: Style, additional: Additional, rules: Rules, seconds: float = THOROUGH
) -> Reader:
    """A reader that has collected what is refused and what is relaxed."""
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
    writer = Writer(reader, style, additional)
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


def _check(reader: Reader, writer: Writer, root: Formula) -> Check | None:
    """What has to be asked of texts beside the expressions."""
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
