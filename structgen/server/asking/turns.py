"""Conversations as turns with a role and a text, read from the messages of chats and the items of responses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from structgen.server.asking.ask import Turn
from structgen.server.problems import Problem, instead

TEXTS = ("text", "input_text", "output_text", "refusal")  # types of parts that hold text


def content_text(content: Any, at: str) -> str:
    """The text of a content: a string, or a list of parts that all hold text."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise Problem("a content is a string or a list of parts", param=at)
    return "\n".join(_part(part, f"{at}/{index}") for index, part in enumerate(content))


def _part(part: Any, at: str) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "input_json":
        return json.dumps(part.get("data"), ensure_ascii=False)
    if kind not in TEXTS:
        raise Problem(
            f"this server reads text only: the type of a part is one of {', '.join(TEXTS)}, {instead(kind)}",
            param=f"{at}/type",
        )
    text = part.get("refusal" if kind == "refusal" else "text")
    if not isinstance(text, str):
        raise Problem(f"a part of type {kind!r} needs a text, which is a string", param=f"{at}/text")
    return text


def chat_turns(messages: Sequence[Mapping[str, Any]], at: str = "/messages") -> list[Turn]:
    """The turns of a chat; a result of a tool answers a call before it."""
    calls: set[str] = set()
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        here = f"{at}/{index}"
        if message.get("content") is None and message["role"] != "assistant":
            raise Problem("only a message of an assistant may have no content", param=f"{here}/content")
        turn = {"role": message["role"], "content": content_text(message.get("content"), f"{here}/content")}
        for number, call in enumerate(message.get("tool_calls") or ()):
            _check_call(call, f"{here}/tool_calls/{number}")
            calls.add(str(call.get("id")))
        if message.get("tool_calls"):
            if message["role"] != "assistant":
                raise Problem("only an assistant calls tools", param=f"{here}/tool_calls")
            turn = {**turn, "tool_calls": message["tool_calls"]}
            if not turn["content"]:
                turn["content"] = None
        if message["role"] == "tool" and message.get("tool_call_id") not in calls:
            raise Problem(
                "a message of role tool must answer a call in an earlier message and name it in tool_call_id",
                param=f"{here}/tool_call_id",
            )
        turns.append(turn)
    return turns


def _check_call(call: Mapping[str, Any], at: str) -> None:
    """Raise Problem for a call without a name and a text of arguments."""
    kind, text = ("custom", "input") if call.get("type") == "custom" else ("function", "arguments")
    said = call.get(kind)
    if not isinstance(said, Mapping) or not all(isinstance(said.get(one), str) for one in ("name", text)):
        raise Problem(f"a call needs an object {kind} with the strings name and {text}", param=f"{at}/{kind}")


def item_turns(given: Any, at: str = "/input") -> list[Turn]:
    """The turns of the input of a response: a text of the user, or messages, calls and their results."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    calls: set[str] = set()
    return [_item(item, f"{at}/{index}", calls) for index, item in enumerate(given or ())]


def _item(item: Mapping[str, Any], at: str, calls: set[str]) -> Turn:
    kind = item.get("type", "message")
    if kind == "message":
        role = item.get("role")
        if role not in ("user", "assistant", "system", "developer"):
            raise Problem(
                f'the role of a message is "user", "assistant", "system" or "developer", {instead(role)}',
                param=f"{at}/role",
            )
        return {"role": role, "content": content_text(item.get("content"), f"{at}/content")}
    if kind in ("function_call", "custom_tool_call"):
        part = "arguments" if kind == "function_call" else "input"
        said = item.get(part)
        if not isinstance(item.get("name"), str) or not isinstance(said, str):
            raise Problem(f"an item of type {kind} needs a name and {part}, both strings", param=at)
        calls.add(str(item.get("call_id")))
        function = {"name": item["name"], "arguments": said}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind in ("function_call_output", "custom_tool_call_output"):
        if str(item.get("call_id")) not in calls:
            raise Problem(
                "a result must answer an earlier call and name it in call_id", param=f"{at}/call_id"
            )
        return {"role": "tool", "content": content_text(item.get("output"), f"{at}/output")}
    if kind == "reasoning":
        return {"role": "assistant", "content": ""}
    raise Problem(
        f"the type of an item is message, or that of a call of a tool or of its result, {instead(kind)}",
        param=f"{at}/type",
    )


def document_of(turns: Sequence[Turn], source: str | int) -> str:
    """The text that verbatim values are copied from: of the last user message, of one message, or of all."""
    texts = [str(turn["content"] or "") for turn in turns]
    if isinstance(source, int):
        if not -len(texts) <= source < len(texts):
            raise Problem(
                f"there is no message {source}: the conversation has {len(texts)}",
                param="/structgen/verbatim_source",
            )
        return texts[source]
    if source == "conversation":
        return "\n".join(filter(None, texts))
    return next(
        (text for text, turn in zip(texts[::-1], turns[::-1], strict=True) if turn["role"] == "user"),
        "\n".join(texts),
    )


def decision_text(given: str | Sequence[Mapping[str, Any]]) -> str:
    """The input of a decision as one text; what the messages are about matters, not who said it, if there is one."""
    turns = item_turns(given)
    texts = [
        str(turn["content"] or (json.dumps(turn["tool_calls"]) if "tool_calls" in turn else ""))
        for turn in turns
    ]
    if len(turns) == 1:
        return texts[0]
    return "\n".join(f"{turn['role']}: {text}" for turn, text in zip(turns, texts, strict=True))
