"""Verbatim copies: texts that are pieces of a document, by construction.

sg.Verbatim(document, align="word")             a source of its own
vendor: sg.Verbatim                             a string of a class that `extract` copies from its document
vendor: Annotated[str, sg.Verbatim(align="word", whitespace="folded")]
{"type": "string", "x-verbatim": true}          the same in a JSON Schema
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from pydantic_core import core_schema

from structgen.documents import Document
from structgen.errors import InvalidOption, InvalidSource
from structgen.grammar import Combines, Expr, Grammar, copied
from structgen.reading.boundaries import ALIGNS, Align
from structgen.reading.copying import Copied, Copying
from structgen.surface import option

from .copies import check_document, pieces_of
from .json_schema.copying import VERBATIM, VERBATIM_TERMS

Fold = Literal["exact", "folded"]


class _Hook:
    """A method that pydantic calls on the class as an annotation, or on an instance among an annotation's metadata."""

    def __init__(self, called: Callable[..., Any]) -> None:
        self._called = called

    def __get__(self, instance: Verbatim | None, owner: type[Verbatim]) -> Callable[..., Any]:
        return lambda *given: self._called(owner() if instance is None else instance, instance, *given)


@dataclass(frozen=True, eq=False)
class Verbatim(Combines):
    """A text that is a piece of a document.

    document: what to copy from; None for a value of a class or schema, which is copied from the document that is bound
    align: where copies begin and end: "char", "word" (the boundaries of UAX 29, grapheme clusters whole), "line"
    min_length, max_length: the number of characters
    whitespace: "exact", or "folded": every run of white space is one space, and words that are divided by a hyphen at
        the end of a line may be joined
    """

    document: str | Document | None = None
    align: Align = "char"
    min_length: int = 1
    max_length: int | None = None
    whitespace: Fold = "exact"

    def __post_init__(self) -> None:
        if self.align not in ALIGNS:
            raise InvalidOption(f"align must be one of {', '.join(ALIGNS)}, not {self.align!r:.60}")
        if self.whitespace not in get_args(Fold):
            raise InvalidOption(f"whitespace must be exact or folded, not {self.whitespace!r:.60}")
        for name, value in (("min_length", self.min_length), ("max_length", self.max_length)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            if not whole and not (name == "max_length" and value is None):
                raise InvalidOption(f"{name} must be a whole number of characters, not {value!r:.60}")
        if self.max_length is not None and self.max_length < self.min_length:
            raise InvalidOption(f"max_length is {self.max_length}, below min_length, {self.min_length}")
        if self.document is not None:
            check_document(self.text)

    @property
    def text(self) -> Any:
        """The text of the document."""
        return self.document.text if isinstance(self.document, Document) else self.document

    @property
    def copying(self) -> Copying:
        """Which pieces of a document may be copied."""
        return Copying(self.align, self.min_length, self.max_length, self.whitespace == "folded")

    @cached_property
    def _copied(self) -> Copied:
        if self.document is None:
            raise no_document()
        return Copied(self.text, self.copying)

    def lower(self) -> Grammar:
        """The pieces of the document; a placeholder for them if there is no document yet."""
        if self.document is None:
            return Grammar(placeholder(self.copying))
        return Grammar(pieces_of(self.text, self.copying))

    def parse(self, text: str) -> str:
        """The text itself."""
        return text

    def places(self, value: str) -> list[tuple[int, int]]:
        """Every place of a value in the document, in code points: its characters start … end − 1."""
        return self._copied.places(value)

    @property
    def terms(self) -> dict[str, Any] | bool:
        """The value of the keyword x-verbatim."""
        given = {
            name: getattr(self, name) for name in VERBATIM_TERMS if getattr(self, name) != DEFAULTS[name]
        }
        return given or True

    @_Hook
    def __get_pydantic_core_schema__(
        self, instance: Verbatim | None, source: Any, handler: Callable[[Any], Any]
    ) -> core_schema.CoreSchema:
        return core_schema.str_schema() if instance is None else handler(source)

    @_Hook
    def __get_pydantic_json_schema__(
        self, instance: Verbatim | None, schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        return {**handler(schema), VERBATIM: self.terms}


DEFAULTS: Mapping[str, Any] = {"align": "char", "min_length": 1, "max_length": None, "whitespace": "exact"}


def no_document() -> InvalidSource:
    """The error that nothing is known to copy from."""
    return InvalidSource(
        f"a verbatim value has no document to copy from: extract copies from its text; to compile, pass "
        f"{option('document', 'text')}"
    )


def placeholder(copying: Copying) -> Expr:
    """The pieces of a document that is not known yet."""
    return copied(copying.align, copying.low, copying.high, folded=copying.folded)
