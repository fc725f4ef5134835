"""Errors as one sentence: whatever goes wrong in a tool, the agent reads what is wrong and what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastmcp.exceptions import FastMCPError, NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import Middleware
from pydantic import ValidationError as PydanticError

from structgen.errors import StructgenError
from structgen.mcp.structured import QUESTION_KINDS
from structgen.surface import Surface, standing_at

if TYPE_CHECKING:
    from fastmcp.server.middleware import CallNext, MiddlewareContext

ARGUMENTS = Surface(
    'the argument "{name}": {quoted}',
    'the argument "{name}": true',
    'the argument "resources": {{"{uri}": …}}',
)
SAID = {  # by pydantic's name of an error, where its own words speak of Python
    "dict_type": "must be an object",
    "extra_forbidden": "is unknown",
    "list_type": "must be a list",
    "missing": "is missing",
    "missing_argument": "is missing",
    "unexpected_keyword_argument": "is no argument of this tool",
}


class Sentences(Middleware):
    """Turns wrong arguments and unknown tools into one sentence; errors of the tools themselves are `spoken`."""

    async def on_call_tool(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """The tool's result. Raises ToolError, whose text the agent reads in a result that is marked as an error."""
        try:
            return await call_next(context)
        except (ValidationError, PydanticError) as error:
            raise _tool_error(_misuse(error, context.message.name)) from None
        except NotFoundError:
            tools = "extract, decide and fill"
            raise _tool_error(f"there is no tool {context.message.name!r}: the tools are {tools}") from None


@contextmanager
def spoken() -> Iterator[None]:
    """Raise an error of a tool as a ToolError in one sentence, with remedies that are arguments of the tool.

    Nothing is logged: a traceback could show the text.
    """
    try:
        with standing_at(ARGUMENTS):
            yield
    except FastMCPError:
        raise
    except StructgenError as error:
        raise _tool_error(str(error).partition("\n")[0]) from None
    except Exception as error:
        raise _tool_error(f"internal error: {type(error).__name__}: {error}; please report it") from error


def _tool_error(sentence: str) -> ToolError:
    return ToolError(" ".join(sentence.split()), log_level=logging.DEBUG)


def _misuse(error: Exception, tool: str) -> str:
    """The first thing that is wrong with the arguments of a call, with its JSON pointer."""
    cause = error if isinstance(error, PydanticError) else error.__cause__
    if not isinstance(cause, PydanticError):
        return str(error)
    first = cause.errors(include_url=False, include_context=False, include_input=False)[0]
    where = "".join(f"/{part}" for part in first["loc"] if part not in QUESTION_KINDS)
    said = f"{first['msg'][:1].lower()}{first['msg'][1:]}".replace("dictionary", "object")
    message = SAID.get(first["type"]) or f"is wrong: {said}"
    return f"{tool} cannot be called like this: {where} {message}"
