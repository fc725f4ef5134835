"""The verb `call`: the tool calls that a request needs, with their arguments; or an answer in words.

One grammar holds every call and the answer, so every output is one of them. Each is a kind of answer, with the text
that it begins with and the words that describe it, for writers that decide on a kind before they write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TypedDict, Unpack

from structgen.compiler.constraint import compile
from structgen.documents import Document
from structgen.errors import InvalidDocument
from structgen.evidence.gather import Wanted, answered
from structgen.generation import writer
from structgen.generation.options import Options
from structgen.generation.request import Kind
from structgen.generation.result import AnswerWarning, Evidence, Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import check_text, text_of
from structgen.sources import Terms
from structgen.sources.json_schema.pointers import steps
from structgen.sources.tools import Reply, Tools
from structgen.sources.tools.forms import JSON_FORM

Message = Mapping[str, object]  # with role and content, as in OpenAI's API

OFF_TOPIC = (
    "off topic",
    "",
    "the request has too little in common with any tool's description, and this model writes no answers of its own",
)


class CallOptions(TypedDict, total=False):
    """The options of Tools that a call may set, None for those of the tools or the default."""

    tool_choice: str | Mapping[str, object] | None
    parallel: bool | None
    min_calls: int | None
    max_calls: int | None
    distinct: bool | None
    form: str | None


def call(
    runtime: Runtime,
    messages: str | Document | Sequence[Message],
    tools: Tools | Sequence[object],
    options: Options | None = None,
    *,
    terms: Terms | None = None,
    details: bool = False,
    **how: Unpack[CallOptions],
) -> Generation[Reply]:
    """The calls that the messages ask for.

    messages: a request, or messages with role and content; tools: or Tools, with options of their own; how: as in Tools
    details: whether to gather evidence, with a forward pass for each value
    Raises InvalidDocument if there is no request or a message is not text, and what `compile` raises.
    """
    request = conversation(messages)
    source = with_options(tools, terms, how, runtime.form)
    constraint = compile(source, runtime.vocabulary)
    if is_off_topic(runtime, source, request):
        return Generation(
            Reply(), "", (), 0.0, 0, 0, evidence=Evidence(warnings=(AnswerWarning(*OFF_TOPIC),))
        )
    prompt = runtime.prompts.calls(source, request)
    asked = writer.request(runtime, prompt, constraint, options, document=request, kinds=kinds_of(source))
    done = answered(runtime, asked, wanted(source, request, details=details))
    return replace(done, value=done.value.identified(request))


def wanted(source: Tools, request: str, *, details: bool) -> Wanted:
    """What is wanted beside calls: the request should state their arguments."""
    is_json = source.form == JSON_FORM
    return Wanted(details, document=Document(request), is_json=is_json, stating=_is_argument)


def is_off_topic(runtime: Runtime, source: Tools, request: str) -> bool:
    """Whether a model that cannot answer in words of its own is asked for something that concerns no tool."""
    if runtime.concerns is None or source.choice.mode != "auto" or not source.callable:
        return False
    return not runtime.concerns(request, [f"{tool.name} {tool.description}" for tool in source.callable])


def _is_argument(pointer: str) -> bool:
    """Whether a value is an argument of a call, which the request should state; the words of an answer are new."""
    return "arguments" in steps(pointer)[:2]


def with_options(
    tools: Tools | Sequence[object], terms: Terms | None, how: CallOptions, form: str = JSON_FORM
) -> Tools:
    """The tools as a source, with the options that are not None; form: of calls, if nothing says another one."""
    given = {name: value for name, value in how.items() if value is not None}
    if isinstance(tools, Tools):
        return replace(tools, **given) if given else tools
    return Tools(tools, terms=terms or Terms(), **{"form": form, **given})  # pyright: ignore[reportArgumentType]


def kinds_of(source: Tools) -> tuple[Kind, ...]:
    """The kinds of reply. Parallel calls have no descriptions, because no words distinguish them."""
    tools = () if source.counts else source.callable
    described = [f"{tool.name} {tool.description}" for tool in tools]
    pairs = zip((one.plain() for one in source.outlines), source.openings, strict=True)
    return tuple(Kind(outline, opening, words) for (outline, opening), words in zip_longest(pairs, described))


def conversation(messages: str | Document | Sequence[Message]) -> str:
    """The text of the messages for the model: a single one unchanged, several with their roles in front."""
    if isinstance(messages, str | Document):
        text = text_of(messages, "request")
        if not text.strip():
            raise InvalidDocument("the request is empty: there is nothing to call a tool for")
        return text
    if not isinstance(messages, Sequence) or not messages:
        raise InvalidDocument("messages are a string, a Document or a list of at least one message")
    said = [(_role(message, at), _content(message, at)) for at, message in enumerate(messages)]
    if len(said) == 1:
        return conversation(said[0][1])
    return "\n".join(f"{role}: {content}" for role, content in said)


def _role(message: object, at: int) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    if not isinstance(role, str):
        raise InvalidDocument(f"message {at} is no object with a role and a content")
    return role


def _content(message: Message, at: int) -> str:
    """The text of a message: its content, the text parts of its content, or the calls that it makes instead."""
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        content = "\n".join(str(part.get("text")) if part.get("type") == "text" else "\0" for part in content)
    if content is None and message.get("tool_calls"):
        content = json.dumps(message["tool_calls"], ensure_ascii=False, default=str)
    if not isinstance(content, str) or "\0" in content:
        raise InvalidDocument(f"the content of message {at} is no text, and nothing else can be read")
    check_text(content, f"content of message {at}")
    return content
