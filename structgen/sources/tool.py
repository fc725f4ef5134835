"""One tool: its name, its description, and its arguments as a source.

A tool is a Python function (its signature defines the arguments), a class or other type form that pydantic reads, or a
dict in the form of OpenAI's API: `{"type": "function", "function": {"name", "description", "parameters"}}`, or its
inner part alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, Required, get_origin, get_type_hints

from typing_extensions import TypedDict

from structgen.errors import InvalidOption, InvalidSource, StructgenError, Unsupported
from structgen.grammar import Grammar

from .json_schema import JsonSchema, Terms
from .types import TypeSource

KEYS = frozenset({"type", "name", "description", "parameters", "strict"})
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool that a model may call.

    arguments: the source of its arguments, an object; given: the function, class or dict that it was made from
    pointer: the place in `given` of the JSON Schema of the parameters
    """

    name: str
    description: str
    arguments: TypeSource[Any] | JsonSchema
    given: Any
    pointer: str = ""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the arguments."""
        return self.arguments.schema  # pyright: ignore[reportReturnType]

    def lower(self) -> Grammar:
        """The texts of the arguments. Errors of the schema's lowering are raised with the name of the tool."""
        try:
            return self.arguments.lower()
        except (InvalidSource, Unsupported) as error:
            raise _named(error, self.name, self.pointer) from error

    def reading(self) -> Grammar:
        """The accepted texts of the arguments, in canonical spelling."""
        return self.arguments.reading()

    def run(self, arguments: Any) -> Any:
        """Call the function. Raises InvalidOption if the tool is not a function."""
        if not _is_function(self.given):
            raise InvalidOption(f"tool {self.name!r} is no function: use the call's arguments instead")
        bound = inspect.signature(self.given).bind_partial()
        bound.arguments.update(arguments)
        bound.apply_defaults()
        return self.given(*bound.args, **bound.kwargs)


def as_tool(given: Any, index: int, terms: Terms) -> Tool:
    """The tool made from `given`, which is element `index` of a list.

    Raises InvalidSource with the name of the tool and the JSON pointer of the cause in it.
    """
    if isinstance(given, Mapping):
        return _of_dict(given, f"tool {index}", terms)
    name = getattr(given, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier() or not callable(given):
        raise InvalidSource(
            f"tool {index} is {given!r:.60}: give a function with a name, a class, or a dict as OpenAI's API has it"
        )
    type_ = _arguments_type(given, name) if _is_function(given) else given
    try:
        arguments = TypeSource(type_, terms)
        tool = Tool(name, _first_paragraph(given), arguments, given)
    except (InvalidSource, Unsupported) as error:
        raise _named(error, name) from error
    _check_object(tool)
    return tool


def _is_function(given: Any) -> bool:
    return callable(given) and not isinstance(given, type) and get_origin(given) is None


def _arguments_type(function: Callable[..., Any], name: str) -> Any:
    """A TypedDict of the function's parameters; those with a default are optional."""
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise InvalidSource(f"tool {name!r}: its signature cannot be read: {error}") from error
    fields = {}
    for parameter in parameters:
        at = f"/properties/{parameter.name}"
        if parameter.kind in VARIADIC:
            raise InvalidSource(
                f"tool {name!r}: {str(parameter).partition(':')[0]} takes any number of arguments; name each of them",
                pointer=at,
            )
        if parameter.name not in hints:
            raise InvalidSource(
                f"tool {name!r}: parameter {parameter.name!r} has no type; annotate it", pointer=at
            )
        needed = Required if parameter.default is parameter.empty else NotRequired
        fields[parameter.name] = needed[hints[parameter.name]]
    type_: Any = TypedDict(name, fields)  # pyright: ignore
    type_.__pydantic_config__ = {"extra": "forbid"}
    return type_


def _of_dict(given: Mapping[str, Any], shown: str, terms: Terms) -> Tool:
    inside, at = given, ""
    if "function" in given:
        inside, at = given["function"], "/function"
    if given.get("type", "function") != "function":
        raise Unsupported(
            f"{shown} is of type {given['type']!r:.40}",
            pointer="/type",
            remedy='only "function" tools can be called',
        )
    if not isinstance(inside, Mapping):
        raise InvalidSource(f"{shown}: a function is an object with a name and parameters", pointer=at)
    name = inside.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidSource(f"{shown} has no name, which must be a string", pointer=f"{at}/name")
    unknown = sorted(map(str, inside.keys() - KEYS))
    if unknown:
        raise InvalidSource(
            f"tool {name!r}: {unknown[0]!r} is no part of a function", pointer=f"{at}/{unknown[0]}"
        )
    parameters = inside.get("parameters")
    schema = parameters or NO_PARAMETERS
    if parameters is not None and not isinstance(parameters, dict):
        raise InvalidSource(
            f"tool {name!r}: the parameters must be a JSON Schema", pointer=f"{at}/parameters"
        )
    if not schema.keys() & {"type", "$ref", "allOf", "anyOf", "oneOf"}:
        schema = {"type": "object", **schema}
    tool = Tool(
        name, str(inside.get("description") or ""), JsonSchema.under(schema, terms), given, f"{at}/parameters"
    )
    _check_object(tool)
    return tool


def _check_object(tool: Tool) -> None:
    """Raise InvalidSource unless the parameters describe an object: arguments have names."""
    kind = tool.schema.get("type")
    if kind is not None and kind != "object":
        raise InvalidSource(
            f"tool {tool.name!r}: the parameters must describe an object, not {kind!r:.40}",
            pointer=f"{tool.pointer}/type",
        )


def _first_paragraph(given: Any) -> str:
    documented = inspect.cleandoc(given.__doc__ or "")
    return " ".join(documented.partition("\n\n")[0].split())


def _named(error: InvalidSource | Unsupported, name: str, pointer: str = "") -> StructgenError:
    """The same error with the name of the tool; its pointer starts at the dict given as the tool."""
    message, at = str(error), None
    if isinstance(error, Unsupported):
        message = message.removesuffix(f"; {error.remedy}")
    if error.pointer is not None:
        message, at = message.removesuffix(f" (at {error.pointer or '/'})"), pointer + error.pointer
    message = f"tool {name!r}: {message}"
    if isinstance(error, Unsupported):
        return Unsupported(message, keyword=error.keyword, pointer=at, remedy=error.remedy)
    return InvalidSource(message, pointer=at)
