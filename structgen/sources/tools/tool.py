"""One tool: its name, its description, and its arguments as a source.

A tool is a Python function (its signature defines the arguments), a class or other type form that pydantic reads, or a
definition as OpenAI, Anthropic and the Model Context Protocol have it (`definitions`).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, Required, get_args, get_origin, get_type_hints

from pydantic import Field as Described
from typing_extensions import TypedDict

from structgen.errors import InvalidOption, InvalidSource, StructgenError, Unsupported
from structgen.grammar import Grammar

from ..copies import copies
from ..json_schema import JsonSchema, Terms
from ..json_schema.syntax import JSON_SYNTAX, Syntax
from ..types import TypeSource
from .definitions import Definition, definition, is_definition, names_no_members
from .docstrings import described, first_paragraph
from .texts import INPUT, TextArguments, grammar_arguments, text_schema

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool that a model may call.

    arguments: the source of its arguments, an object; given: the function, class or dict that it was made from
    pointer: the place in `given` of the JSON Schema of the parameters
    custom: whether the tool takes a text, which then is the only argument, `input`
    """

    name: str
    description: str
    arguments: TypeSource[Any] | JsonSchema | TextArguments
    given: Any
    pointer: str = ""
    custom: bool = False

    @property
    def is_async(self) -> bool:
        """Whether calling the tool gives something to await."""
        called = type(self.given).__call__  # of an object that is called like a function
        return inspect.iscoroutinefunction(self.given) or inspect.iscoroutinefunction(called)

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the arguments."""
        return self.arguments.schema  # pyright: ignore[reportReturnType]

    def lower(self, spelling: Syntax = JSON_SYNTAX) -> Grammar:
        """The texts of the arguments. Errors of the schema's lowering are raised with the name of the tool."""
        try:
            grammar = self.arguments.spelled(spelling)
        except (InvalidSource, Unsupported) as error:
            raise _named(error, self.name, self.pointer) from error
        if copies(grammar):
            raise InvalidSource(
                f"tool {self.name!r}: a parameter is verbatim, and calls copy from no document: make it a string"
            )
        return grammar

    def reading(self) -> Grammar:
        """The accepted texts of the arguments, in canonical spelling."""
        return self.arguments.reading()

    def read(self, text: str) -> Any:
        """The arguments in a JSON text: a dict, a validated object, or the text for a custom tool."""
        arguments = self.arguments.parse(text)
        return arguments[INPUT] if self.custom else arguments

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
    if isinstance(given, Tool):
        return given
    if is_definition(given):
        return _defined(definition(given, f"tool {index}"), given, terms)
    name = getattr(given, "__name__", None)
    if not isinstance(name, str) or not name.isidentifier() or not callable(given):
        raise InvalidSource(
            f"tool {index} is {given!r:.60}: give a function with a name, a class, or a dict as OpenAI's API has it"
        )
    type_ = _arguments_type(given, name) if _is_function(given) else given
    try:
        tool = Tool(name, first_paragraph(given), TypeSource(type_, terms), given)
    except (InvalidSource, Unsupported) as error:
        raise _named(_of_parameter(type_, error) if _is_function(given) else error, name) from error
    _check_object(tool)
    return tool


def _is_function(given: Any) -> bool:
    return callable(given) and not isinstance(given, type) and get_origin(given) is None


def _arguments_type(function: Callable[..., Any], name: str) -> Any:
    """A TypedDict of the function's parameters; those with a default are optional."""
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
    except NameError as error:
        raise _unresolved(function, name, error) from error
    except (TypeError, ValueError) as error:
        raise InvalidSource(f"tool {name!r}: its signature cannot be read: {error}") from error
    fields, said = {}, described(inspect.getdoc(function) or "")
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
        fields[parameter.name] = needed[_said(hints[parameter.name], said.get(parameter.name))]
    type_: Any = TypedDict(name, fields)  # pyright: ignore
    type_.__pydantic_config__ = {"extra": "forbid"}
    return type_


def _unresolved(function: Callable[..., Any], name: str, error: NameError) -> InvalidSource:
    """The error of an annotation that names what is not there, with the name of its parameter."""
    notes = getattr(function, "__annotations__", {}).items()
    where = next((parameter for parameter, note in notes if re.search(rf"\b{error.name}\b", str(note))), None)
    if where is None:
        return InvalidSource(f"tool {name!r}: its signature cannot be read: {error}")
    return InvalidSource(
        f"tool {name!r}: the type of parameter {where!r} cannot be read: {error}",
        pointer=f"/properties/{where}",
    )


def _of_parameter(type_: Any, error: InvalidSource | Unsupported) -> InvalidSource | Unsupported:
    """The error with the name of the parameter whose type pydantic cannot read; itself if it has a place already."""
    for parameter, hint in type_.__annotations__.items() if error.pointer is None else ():
        try:
            TypeSource(get_args(hint)[0])
        except (InvalidSource, Unsupported) as cause:
            message = f"parameter {parameter!r}: {cause}"
            return InvalidSource(message, pointer=f"/properties/{parameter}")
    return error


def _said(hint: Any, description: str | None) -> Any:
    """A type with a description in front of its own notes, which may have a better one."""
    if description is None:
        return hint
    notes = getattr(hint, "__metadata__", ())
    return Annotated[(get_args(hint)[0] if notes else hint, Described(description=description), *notes)]


def _defined(found: Definition, given: Any, terms: Terms) -> Tool:
    """The tool of a definition."""
    if found.format is not None:
        texts = _texts(found.format, found.name, found.at, terms)
        return Tool(found.name, found.description, texts, given, found.at, custom=True)
    schema = found.schema
    if terms.additional == "declared" and names_no_members(schema):
        schema = {**schema, "properties": {}}
    tool = Tool(found.name, found.description, JsonSchema.under(schema, terms), given, found.at)
    _check_object(tool)
    return tool


def _texts(format_: Any, name: str, at: str, terms: Terms) -> TextArguments | JsonSchema:
    """The arguments of a custom tool: one text, free or of a grammar."""
    kind = format_.get("type") if isinstance(format_, Mapping) else None
    if kind == "text":
        return JsonSchema.under(text_schema(), terms)
    if kind != "grammar":
        raise InvalidSource(
            f'tool {name!r}: the format must be of type "text" or "grammar"', pointer=f"{at}/type"
        )
    at, grammar = (f"{at}/grammar", format_["grammar"]) if "grammar" in format_ else (at, format_)
    return grammar_arguments(grammar, name, at, terms.style)


def _check_object(tool: Tool) -> None:
    """Raise InvalidSource unless the parameters describe an object: arguments have names."""
    kind = tool.schema.get("type")
    if kind is not None and kind != "object":
        raise InvalidSource(
            f"tool {tool.name!r}: the parameters must describe an object, not {kind!r:.40}",
            pointer=f"{tool.pointer}/type",
        )


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
