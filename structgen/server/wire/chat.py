"""The body of /v1/chat/completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from structgen.server.wire.body import WITHOUT, Body, Harmful, RequestBody, StructgenFields
from structgen.server.wire.described import OF_ROLES, Calls, ChatForm, ChatTools, Text

ROLES = ("developer", "system", "user", "assistant", "tool", "function")


class ChatMessage(Body):
    """One message of a conversation; of what else a message may have, nothing is text."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=OF_ROLES)

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: Text | None = None
    tool_calls: Calls = None
    tool_call_id: str | None = None
    name: str | None = None


class StreamOptions(Body):
    """What a stream has beside the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(RequestBody):
    """A conversation, and what the answer has to be."""

    HARMFUL: ClassVar[Mapping[str, Harmful]] = {
        "audio": Harmful(f"the model writes text only; {WITHOUT}"),
        "modalities": Harmful('the model writes text only; ask for ["text"]', (["text"],)),
        "web_search_options": Harmful(f"nothing is fetched from the web; {WITHOUT}"),
        "prediction": Harmful(f"a diffusion model takes no predicted output; {WITHOUT}"),
        "moderation": Harmful(f"nothing is moderated; {WITHOUT}"),
        "logit_bias": Harmful("write what may be generated into a schema or grammar"),
        "functions": Harmful("write them as tools"),
        "function_call": Harmful("write it as tool_choice", ("none",)),
        "frequency_penalty": Harmful(f"a joint draw has no penalties; {WITHOUT}", (0,)),
        "presence_penalty": Harmful(f"a joint draw has no penalties; {WITHOUT}", (0,)),
        "top_p": Harmful(f"draws are exact, nothing is cut off; {WITHOUT}", (1,)),
    }

    messages: list[ChatMessage] = Field(min_length=1)
    response_format: ChatForm = None
    structured_outputs: dict[str, Any] | None = None
    tools: ChatTools = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=None, ge=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    structgen: StructgenFields | None = None

    audio: Any = None
    modalities: Any = None
    web_search_options: Any = None
    prediction: Any = None
    moderation: Any = None
    logit_bias: Any = None
    functions: Any = None
    function_call: Any = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    top_p: float | None = None

    store: Any = None
    user: Any = None
    metadata: Any = None
    service_tier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Any = None
    safety_identifier: Any = None
    verbosity: Any = None
    reasoning_effort: Any = None
