"""Types as sources: pydantic classes, dataclasses, TypedDicts, enums and everything else pydantic understands."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import GenericAlias, UnionType
from typing import (
    Any,
    Generic,
    NotRequired,
    Required,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from typing_extensions import TypedDict

from structgen.errors import InvalidSource, Rejected, Unsupported
from structgen.grammar import Combines, Grammar

from ..canonical import canonical
from ..json_schema import Additional, Rules, Terms, checked, lower, outline_of, refusals, relaxations
from ..json_schema.style import Style
from ..json_schema.syntax import JSON_SYNTAX, Syntax
from ..outline import Outline
from .foreign import translated
from .formats import PYDANTIC
from .notes import settled
from .schema import ModelSchema

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class TypeSource(Combines, Generic[T]):
    """The JSON texts that pydantic reads into `type_`; `parse` returns the validated object.

    The options are JsonSchema's. Validators in Python code cannot be compiled: `relaxations` lists them, and `parse`,
    which runs them, may raise Rejected.
    """

    type_: type[T] | Any
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        _ = self.schema

    @cached_property
    def adapter(self) -> TypeAdapter[T]:
        """Pydantic's reader of the type."""
        try:
            return TypeAdapter(_modern(translated(self.type_)))
        except (
            PydanticUserError,
            PydanticSchemaGenerationError,
            NameError,
        ) as error:  # NameError: an unknown annotation
            raise InvalidSource(f"pydantic cannot read {_shown(self.type_)}: {_first_line(error)}") from error

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the type, by aliases, as for validation."""
        return self._settled[0]

    @cached_property
    def _settled(self) -> tuple[dict[str, Any], list[Unsupported]]:
        """The schema, and the checks of the type that the schema does not express."""
        return settled(self._generated())

    def _generated(self) -> dict[str, Any]:
        try:
            return self.adapter.json_schema(mode="validation", by_alias=True, schema_generator=ModelSchema)
        except PydanticInvalidForJsonSchema as error:
            raise InvalidSource(f"{_shown(self.type_)} has no JSON schema: {_first_line(error)}") from error
        except PydanticUserError as error:
            raise InvalidSource(
                f"pydantic cannot describe {_shown(self.type_)}: {_first_line(error)}"
            ) from error

    def lower(self) -> Grammar:
        """The valid texts, as a grammar. Raises Unsupported with the pointer of the cause."""
        return self.spelled(JSON_SYNTAX)

    def whole(self) -> Grammar:
        """The valid texts with any amount of white space between tokens."""
        style, additional, rules = self._read
        return lower(self.schema, style.for_reading(), additional, rules)

    def spelled(self, spelling: Syntax) -> Grammar:
        """The valid texts in another syntax than JSON's."""
        style, additional, rules = self._read
        return lower(self.schema, replace(style, spelling=spelling), additional, rules)

    def __repr__(self) -> str:
        return f"TypeSource({getattr(self.type_, '__name__', self.type_)})"

    def outline(self) -> Outline:
        """The outline of the values, for prompts and slots."""
        return outline_of(self.schema, self.terms.rules(PYDANTIC))

    def canonical(self, text: str) -> str | None:
        """The JSON text with its strings and numbers spelled as they are generated; None if the text is malformed."""
        return canonical(text)

    def reading(self) -> Grammar:
        """The valid texts in canonical spelling, with numbers to the last digit; times may have small t and z."""
        style, additional, rules = self._read
        return lower(self.schema, style, additional, rules.for_reading())

    def refusals(self) -> list[Unsupported]:
        """Everything in the type's schema that cannot be enforced; empty if the schema can be lowered."""
        return refusals(self.schema, *self._read)

    def relaxations(self) -> list[Unsupported]:
        """The checks that are not enforced: Python validators, each of which may reject an output, and harmless checks.

        Repeated elements of a set are harmless, because pydantic merges them.
        """
        return self._settled[1] + relaxations(self.schema, *self._read)

    @property
    def _read(self) -> tuple[Style, Additional, Rules]:
        return self.terms.style, self.terms.additional, self.terms.rules(PYDANTIC)

    def checked(self) -> list[str]:
        """The pointers of the keywords that no automaton can decide, checked while generating: uniqueItems."""
        return checked(self.schema, *self._read)

    def parse(self, text: str) -> T:
        """The validated object that the text stands for. Raises Rejected if pydantic or a validator rejects it."""
        try:
            return self.adapter.validate_json(text)
        except ValidationError as error:
            raise Rejected(_reason(error, text), text=text) from error
        except Exception as error:  # raised by a validator
            shown = f"{type(error).__name__}: {_first_line(error)}"
            raise Rejected(
                f"a validator of {_shown(self.type_)} raises {shown}; the output was {text}", text=text
            ) from error


def _modern(type_: Any, above: tuple[Any, ...] = ()) -> Any:
    """The type with each TypedDict of typing replaced by typing_extensions': pydantic needs it before Python 3.12.

    TypedDicts inside other classes stay as they are, and pydantic says what to import. above: the enclosing TypedDicts
    """
    if sys.version_info >= (3, 12):
        return type_
    if is_typeddict(type_):
        return _modern_typed_dict(type_, above)
    origin, arguments = get_origin(type_), get_args(type_)
    if origin in (Union, UnionType):
        return Union[tuple(_modern(argument, above) for argument in arguments)]  # noqa: UP007
    if isinstance(type_, GenericAlias):
        return origin[tuple(_modern(argument, above) for argument in arguments)]  # pyright: ignore
    return type_


def _modern_typed_dict(type_: Any, above: tuple[Any, ...]) -> Any:
    if type_ in above:
        raise Unsupported(
            f"the TypedDict {type_.__name__} is recursive, which is not supported",
            remedy="unfold it to the depth you need",
        )
    fields = {
        key: (Required if key in type_.__required_keys__ else NotRequired)[
            _modern(_bare(hint), (*above, type_))
        ]
        for key, hint in get_type_hints(type_, include_extras=True).items()
    }
    modern = TypedDict(type_.__name__, fields)  # pyright: ignore
    if hasattr(type_, "__pydantic_config__"):
        modern.__pydantic_config__ = type_.__pydantic_config__  # pyright: ignore
    return modern


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


_RAISED = ("value_error", "assertion_error")  # pydantic's error types for what Python validators raise


def _reason(error: ValidationError, text: str) -> str:
    first = error.errors(include_url=False)[0]
    where = "/".join(map(str, first["loc"])) or "the value"
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        return f"this is no JSON text of {error.title}: {said}; the output was {text}"
    who = f"a validator of {error.title}" if first["type"] in _RAISED else error.title
    return f"{who} refuses the output: {where}: {said}; the output was {text}"


def _shown(type_: Any) -> str:
    return type_.__name__ if isinstance(type_, type) else repr(type_)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
