"""Templates as sources: the texts that a template becomes when its holes are filled.

Fixed text and holes are one automaton, so all holes are filled at once, with the text on both sides of each in view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

from pydantic import ValidationError

from structgen.errors import InvalidSource, Rejected, Unsupported
from structgen.grammar import Combines, Expr, Grammar, alt, literal, ref, seq

from ..embedding import embedded
from ..finite import Endless, texts_of
from ..outline import Field, Outline
from ..types import TypeSource
from .derived import pieces_of
from .hole import Hole
from .parts import WrittenHole, parts_of

T_co = TypeVar("T_co", covariant=True)
MOST_VALUES = 1000  # of a hole that stands in a template several times
MOST_COMBINED = 20_000  # combinations of such values that an automaton must remember


class Filled(dict[str, Any]):
    """The values of a template's holes by name; `text` is the template with its holes filled."""

    def __init__(self, values: Mapping[str, Any], text: str) -> None:
        super().__init__(values)
        self.text = text


class Piece(NamedTuple):
    """What stands in a hole: characters start … end − 1 of the text."""

    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Template(Combines, Generic[T_co]):
    """The texts that a template becomes when its holes are filled; `parse` gives the values by name.

    text: with holes such as `{{name}}`, `{{name:[A-Z][a-z]+}}` or `{{date:iso-date}}`; `{{{{` is a brace
    types: Python types of holes whose types the text does not say
    into: a class that the values make; its annotations are the types of holes that have no other
    """

    text: str
    types: Mapping[str, Any] = field(default_factory=dict)
    into: type[T_co] | None = None

    def __post_init__(self) -> None:
        for name in self.types:
            if name not in {hole.name for hole in self.holes}:
                raise InvalidSource(f"types names {name!r}, which is no hole of the template")
        for hole in self.holes:
            _ = hole.language, hole.typed
        _ = self._choices

    @cached_property
    def parts(self) -> list[str | Hole]:
        """Fixed texts and holes in turn, beginning and ending with a text."""
        written, types = parts_of(self.text), self._types
        parts: list[str | Hole] = []
        for k, part in enumerate(written):
            if isinstance(part, str):
                parts.append(part)
                continue
            after = written[k + 1]
            assert isinstance(after, str)
            if part.asked and part.name in self.types:
                part.refuse("has a type in the template and another in types", "leave one of them out")
            parts.append(Hole(part, None if part.asked else types.get(part.name), after))
        parts = _alike(parts)
        for part in parts[:-2]:
            if isinstance(part, Hole) and part.free and not part.after:
                part.written.refuse(
                    "has no type, and another hole follows at once",
                    f"write text between them, or a type, as in {{{{{part.name}:[a-z]+}}}}",
                )
        return parts

    @property
    def _types(self) -> Mapping[str, Any]:
        if self.into is None:
            return self.types
        try:
            hints = get_type_hints(self.into, include_extras=True)
        except (TypeError, NameError):
            hints = {}
        return {**hints, **self.types}

    @property
    def holes(self) -> list[Hole]:
        """The holes in order."""
        return [part for part in self.parts if isinstance(part, Hole)]

    @cached_property
    def names(self) -> dict[str, Hole]:
        """The first hole of each name."""
        found: dict[str, Hole] = {}
        for hole in self.holes:
            found.setdefault(hole.name, hole)
        return found

    @cached_property
    def _choices(self) -> dict[str, tuple[str, ...]]:
        """The texts of each hole that stands there several times. Raises InvalidSource if they are too many."""
        found: dict[str, tuple[str, ...]] = {}
        for hole in self.holes:
            if sum(one.name == hole.name for one in self.holes) == 1 or hole.name in found:
                continue
            again = [one for one in self.holes if one.name == hole.name][1]
            try:
                found[hole.name] = texts_of(hole.language, MOST_VALUES)
            except Endless:
                again.written.refuse(
                    f"stands there a second time, and may hold more than {MOST_VALUES:,} texts, too many to compare",
                    "give it another name, or a type with fewer texts, such as (?:Ms|Mr)",
                )
        return found

    def lower(self) -> Grammar:
        """The filled texts, as a grammar."""
        return self.grammar

    @cached_property
    def grammar(self) -> Grammar:
        """The filled texts, in which a rule for each hole stands for what fills it."""
        rules: dict[str, Expr] = {}
        for k, hole in enumerate(self.holes):
            if hole.name not in self._choices:
                start, more = embedded(hole.language, f"hole {k}: ")
                rules |= {rule_of(k): start, **more}
        return Grammar(_Expansion(self, rules).expr(), rules)

    def pieces(self, text: str) -> dict[int, Piece]:
        """Where each hole, by number, stands in a filled text. Raises Rejected if the text is none."""
        found = pieces_of(self.grammar, text, {rule: hole_of(rule) for rule in self.grammar.rules})
        if found is None:
            raise Rejected(f"this is no filled template: {text}", text=text)
        return {number: Piece(start, end) for number, start, end in found if number is not None}

    def parse(self, text: str) -> Any:
        """The values of the holes: a Filled, or the class that was given. Raises Rejected."""
        pieces = self.pieces(text)
        values: dict[str, Any] = {}
        for k, hole in enumerate(self.holes):
            values.setdefault(hole.name, hole.read(text[pieces[k].start : pieces[k].end]))
        return self.made(values, text)

    def made(self, values: Mapping[str, Any], text: str) -> Any:
        """The values as a Filled, or as the class that was given. Raises Rejected if that refuses them."""
        if self.into is None or self.into is dict:
            return Filled(values, text)
        try:
            return TypeSource(self.into).adapter.validate_python(dict(values))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = "/".join(map(str, first["loc"])) or "the value"
            raise Rejected(
                f"{getattr(self.into, '__name__', self.into)} refuses the values: {where}: {first['msg']}",
                text=text,
            ) from error

    def filled(self, texts: Mapping[str, str]) -> str:
        """The template with these texts in its holes."""
        return "".join(part if isinstance(part, str) else texts[part.name] for part in self.parts)

    @property
    def schema(self) -> dict[str, Any]:
        """A JSON Schema that tells a model what is asked for; its description is the template."""
        return {
            "type": "object",
            "description": f"The texts that fill the holes of this template: {self.text}",
            "properties": {name: hole.schema for name, hole in self.names.items()},
            "required": [*self.names],
            "additionalProperties": False,
        }

    def outline(self) -> Outline:
        """The outline of the values."""
        return Outline.of_fields(Field(name, hole.outline) for name, hole in self.names.items())


def _alike(parts: list[str | Hole]) -> list[str | Hole]:
    """The parts with one type for all holes of one name; the first that has one says which."""
    said: dict[str, Hole] = {}
    for hole in (part for part in parts if isinstance(part, Hole)):
        known = said.setdefault(hole.name, hole)
        if known.free and not hole.free:
            said[hole.name] = hole
        elif not hole.free and (known.asked, known.type_) != (hole.asked, hole.type_):
            hole.written.refuse("stands there with another type before", "give one name one type")
    return [
        Hole(
            WrittenHole(part.name, said[part.name].asked, part.written.at), said[part.name].type_, part.after
        )
        if isinstance(part, Hole)
        else part
        for part in parts
    ]


def rule_of(hole: int, value: int | None = None) -> str:
    """The rule of a hole; value: the number of its text, for one that stands there several times."""
    return f"hole {hole}" if value is None else f"hole {hole} = {value}"


def hole_of(rule: str) -> int | None:
    """The number of the hole that a rule is of; None for any other rule."""
    words = rule.split(" ")
    return int(words[1]) if words[1].isdecimal() else None


class _Expansion:
    """The expression of a template, from its end on: a hole that comes again leads to one copy of the rest per text."""

    def __init__(self, template: Template[Any], rules: dict[str, Expr]) -> None:
        self._parts, self._rules, self._choices = template.parts, rules, template._choices
        self._known: dict[tuple[int, tuple[tuple[str, int], ...]], Expr] = {}
        self._last = {part.name: k for k, part in enumerate(self._parts) if isinstance(part, Hole)}

    def expr(self) -> Expr:
        """The whole template."""
        return self._from(0, 0, ())

    def _from(self, at: int, hole: int, values: tuple[tuple[str, int], ...]) -> Expr:
        """The parts from `at` on, where the next hole has a number; values: of the holes that come again."""
        key = (at, values)
        if key not in self._known:
            if len(self._known) > MOST_COMBINED:
                raise Unsupported(
                    f"the holes that stand there several times have more than {MOST_COMBINED:,} combinations of texts",
                    remedy="give them other names, or types with fewer texts",
                )
            self._known[key] = self._built(at, hole, values)
        return self._known[key]

    def _built(self, at: int, hole: int, values: tuple[tuple[str, int], ...]) -> Expr:
        if at == len(self._parts):
            return literal("")
        part = self._parts[at]
        if isinstance(part, str):
            return seq(literal(part), self._from(at + 1, hole, values))
        if part.name not in self._choices:
            return seq(ref(rule_of(hole)), self._from(at + 1, hole + 1, values))
        given = dict(values)
        options: list[Expr] = []
        for number, text in enumerate(self._choices[part.name]):
            if given.get(part.name, number) != number:
                continue
            self._rules[rule_of(hole, number)] = literal(text)
            onward = {**given, part.name: number} if self._last[part.name] > at else {**given}
            if self._last[part.name] == at:
                onward.pop(part.name, None)
            rest = self._from(at + 1, hole + 1, tuple(sorted(onward.items())))
            options.append(seq(ref(rule_of(hole, number)), rest))
        return alt(*options)
