"""Value set to expression: the JSON texts of the values of formulas, and the rules of the grammar.

A schema that some reference names, or that contains itself, becomes a rule of the grammar and is written once; all
others are written wherever they occur.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from structgen.errors import Unsupported
from structgen.grammar import EMPTY, NOTHING, Expr, alt, literal, optional, ref, seq
from structgen.limits.budget import check
from structgen.surface import option

from ..languages import strings_of, without
from .arrays import Arrays
from .formula import ANYTHING, Formula, Name, Some, every, opposite, some
from .held import held
from .numbers import Numbers
from .read import MOST_NESTED, Reader
from .strings import QUOTE
from .style import MOST_INDENTED, Style
from .syntax import JSON_SYNTAX, Syntax
from .terms import Additional
from .value_set import ValueSet
from .write_arrays import ArrayWriter
from .write_objects import ObjectWriter

ANYWHERE = 0  # a depth
MOST_VALUES = 64  # values up to which a finite set is listed one by one


class SchemaWriter:
    """A writer spells the schemas of one document as JSON, each once.

    With additional="declared" it leaves out types that a schema does not mention if it mentions others, and undeclared
    members. With "open" it writes them.
    """

    def __init__(self, reader: Reader, style: Style, additional: Additional, *, generating: bool = False):
        self.reader, self.style = reader, style
        self.additional: Additional = additional
        self.reading = reader.rules.reading and not generating
        # JSON inside a string is not respelled before reading, so it is read as it is generated.
        plain = replace(style, spelling=JSON_SYNTAX)
        apart = self.reading or style.spelling is not JSON_SYNTAX
        self._inside = SchemaWriter(reader, plain, additional, generating=True) if apart else self
        self.rules: dict[str, Expr] = {}
        self._known: dict[tuple[Formula, int], Expr] = {}  # by depth, which is ANYWHERE if it does not matter
        self._depth = 0
        self._open: dict[Formula, str] = {}
        self._called: set[Formula] = set()  # formulas that contain themselves
        self._held: list[str] = []  # rules whose texts are held in strings
        self._writers: dict[Syntax, SchemaWriter] = {
            style.spelling: self
        }  # of values inside, with the same rules
        self._suffix = ""  # of the names of rules, which have one for each syntax
        self.holds = False  # whether any string holds the text of a whole document

    def text(self, formula: Formula) -> Expr:
        """The texts of the values that the formula holds."""
        depth = min(self._depth + 1, MOST_INDENTED)
        for known in (formula, ANYWHERE), (formula, depth):
            if known in self._known:
                return self._known[known]
        if formula in self._open:
            self._called.add(formula)
            return ref(self._open[formula])
        if isinstance(formula, Some) and formula.parts and not self._confuses(formula):
            return alt(*map(self.text, self.reader.ordered(formula.parts)))
        check()
        self.reader.hurry()
        if len(self._open) == MOST_NESTED:
            raise self.reader.too_deep(formula)
        value_set = self._closed(self.reader.value_set(formula))
        self._open[formula] = self._name(formula)
        outer, self._depth = self._depth, depth
        try:
            expr = self._text(value_set)
            if formula in self._called and depth < MOST_INDENTED:  # it stands at any depth
                self._depth = MOST_INDENTED
                expr = self._text(value_set)
        except Unsupported as error:
            self.reader.refuse(error)
            expr = NOTHING
        self._depth = outer
        name = self._open.pop(formula)
        nests = bool(value_set.arrays or value_set.objects or value_set.texts)
        shared = isinstance(formula, Name) and formula.number in self.reader.referred
        shuffled = self.style.order == "any"  # a value stands once for each set of members before it
        if formula in self._called or shuffled or (nests and shared):
            self.rules[name] = expr
            expr = ref(name)
        self._known[formula, depth if nests and formula not in self._called else ANYWHERE] = expr
        return expr

    def _within(self, kind: Literal["array", "object"]) -> SchemaWriter:
        """The writer of the values in arrays or objects, which may have another syntax."""
        spelling = self.style.spelling.inside(kind)
        if spelling not in self._writers:
            writer = SchemaWriter(self.reader, replace(self.style, spelling=spelling), self.additional)
            writer.rules, writer._writers = self.rules, self._writers
            writer._suffix = f" in syntax {len(self._writers) + 1}"
            self._writers[spelling] = writer
        return self._writers[spelling]

    def values(self, formula: Formula) -> list[Formula] | None:
        """The values of a formula, one formula each; None if there are more than a few."""
        value_set = self._closed(self.reader.value_set(formula))
        strings = strings_of(value_set.strings)
        if strings is None or value_set.arrays or value_set.objects or value_set.texts:
            return None
        numbers: list[int | float] = []
        for part in value_set.numbers:
            listed = [_plain(part)] if part.is_point else part.integers(MOST_VALUES)
            if listed is None:
                return None
            numbers += (number for number in listed if number not in numbers)
        found = [*([None] if value_set.null else []), *sorted(value_set.booleans), *numbers, *strings]
        return [self.reader.listed(v) for v in found] if len(found) <= MOST_VALUES else None

    def value_sets(self, formula: Formula) -> Iterator[ValueSet]:
        """The value sets of a formula to be written, one for each part of a union."""
        parts = self.reader.ordered(formula.parts) if isinstance(formula, Some) else []
        for part in parts or [formula]:
            if isinstance(part, Some) and part.parts:
                yield from self.value_sets(part)
            else:
                yield self._closed(self.reader.value_set(part))

    def _judge(self, arrays: Arrays) -> None:
        self.reader.judged[f"{arrays.origin}/uniqueItems"] = None

    def _name(self, formula: Formula) -> str:
        if formula == ANYTHING:
            return f"any JSON value{self._suffix}"
        origin = (self.reader.origin(formula) or "/") + self._suffix
        taken = {*self.rules, *self._open.values()}
        if isinstance(formula, Name) and not formula.negated and origin not in taken:
            return origin
        number = 2
        while f"{origin} ({number})" in taken:
            number += 1
        return f"{origin} ({number})"

    def _closed(self, value_set: ValueSet) -> ValueSet:
        """The value set without members and types that are only allowed by default, unless these are written too."""
        if self.additional == "open":
            return value_set
        spoken = value_set.spoken()
        objects = tuple(part for part in (part.spoken() for part in spoken.objects) if part is not None)
        return replace(spoken, objects=objects)

    def _confuses(self, formula: Formula) -> bool:
        """Whether the strings of a union must be written beside its other values, which they could be taken for."""
        confused = self.style.spelling.confused
        kinds = self.reader.value_set(formula).kinds() if confused else frozenset()
        return "string" in kinds and bool(kinds & confused)

    def present(self, formula: Formula) -> Formula:
        """The values of an optional member: all, or those that are not null where null is left out."""
        if self.style.spelling.holds_null or not self.reader.value_set(formula).null:
            return formula
        if isinstance(formula, Some) and formula.parts:
            return some(*map(self.present, self.reader.ordered(formula.parts)))
        null = self.reader.listed(None)
        return every(formula, opposite(null))

    def _strings(self, value_set: ValueSet) -> Expr:
        """The strings of a value set, without those that could be taken for its other values."""
        return without(value_set.strings, self.style.spelling.taken(value_set))

    def _text(self, value_set: ValueSet) -> Expr:
        self.holds = self.holds or bool(value_set.texts)
        spelling = self.style.spelling
        if value_set.texts and spelling is not JSON_SYNTAX:
            raise _holding()
        style = self.style.at(self._depth)
        arrays = ArrayWriter(self._within("array").text, self.values, self.reader.relax, self._judge, style)
        objects = ObjectWriter(self._within("object").text, style, self.present)
        texts = [
            *(spelling.word("null") for _ in range(value_set.null)),
            *(spelling.word("true" if value else "false") for value in sorted(value_set.booleans)),
            *map(self._number, value_set.numbers),
            spelling.strings(self._strings(value_set), reading=self.reading),
            *(
                seq(QUOTE, held(self._inside.text(inner), self._held_rule), QUOTE)
                for inner in value_set.texts
            ),
            *map(arrays.text, value_set.arrays),
        ]
        for index, part in enumerate(
            value_set.objects
        ):  # a comprehension would add a call for each nested schema
            others = (*value_set.objects[:index], *value_set.objects[index + 1 :])
            texts.append(objects.text(part, tuple(len(other.needs) for other in others if other.needs)))
        return alt(*texts)

    def _held_rule(self, name: str) -> Expr:
        """The rule for the texts of a rule inside a string."""
        if name not in self._held:
            self._held.append(name)
        return ref(f"{name} in a string")

    def complete(self) -> dict[str, Expr]:
        """All rules, once the text of the document has been asked for."""
        rules = self.rules if self._inside is self else self._inside.complete()
        for name in self._held:  # the list grows during the loop
            self.rules[f"{name} in a string"] = held(rules[name], self._held_rule)
        return self.rules

    def _number(self, numbers: Numbers) -> Expr:
        pointed = numbers.integer and (self.reader.pointed or (self.reading and not numbers.typed))
        more = optional(literal(".0")) if pointed else EMPTY
        return self.style.spelling.numbers(numbers, more, reading=self.reading)


def _holding() -> Unsupported:
    return Unsupported(
        "a string that holds the JSON text of other values, in a syntax that is not JSON's",
        keyword="contentSchema",
        remedy=f"let the parameter be an object, or pass {option('form', 'json')}",
    )


def _plain(numbers: Numbers) -> int | float:
    value = numbers.low or Decimal(0)
    return int(value) if value == value.to_integral_value() else float(value)
