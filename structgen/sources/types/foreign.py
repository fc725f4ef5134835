"""Classes of attrs and msgspec, as types that pydantic reads.

A class becomes a TypedDict of its constructor's arguments, and a function that calls the constructor. Each library is
imported only if a class of it occurs. Classes may contain themselves, so each gets a name before its fields are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import GenericAlias, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, Base64Bytes, WithJsonSchema
from pydantic import Field as Constraint
from typing_extensions import TypeAliasType, TypedDict

from structgen.errors import InvalidSource, Unsupported

_CONSTRAINTS = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "pattern",
    "min_length",
    "max_length",
)  # msgspec's and pydantic's


@dataclass(frozen=True)
class _Field:
    """A field: its key in JSON, its argument of the constructor, its type, whether it is required."""

    key: str
    argument: str | None
    type_: Any
    required: bool


@dataclass(frozen=True)
class _Class:
    """A class: its fields, and whether its constructor runs code that may reject them."""

    fields: tuple[_Field, ...]
    checks: bool
    instead: Mapping[Any, Any] = field(
        default_factory=dict
    )  # types that its library reads differently from pydantic


def is_foreign(type_: Any) -> bool:
    """Whether this is a class of attrs or msgspec."""
    return isinstance(type_, type) and (
        hasattr(type_, "__attrs_attrs__") or hasattr(type_, "__struct_fields__")
    )


def translated(type_: Any) -> Any:
    """The type with a stand-in for each class of attrs and msgspec, at any depth."""
    return _Translation().of(type_, {})


@dataclass
class _Translation:
    """The translation of one type, with the classes met so far."""

    known: dict[Any, Any] = field(default_factory=dict)

    def of(self, type_: Any, instead: Mapping[Any, Any]) -> Any:
        """The type in pydantic's terms, with replacements for the types that its library reads differently."""
        if is_foreign(type_):
            return self.known[type_] if type_ in self.known else self._stand_in(type_)
        origin, arguments = get_origin(type_), get_args(type_)
        if origin is Annotated:
            return Annotated[(self.of(arguments[0], instead), *map(_constraint, arguments[1:]))]
        if not arguments or origin is Literal:
            return instead.get(type_, type_) if isinstance(type_, type) else type_
        arguments = tuple(argument for argument in arguments if not _is_unset(argument))
        inside = tuple(self.of(part, instead) if _is_type(part) else part for part in arguments)
        if inside == get_args(type_):
            return type_
        if origin in (Union, UnionType):
            return Union[inside]  # noqa: UP007
        return origin[inside] if isinstance(type_, GenericAlias) else type_.copy_with(inside)

    def _stand_in(self, cls: Any) -> Any:
        read = _of_msgspec(cls) if hasattr(cls, "__struct_fields__") else _of_attrs(cls)
        keys = {part.key: (Required if part.required else NotRequired)[Any] for part in read.fields}
        made: Any = TypedDict(cls.__name__, keys)  # pyright: ignore
        alias: Any = TypeAliasType
        self.known[cls] = alias(cls.__name__, Annotated[made, AfterValidator(_maker(cls, read))])
        made.__annotations__ = {part.key: self.of(part.type_, read.instead) for part in read.fields}
        return self.known[cls]


def _is_type(argument: Any) -> bool:
    return not isinstance(argument, list | str) and argument is not ...


def _is_unset(argument: Any) -> bool:
    """Whether a type is msgspec's UNSET type, which marks optional fields."""
    return getattr(argument, "__name__", "") == "UnsetType" and argument.__module__ == "msgspec"


def _maker(cls: Any, read: _Class) -> Callable[[Mapping[str, Any]], Any]:
    """The function that makes an instance from the values in JSON."""
    names = {part.key: part.argument for part in read.fields}

    def plainly(values: Mapping[str, Any]) -> Any:
        return cls(**{name: values[key] for key, name in names.items() if key in values and name})

    def constructor(values: Mapping[str, Any]) -> Any:
        return plainly(values)

    constructor.__qualname__ = f"{cls.__name__}.__init__"
    return constructor if read.checks else plainly


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidSource(f"the types of {cls.__name__} cannot be read: {error}") from error


def _of_attrs(cls: Any) -> _Class:
    import attr

    hints, given = _hints(cls), [part for part in attr.fields(cls) if part.init]
    fields = tuple(
        _Field(part.alias, part.alias, hints.get(part.name, Any), part.default is attr.NOTHING)
        for part in given
    )
    checks = hasattr(cls, "__attrs_post_init__") or any(part.validator or part.converter for part in given)
    return _Class(fields, checks)


def _of_msgspec(cls: Any) -> _Class:
    import msgspec

    config = cls.__struct_config__
    if config.array_like:
        raise Unsupported(
            f"{cls.__name__} is written as an array", keyword="array_like", remedy="drop array_like=True"
        )
    hints = _hints(cls)
    fields = [] if config.tag is None else [_Field(config.tag_field, None, Literal[config.tag], True)]
    names, keys = cls.__struct_fields__, cls.__struct_encode_fields__
    plain = len(names) - len(cls.__struct_defaults__)
    defaults = (msgspec.NODEFAULT,) * plain + cls.__struct_defaults__  # it lists those of the last fields
    for name, key, default in zip(names, keys, defaults, strict=True):
        fields.append(_Field(key, name, hints[name], default is msgspec.NODEFAULT))
    return _Class(tuple(fields), hasattr(cls, "__post_init__"), _MSGSPEC)


# msgspec reads bytes as base64, and durations without weeks.
_MSGSPEC = {
    bytes: Base64Bytes,
    timedelta: Annotated[
        timedelta, WithJsonSchema({"type": "string", "format": "duration", "pattern": "^[^W]*$"})
    ],
}


def _constraint(annotation: Any) -> Any:
    """An annotation, with msgspec's constraints translated into pydantic's."""
    if type(annotation).__module__ != "msgspec" or type(annotation).__name__ != "Meta":
        return annotation
    names = [name for name in _CONSTRAINTS if getattr(annotation, name) is not None]
    return Constraint(**{name: getattr(annotation, name) for name in names})
