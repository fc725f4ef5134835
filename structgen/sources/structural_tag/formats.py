"""The formats of structural tags: what each describes, as an expression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from structgen.errors import InvalidSource, StructgenError
from structgen.grammar import (
    ANY_CHAR,
    EMPTY,
    Expr,
    alt,
    as_expr,
    both,
    budget,
    literal,
    nested,
    optional,
    repeat,
    seq,
    star,
    token,
    token_set,
)

from ..ebnf import Ebnf
from ..json_schema import JsonSchema, Terms
from ..regex import Regex
from .fields import FormatPlace
from .free_text import dispatch, free

DEEPEST = 100  # formats in one another
MOST = 100_000  # tokens or characters of a region
NAMED = "the ids of named tokens are needed here: give ids, or pass special=vocabulary.special"


@dataclass(frozen=True)
class Around:
    """The ends of the tag around a format, at which its free text stops. depth: of formats around it"""

    ends: tuple[str, ...] = ()
    tokens: tuple[Any, ...] = ()
    depth: int = 0


@dataclass(frozen=True)
class FormatReader:
    """From formats to expressions. whole: whether any amount of white space may stand in JSON"""

    terms: Terms
    special: Mapping[str, int]
    whole: bool = False

    def read(self, value: Any, pointer: str, around: Around) -> Expr:
        """The texts of a format."""
        if not isinstance(value, Mapping):
            raise InvalidSource(f"a format is an object, not {type(value).__name__}", pointer=pointer)
        place = FormatPlace(value, pointer)
        if around.depth > DEEPEST:
            raise place.wrong(f"formats are nested deeper than {DEEPEST}; write the inner ones as a grammar")
        kind = value.get("type", "tag" if "begin" in value else None)
        if not isinstance(kind, str) or kind not in FORMATS:
            raise place.wrong(f"{kind!r:.40} is no type of a format; there are {', '.join(FORMATS)}", "type")
        return FORMATS[kind](self, place, replace(around, depth=around.depth + 1))

    def inner(self, place: FormatPlace, name: str, around: Around) -> Expr:
        """The texts of the format in a field."""
        if name not in place.value:
            raise place.wrong(f"{place.value.get('type', 'tag')} has a field {name}, which is missing")
        return self.read(place.value[name], f"{place.pointer}/{name}", around)

    def source(self, place: FormatPlace, name: str, make: Callable[[], Any]) -> Expr:
        """The texts of a source; its errors are about the field `name`."""
        try:
            made = make()
            return as_expr(made) if self.whole else nested(made.lower())
        except StructgenError as error:
            raise place.wrong(str(error), name) from error

    def json_schema(self, place: FormatPlace, around: Around) -> Expr:
        """A JSON Schema, in JSON."""
        value = place.value
        if value.get("style", "json") != "json":
            raise place.unsupported(
                f"arguments in the style {value['style']!r:.40} are not supported",
                "use sg.Tools for a model's own form",
                "style",
            )
        if place.strings("excludes"):
            raise place.unsupported("excludes is not supported", "exclude strings by a pattern", "excludes")
        if not isinstance(value.get("json_schema"), Mapping | bool):
            raise place.wrong("json_schema must be an object or a boolean", "json_schema")
        spaces = place.count("max_whitespace_cnt")
        if spaces not in (None, 0):
            what, instead = "white space is not counted", "leave it out, or write 0 for none"
            raise place.unsupported(what, instead, "max_whitespace_cnt")
        terms = replace(self.terms, whitespace="compact") if spaces == 0 else self.terms
        terms = replace(terms, order="any") if place.flag("any_order") else terms
        return self.source(place, "json_schema", lambda: JsonSchema.under(value["json_schema"], terms))

    def any_text(self, place: FormatPlace, around: Around) -> Expr:
        """Text without the ends of the tag around it."""
        body = free(place.strings("excludes"), around.ends)
        chars, tokens = (self._limit(place, name) for name in ("max_chars", "max_tokens"))
        if 0 in (chars, tokens):
            return EMPTY
        body = body if chars is None else both(repeat(ANY_CHAR, 0, chars), body)
        return body if tokens is None else budget(body, tokens)

    def _limit(self, place: FormatPlace, name: str) -> int | None:
        value = place.count(name)
        if value is not None and value < 0:
            raise place.wrong(f"{name} must not be negative", name)
        return None if value is None or value > MOST else value

    def tag(self, place: FormatPlace, around: Around) -> Expr:
        """Begin, content, end."""
        return seq(self._begin(place), self.rest_of(place, around))

    def _begin(self, place: FormatPlace) -> Expr:
        begin = place.value.get("begin")
        if isinstance(begin, Mapping):
            return self.one_token(FormatPlace(begin, f"{place.pointer}/begin"), Around())
        return literal(place.text("begin"))

    def rest_of(self, place: FormatPlace, around: Around) -> Expr:
        """The content and the end of a tag."""
        end = place.value.get("end")
        if isinstance(end, Mapping):
            inside = replace(around, ends=(), tokens=(end.get("token"),))
            closing = self.one_token(FormatPlace(end, f"{place.pointer}/end"), around)
            return seq(self.inner(place, "content", inside), closing)
        if not isinstance(end, str):
            end = place.listed("end", (str,), least=1)
        ends = (end,) if isinstance(end, str) else tuple(end)
        place.check_whole("".join(ends), "end")
        content = place.value.get("content")
        if "" in ends and _is_unlimited(content):
            raise place.wrong("free text needs an end that is not empty, or excludes", "end")
        inside = replace(around, ends=tuple(filter(None, ends)), tokens=())
        return seq(self.inner(place, "content", inside), alt(*map(literal, ends)))

    def tags(self, place: FormatPlace) -> list[FormatPlace]:
        """The tags in a field."""
        listed = place.listed("tags", (Mapping,), least=1)
        return [FormatPlace(one, f"{place.pointer}/tags/{number}") for number, one in enumerate(listed)]

    def triggered_tags(self, place: FormatPlace, around: Around) -> Expr:
        """Free text in which a trigger begins a tag."""
        triggers, excludes = place.strings("triggers", least=1), place.strings("excludes")
        rules: dict[str, list[Expr]] = {trigger: [] for trigger in triggers}
        firsts: list[Expr] = []
        for tag in self.tags(place):
            if isinstance(tag.value.get("begin"), Mapping):
                raise tag.wrong("begins with a token; use token_triggered_tags", "begin")
            begin, rest = tag.text("begin"), self.rest_of(tag, around)
            owners = [trigger for trigger in triggers if begin.startswith(trigger)]
            if len(owners) != 1:
                count = "several triggers" if owners else "no trigger"
                raise tag.wrong(
                    f"{count} of {triggers!r:.60} stand at the beginning of {begin!r:.40}", "begin"
                )
            rules[owners[0]].append(seq(begin[len(owners[0]) :], rest))
            firsts.append(seq(begin, rest))
        bodies = {trigger: alt(*parts) for trigger, parts in rules.items()}
        return _dispatched(
            dispatch(bodies, [*excludes, *around.ends]),
            free(triggers, excludes, around.ends),
            alt(*firsts),
            place,
        )

    def tags_with_separator(self, place: FormatPlace, around: Around) -> Expr:
        """Tags with a separator between them, and nothing else."""
        tag = alt(*(self.tag(one, around) for one in self.tags(place)))
        separator = place.text("separator")
        more = EMPTY if place.flag("stop_after_first") else star(seq(separator, tag))
        found = seq(tag, more)
        return found if place.flag("at_least_one") else optional(found)

    def dispatch(self, place: FormatPlace, around: Around) -> Expr:
        """Free text in which each pattern is followed by its format."""
        rules = self._rules(place, str, around)
        excludes = [*place.strings("excludes"), *around.ends]
        once = dispatch(rules, excludes)
        rest = free(rules, excludes)
        return seq(star(once), rest) if place.flag("loop", True) else alt(once, rest)

    def _rules(self, place: FormatPlace, kind: type, around: Around) -> dict[Any, Expr]:
        found: dict[Any, Expr] = {}
        for number, rule in enumerate(place.listed("rules", (list, tuple), least=1)):
            pointer = f"{place.pointer}/rules/{number}"
            if len(rule) != 2 or (kind is str and not (isinstance(rule[0], str) and rule[0])):
                raise InvalidSource("a rule is [pattern, format]", pointer=pointer)
            if kind is str:
                place.check_whole(rule[0], f"rules/{number}/0")
            found[rule[0]] = self.read(rule[1], f"{pointer}/1", around)
        return found

    def one_token(self, place: FormatPlace, around: Around) -> Expr:
        """One token of the vocabulary."""
        value = place.value.get("token")
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise place.wrong(f"token must be an id or a name, not {value!r:.40}", "token")
        place.check_whole(str(value), "token")
        return token(value) if isinstance(value, str) else token_set([(value, value)])

    def exclude_token(self, place: FormatPlace, around: Around) -> Expr:
        """One token that is none of some."""
        return self.tokens_but(place, place.listed("exclude_tokens", (int, str)), around.tokens)

    def any_tokens(self, place: FormatPlace, around: Around) -> Expr:
        """Any tokens but some."""
        limit = self._limit(place, "max_tokens")
        return repeat(self.exclude_token(place, around), 0, limit)

    def tokens_but(self, place: FormatPlace, *excluded: Iterable[Any]) -> Expr:
        """One token that is none of these."""
        ids = {self.id_of(place, one) for group in excluded for one in group}
        return token_set([(one, one) for one in sorted(ids)], negated=True)

    def id_of(self, place: FormatPlace, one: Any) -> int:
        """The id of a token that is given by id or by name."""
        if isinstance(one, str) and one not in self.special:
            if self.special:
                raise place.wrong(f"the vocabulary has no special token {one!r:.40}", "exclude_tokens")
            raise place.unsupported(f"the token {one!r:.40} is excluded by its name", NAMED, "exclude_tokens")
        return self.special[one] if isinstance(one, str) else one

    def token_triggered_tags(self, place: FormatPlace, around: Around) -> Expr:
        """Free tokens among which a trigger begins a tag."""
        triggers = place.listed("trigger_tokens", (int, str), least=1)
        tags = self.tags(place)
        for tag in tags:
            if not isinstance(tag.value.get("begin"), Mapping):
                raise tag.wrong("begins with a string; use triggered_tags", "begin")
        firsts = alt(*(self.tag(tag, around) for tag in tags))
        other = self.tokens_but(place, place.listed("exclude_tokens", (int, str)), triggers, around.tokens)
        return _dispatched(seq(star(other), firsts), star(other), firsts, place)

    def token_dispatch(self, place: FormatPlace, around: Around) -> Expr:
        """Free tokens, some of which are followed by a format."""
        rules = self._rules(place, object, around)
        other = self.tokens_but(place, place.listed("exclude_tokens", (int, str)), rules, around.tokens)
        starts = {one: self.one_token(FormatPlace({"token": one}, place.pointer), around) for one in rules}
        once = seq(star(other), alt(*(seq(starts[one], body) for one, body in rules.items())))
        return seq(star(once), star(other)) if place.flag("loop", True) else alt(once, star(other))

    def elements(self, place: FormatPlace, around: Around) -> list[Expr]:
        """The formats in the field `elements`."""
        listed = place.listed("elements", (object,), least=1)
        return [
            self.read(one, f"{place.pointer}/elements/{number}", around) for number, one in enumerate(listed)
        ]

    def repeated(self, place: FormatPlace, around: Around) -> Expr:
        """A format from `min` to `max` times."""
        low, high = place.count("min"), place.count("max")
        if low is None or high is None or low < 0 or (high != -1 and high < max(low, 0)):
            raise place.wrong("min must be 0 or more, and max at least min, or -1 for no limit")
        return repeat(self.inner(place, "content", around), low, None if high == -1 else high)


def _dispatched(once: Expr, rest: Expr, first: Expr, place: FormatPlace) -> Expr:
    """The texts of triggered tags: text with a tag, text without one, a tag alone; by the two flags."""
    one = place.flag("stop_after_first")
    if place.flag("at_least_one"):
        return first if one else seq(first, star(once), rest)
    return alt(once, rest) if one else seq(star(once), rest)


FORMATS: Mapping[str, Callable[[FormatReader, FormatPlace, Around], Expr]] = {
    "const_string": lambda reader, place, around: literal(place.text("value")),
    "json_schema": FormatReader.json_schema,
    "regex": lambda reader, place, _: reader.source(place, "pattern", lambda: Regex(place.text("pattern"))),
    "grammar": lambda reader, place, _: reader.source(place, "grammar", lambda: Ebnf(place.text("grammar"))),
    "any_text": FormatReader.any_text,
    "sequence": lambda reader, place, around: seq(*reader.elements(place, around)),
    "or": lambda reader, place, around: alt(*reader.elements(place, around)),
    "optional": lambda reader, place, around: optional(reader.inner(place, "content", around)),
    "plus": lambda reader, place, around: repeat(reader.inner(place, "content", around), 1),
    "star": lambda reader, place, around: star(reader.inner(place, "content", around)),
    "repeat": FormatReader.repeated,
    "tag": FormatReader.tag,
    "triggered_tags": FormatReader.triggered_tags,
    "tags_with_separator": FormatReader.tags_with_separator,
    "dispatch": FormatReader.dispatch,
    "token": FormatReader.one_token,
    "exclude_token": FormatReader.exclude_token,
    "any_tokens": FormatReader.any_tokens,
    "token_triggered_tags": FormatReader.token_triggered_tags,
    "token_dispatch": FormatReader.token_dispatch,
}
UNLIMITED = ("any_text", "triggered_tags", "tags_with_separator", "dispatch")


def _is_unlimited(content: Any) -> bool:
    """Whether a format is free text, or goes on like it, and says nowhere where it stops."""
    return isinstance(content, Mapping) and content.get("type") in UNLIMITED and not content.get("excludes")
