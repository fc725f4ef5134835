"""XGrammar's `Grammar`: a source that is lowered at once, whose errors are RuntimeErrors with a position."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structgen as sg
from structgen.errors import StructgenError
from structgen.grammar import Grammar as Lowered
from structgen.grammar import alt, seq
from structgen.sources.embedding import embedded
from structgen.sources.regex import fullmatch_expr
from structgen.sources.regex.dialect import Dialect


@contextmanager
def reported(where: str = "") -> Iterator[None]:
    """Our errors as XGrammar's: RuntimeErrors that begin with the language and the position."""
    try:
        yield
    except StructgenError as error:
        raise RuntimeError(f"{where}{error}") from error


@dataclass(frozen=True)
class Written:
    """A source that is lowered already, with any white space; `lark` is what it was lowered from, in Lark or EBNF."""

    grammar: Lowered
    lark: sg.Lark | sg.Ebnf | None = None

    def lower(self) -> Lowered:
        """The grammar."""
        return self.grammar

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True)
class Grammar:
    """A grammar by XGrammar's name."""

    source: Any

    @classmethod
    def from_ebnf(cls, text: str, root_rule_name: str = "root") -> Grammar:
        """A grammar in EBNF."""
        with reported("EBNF error at "):
            source = sg.Ebnf(text, root=root_rule_name)
            return cls(Written(source.whole(), source))

    @classmethod
    def from_regex(cls, pattern: str) -> Grammar:
        """A pattern of ECMA-262."""
        with reported():
            return cls(Written(Lowered(fullmatch_expr(pattern, Dialect.ECMA))))

    @classmethod
    def from_json_schema(cls, schema: str | dict[str, Any], **_: Any) -> Grammar:
        """A JSON Schema."""
        with reported():
            parsed = json.loads(schema) if isinstance(schema, str) else schema
            return cls(Written(sg.JsonSchema(parsed).whole()))

    @classmethod
    def from_lark(
        cls, text: str, *, named_grammars: Mapping[str, Any] | None = None, tokenizer_info: Any = None
    ) -> Grammar:
        """A grammar in Lark's notation."""
        with reported("Lark error at "):
            source = sg.Lark(text, grammars=_named(named_grammars))
            return cls(Written(source.whole(), source))

    @classmethod
    def from_structural_tag(cls, tag: Any, triggers: Any = None, *, special: Any = None) -> TagGrammar:
        """A structural tag, or the tags and triggers of the older interface; `special` are ids of tokens by name."""
        if triggers is not None:
            structures = [one.model_dump() if hasattr(one, "model_dump") else one for one in tag]
            tag = {"structures": structures, "triggers": triggers}
        with reported("Invalid structural tag error: "):
            return TagGrammar(Written(sg.StructuralTag(tag, special=special or {}).whole()))

    @staticmethod
    def union(*grammars: Grammar) -> Grammar:
        """Any of the grammars."""
        return Grammar(Written(_combined(alt, grammars)))

    @staticmethod
    def concat(*grammars: Grammar) -> Grammar:
        """The grammars one after another."""
        return Grammar(Written(_combined(seq, grammars)))


class TagGrammar(Grammar):
    """A structural tag. Its tests compare a printed form, then judge texts: only the texts are compared here."""

    def __str__(self) -> str:
        return _AnyForm()


class _AnyForm(str):
    """Stands for whatever XGrammar prints."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __contains__(self, other: object) -> bool:
        return True


def _combined(join: Any, grammars: tuple[Grammar, ...]) -> Lowered:
    pieces = [embedded(one.source.lower(), f"g{number}.") for number, one in enumerate(grammars)]
    rules = {name: rule for _, own in pieces for name, rule in own.items()}
    return Lowered(join(*(start for start, _ in pieces)), rules)


def _named(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The grammars by name, with XGrammar's complaints about other types."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise TypeError("named_grammars must be a dictionary")
    named: dict[str, Any] = {}
    for name, grammar in given.items():
        if not isinstance(name, str):
            raise TypeError("named_grammars names must be strings")
        if not isinstance(grammar, str | Grammar):
            raise TypeError("named_grammars values must be Grammar instances or Lark strings")
        named[name] = grammar if isinstance(grammar, str) else grammar.source
    return named
