"""Sources: the forms in which a user can say what to generate.

A source lowers itself to a Grammar and parses outputs back into values. `as_source` turns what people naturally write
(a pydantic class, `list[int]`, a schema dict, a list of options) into a source.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Protocol, TypeVar, get_origin, runtime_checkable

from structgen.errors import InvalidSource
from structgen.grammar import Expr, Grammar

from .choices import Choices
from .combined import Combined
from .ebnf import Ebnf
from .json_schema import Additional, JsonSchema, Order, Terms, Unknown, Whitespace
from .lark import Lark
from .reading import Capture, Capturing, Readable
from .regex import Regex
from .structural_tag import StructuralTag
from .types import TypeSource

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Source(Protocol[T_co]):
    """A source says which texts may be generated and how a text is parsed into a value."""

    def lower(self) -> Grammar:
        """The allowed texts, as a grammar."""
        ...

    def parse(self, text: str) -> T_co:
        """The value that an allowed text stands for."""
        ...


def as_source(spec: Any, terms: Terms | None = None) -> Source[Any]:
    """The Source that `spec` stands for.

    A Source is returned unchanged. A dict, True or False becomes a JsonSchema; a list of strings becomes Choices; a
    pydantic class, dataclass, TypedDict, NamedTuple, Enum, Literal, Optional, list[...] or any other type form becomes
    a TypeSource; an expression or Grammar of `sg.grammar` becomes Combined. `terms` apply to the JSON sources made
    here, never to a Source that is passed in.
    """
    if isinstance(spec, type) and not _has_schema(spec):
        raise InvalidSource(f"{spec.__name__} is a class of sources; pass an instance of it")
    if not isinstance(spec, type) and isinstance(spec, Source):
        return spec
    if isinstance(spec, Expr | Grammar):
        return Combined(spec if isinstance(spec, Grammar) else Grammar(spec))
    terms = terms or Terms()
    if isinstance(spec, dict | bool):
        return JsonSchema.under(spec, terms)
    if isinstance(spec, list | tuple) and all(isinstance(value, str) for value in spec):
        return Choices(spec)
    if _is_type_form(spec):
        return TypeSource(spec, terms)
    raise InvalidSource(
        f"{_shown(spec)} is not something to generate; pass a type, a JSON schema (a dict, True or False), a list of "
        "strings, or a source such as Regex"
    )


def _has_schema(kind: type) -> bool:
    return not issubclass(kind, (Regex, Choices, Combined, Ebnf, JsonSchema, Lark, StructuralTag, TypeSource))


def _is_type_form(spec: Any) -> bool:
    """Whether pydantic may be asked about `spec`: a class, or one of typing's forms."""
    forms = ("typing", "typing_extensions")
    known = isinstance(spec, type | Enum) or get_origin(spec) is not None or type(spec).__module__ in forms
    return spec is None or known


def _shown(spec: Any) -> str:
    text = repr(spec)
    return text if len(text) <= 60 else text[:57] + "..."


__all__ = [
    "Additional",
    "Capture",
    "Capturing",
    "Choices",
    "Combined",
    "Ebnf",
    "JsonSchema",
    "Lark",
    "Order",
    "Readable",
    "Regex",
    "Source",
    "StructuralTag",
    "Terms",
    "TypeSource",
    "Unknown",
    "Whitespace",
    "as_source",
]
