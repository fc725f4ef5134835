"""The tools of a request as a source of calls; every fault has its place in the body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from structgen.errors import InvalidOption, StructgenError
from structgen.server.problems import Problem, of_error, quoted
from structgen.sources import Terms
from structgen.sources.json_schema.pointers import escape
from structgen.sources.tools import Tools
from structgen.sources.tools.tool import as_tool

MOST_TOOLS = 128
TOOL_FIELDS = (  # of tools as OpenAI's APIs, Anthropic's and MCP define them
    *("type", "function", "custom", "name", "description", "parameters", "format"),
    *("input_schema", "inputSchema", "outputSchema", "annotations", "title", "icons", "execution", "_meta"),
)
HARMLESS = ("strict", "async", "defer_loading", "output_schema", "allowed_callers", "cache_control")


def wanted_tools(
    tools: Sequence[Mapping[str, Any]] | None,
    choice: Any,
    parallel: bool | None,
    *,
    terms: Terms,
    form: str,
    at: str = "/tools",
) -> Tools | None:
    """The tools that the answer may call, None if it may call none.

    parallel: several calls, which is the default of OpenAI's API except where one tool is named
    """
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if not tools:
        if choice not in (None, "none", "auto"):
            raise Problem("tool_choice asks for a call, but the request has no tools", param="/tool_choice")
        return None
    if len(tools) > MOST_TOOLS:
        raise Problem(f"a request has at most {MOST_TOOLS} tools, not {len(tools)}", param=at)
    read = []
    for index, tool in enumerate(tools):
        try:
            read.append(as_tool(_plain(tool, f"{at}/{index}"), index, terms))
        except StructgenError as error:
            raise of_error(error, f"{at}/{index}") from error
    named = kind in ("function", "custom")
    try:
        made = Tools(
            read,
            "auto" if choice is None else choice,
            False if named else parallel is not False,
            terms,
            form=form,
        )
    except InvalidOption as error:
        raise Problem(str(error), param="/tool_choice", code="invalid_value") from error
    except StructgenError as error:
        raise of_error(error, at) from error
    return None if made.choice.mode == "none" else made


def _plain(tool: Mapping[str, Any], at: str) -> Mapping[str, Any]:
    """The definition without the fields that change nothing here. Raises Problem for a field that no tool has."""
    for name in tool:
        if name not in (*TOOL_FIELDS, *HARMLESS):
            raise Problem(
                f"{quoted(name)} is not a field of a tool; leave it out",
                param=f"{at}/{escape(name)}",
                code="unknown_parameter",
            )
    return {name: value for name, value in tool.items() if name not in HARMLESS}


def key_of(tools: Tools) -> str:
    """A text that is equal for equal tools under equal choices."""
    given = [tool.given for tool in tools.tools]
    choice = tools.choice
    return json.dumps([given, choice.mode, choice.names, tools.counts, tools.form], default=str) + repr(
        tools.terms
    )
