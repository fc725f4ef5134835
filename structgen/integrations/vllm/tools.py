"""The calls that a request with tools asks for, in the model's own syntax, which vLLM's tool parser reads.

vLLM leaves required and named calls of Gemma unconstrained, because grammar engines can write calls as JSON only. Here
the choice, the names and the arguments of calls are in the automaton. The tools and the choice stay in the request:
vLLM puts them into the prompt, and reads the calls of the answer by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen.errors import InvalidSource, Unsupported
from structgen.integrations.vllm.asked import CALLS, Asked
from structgen.integrations.vllm.fields import Endpoint

SYNTAX_OF = {"gemma4": "gemma"}  # the syntax that each of vLLM's tool parsers reads
OPTIONAL = (None, "auto", "none")  # choices under which a reply may be words


def taken_calls(body: dict[str, Any], parser: str | None, endpoint: Endpoint) -> Asked | None:
    """The constraint of a request that may call tools, None for others; parser: vLLM's tool parser.

    Raises Unsupported if calls are asked for that cannot be enforced.
    """
    tools, choice = body.get("tools"), body.get("tool_choice")
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if not isinstance(tools, list) or not tools or kind == "none":
        return None
    if not endpoint.calls:
        raise Unsupported(
            f"tools: {endpoint.value} makes no calls, and vLLM would ignore them",
            keyword="tools",
            pointer="/tools",
            remedy=f"use {Endpoint.CHAT.value}, or leave tools out",
        )
    if parser not in SYNTAX_OF:
        return _left(
            kind,
            f"--enable-auto-tool-choice --tool-call-parser {next(iter(SYNTAX_OF))}",
            "start the server with ",
        )
    if not all(isinstance(tool, Mapping) and tool.get("type", "function") == "function" for tool in tools):
        return _left(kind, "function tools only", "give ")
    single = isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use")
    value = {
        "tools": tools,
        "tool_choice": "auto" if choice is None else choice,
        "parallel": body.get("parallel_tool_calls") is not False and not single,
        "form": SYNTAX_OF[parser],
    }
    if isinstance(choice, Mapping) and kind == "allowed_tools":
        body["tool_choice"] = _mode(choice)  # vLLM knows no more of it
    return Asked(CALLS, value)


def calls_or(calls: Asked, answer: Asked) -> Asked:
    """Calls, or an answer under a constraint of its own. Raises InvalidSource if a call is required."""
    choice = calls.value["tool_choice"]
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    if (_mode(choice) if kind == "allowed_tools" else kind) not in OPTIONAL:
        raise InvalidSource(
            "the request asks for a call and for an answer under a constraint: set tool_choice to auto for one of "
            "both, or leave one out",
            pointer="/tool_choice",
        )
    return Asked(CALLS, {**calls.value, "answer": answer.options()})


def _left(kind: Any, need: str, do: str) -> None:
    """Leave a request to vLLM whose reply may be words; raises Unsupported if it must be a call."""
    if kind not in OPTIONAL:
        raise Unsupported(
            "a call that tool_choice asks for cannot be enforced here",
            keyword="tool_choice",
            pointer="/tool_choice",
            remedy=f"{do}{need}",
        )


def _mode(choice: Mapping[str, Any]) -> str:
    """The mode of a choice of type allowed_tools, in either of OpenAI's spellings."""
    inside = choice.get("allowed_tools")
    return str((inside if isinstance(inside, Mapping) else choice).get("mode", "auto"))
