"""A model's reply: calls of tools with typed arguments, or an answer in words; and the way back into a conversation.

reply = model.call(messages, [get_weather, book])
messages.extend(reply.messages(reply.run()))          # the calls and their results
reply = model.call(messages, [get_weather, book])     # the next turn
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from reprlib import Repr
from typing import Any, overload

from pydantic_core import to_json

from structgen.errors import InvalidOption

from .tool import Tool

SHORT = Repr()  # shortens values to fit a line of a notebook
SHORT.maxother = SHORT.maxstring = 80
ID_LETTERS = 24  # of an identifier behind "call_", as OpenAI's have


@dataclass(frozen=True)
class Call:
    """One call of a tool.

    arguments: a dict by name for a function or a dict, the validated object for a class, the text for a custom tool;
        arguments that the model omitted are absent
    id: identifies the call in a conversation; text: the arguments as JSON, or the text of a custom tool
    """

    name: str
    arguments: Any
    tool: Tool
    id: str = field(default="", compare=False)
    text: str = field(default="", compare=False)

    def __repr__(self) -> str:
        """The call as Python code."""
        given = self.arguments
        if not isinstance(given, Mapping):
            return f"{self.name}({SHORT.repr(given)})"
        return f"{self.name}({', '.join(f'{name}={SHORT.repr(value)}' for name, value in given.items())})"

    def run(self) -> Any:
        """The function's result for these arguments.

        Raises InvalidOption if the tool is not a function, or is an async one: `arun` awaits it.
        """
        if self.tool.is_async:
            raise InvalidOption(f"tool {self.name!r} is async: await arun() instead of calling run()")
        return self.tool.run(self.arguments)

    async def arun(self) -> Any:
        """`run`, for async functions and others."""
        result = self.tool.run(self.arguments)
        return await result if inspect.isawaitable(result) else result

    def to_dict(self) -> dict[str, Any]:
        """The call as an assistant's message of OpenAI's chat API has it."""
        if self.tool.custom:
            return {"id": self.id, "type": "custom", "custom": {"name": self.name, "input": self.text}}
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.text}}


@dataclass(frozen=True)
class Reply(Sequence[Call]):
    """A model's reply: its calls in order, or no calls and an answer in words; neither if the model has none."""

    calls: tuple[Call, ...] = ()
    answer: str | None = None

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Call]: ...
    def __getitem__(self, index: int | slice) -> Call | Sequence[Call]:
        return self.calls[index]

    def __len__(self) -> int:
        return len(self.calls)

    def __repr__(self) -> str:
        said = [] if self.answer is None else [f"answer={SHORT.repr(self.answer)}"]
        return f"Reply({', '.join([*map(repr, self.calls), *said])})"

    def run(self) -> list[Any]:
        """The results of all calls, in order; what a tool raises is raised."""
        for call in self.calls:
            if call.tool.is_async:
                raise InvalidOption(f"tool {call.name!r} is async: await reply.arun() instead of reply.run()")
        return [call.run() for call in self.calls]

    async def arun(self) -> list[Any]:
        """The results of all calls, in order; those of async functions run together."""
        return list(await asyncio.gather(*(call.arun() for call in self.calls)))

    def messages(self, results: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """The reply and the results of its calls as messages of OpenAI's chat API, to extend the conversation with.

        results: one for each call, in order; a string is taken as it is, anything else as JSON
        Raises InvalidOption if their number differs from that of the calls.
        """
        if not self.calls:
            return [{"role": "assistant", "content": self.answer or ""}]
        results = list(results)
        if len(results) != len(self.calls):
            raise InvalidOption(
                f"{len(self.calls)} calls need a result each, and {len(results)} are given: pass reply.run()"
            )
        said = {"role": "assistant", "content": None, "tool_calls": [call.to_dict() for call in self.calls]}
        return [said, *map(_result, self.calls, results)]

    def identified(self, context: str) -> Reply:
        """The reply with identifiers that depend on the context, so that no two turns of a conversation share one."""
        return Reply(
            tuple(
                replace(call, id=call_id(context, i, call.name, call.text))
                for i, call in enumerate(self.calls)
            ),
            self.answer,
        )


def _result(call: Call, result: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": _content(result)}


def _content(result: Any) -> str:
    """A result as the content of a message."""
    if isinstance(result, str):
        return result
    try:
        return to_json(result).decode()
    except ValueError:  # pydantic knows no JSON for it
        return str(result)


def call_id(*context: str | int) -> str:
    """An identifier that is equal only in equal contexts."""
    said = json.dumps(context)
    return "call_" + hashlib.blake2b(said.encode(), digest_size=ID_LETTERS // 2).hexdigest()
