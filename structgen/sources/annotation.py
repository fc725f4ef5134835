"""Sources as annotations: strings of a class that a grammar describes.

class Payment(BaseModel):
    iban: Annotated[str, sg.library["iban"]]
    code: Annotated[str, sg.Lark('start: "A" /[0-9]{4}/')] | None

Pydantic checks such a string, too. The language has to be of characters: a grammar that calls itself, and one that
speaks of tokens, are refused where the class is defined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from structgen.errors import Unsupported
from structgen.grammar import Bytes, Combines, Expr, Grammar, Ref
from structgen.grammar.annotates import Annotates

from .embedding import flat, replaced
from .languages import contains, intersect

LANGUAGE = "x-language"
MOST_SAID = 200  # characters of the keyword's value


class Language(str):
    """The value of the keyword x-language: what the source says of itself, with the strings that it describes."""

    strings: Expr

    def __new__(cls, says: str, strings: Expr) -> Language:
        """The value for these strings."""
        made = super().__new__(cls, says)
        made.strings = strings
        return made

    def __deepcopy__(self, memo: Any) -> Language:
        """Itself: expressions are interned."""
        return self


@dataclass(frozen=True)
class Described:
    """A source in an annotation of a string, as pydantic asks about it."""

    source: Combines

    @cached_property
    def strings(self) -> Expr:
        """The texts as an expression about characters. Raises Unsupported if there is none."""
        source = self.source
        return characters(Grammar(source) if isinstance(source, Expr) else source.lower())

    def core_schema(
        self, kind: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """A string that is checked as it is written, before pydantic strips it or changes its case."""
        if not (isinstance(kind, type) and issubclass(kind, str)):
            raise Unsupported(
                f"a grammar describes the text of a string, and this annotation is of {kind!r:.60}",
                keyword="Annotated",
                remedy="write Annotated[str, …], and Annotated[str, …] | None if there may be none",
            )
        _ = self.strings
        return core_schema.no_info_before_validator_function(self.is_described, handler(kind))

    def json_schema(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """The schema of the string, with the keyword."""
        known = handler(schema)
        strings = intersect(known[LANGUAGE].strings, self.strings) if LANGUAGE in known else self.strings
        return {**known, LANGUAGE: Language(repr(self.source)[:MOST_SAID], strings)}

    def is_described(self, text: Any) -> Any:
        """The value as it is; pydantic reports an error if it is a string that the grammar does not describe."""
        if isinstance(text, str) and not contains(self.strings, text):
            raise PydanticCustomError("grammar", "the grammar does not describe this text")
        return text


Annotates.described = Described


def characters(grammar: Grammar) -> Expr:
    """The texts of a grammar as one expression about characters, for a string of a JSON text."""
    whole = flat(grammar)
    done, waiting = dict[str, Expr](), list[str]()

    def inside(one: Expr) -> Expr | None:
        if not isinstance(one, Ref):
            return None
        if one.name in waiting:
            raise _refused(f"a grammar that calls itself, by its rule {one.name!r},", "bound its nesting")
        if one.name not in done:
            waiting.append(one.name)
            done[one.name] = replaced(whole.rules[one.name], inside)
            waiting.pop()
        return done[one.name]

    try:
        found = replaced(whole.start, inside)
        plain = found.facts.textual and _decodable(found)
    except RecursionError:
        raise _refused("a grammar whose rules are nested too deeply", "flatten it") from None
    if not plain or grammar.check is not None or grammar.markup:
        raise _refused("a grammar that speaks of tokens or bytes", "describe characters")
    return found


def _decodable(expr: Expr) -> bool:
    """Whether all bytes of an expression are whole characters."""
    seen, waiting = set[Expr](), [expr]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Bytes):
            try:
                one.value.decode()
            except UnicodeDecodeError:
                return False
        waiting += [part for part in one.children if part not in seen]
        seen.update(one.children)
    return True


def _refused(what: str, instead: str) -> Unsupported:
    return Unsupported(
        f"{what} cannot describe a string of a JSON text",
        keyword="Annotated",
        remedy=f"{instead}, or generate the text on its own",
    )
