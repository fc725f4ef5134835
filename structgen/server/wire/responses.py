"""The body of /v1/responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from structgen.server.wire.body import WITHOUT, Body, Harmful, RequestBody, StructgenFields
from structgen.server.wire.described import Items, ResponseForm, ResponseTools

STATELESS = "no responses are stored; send the whole conversation as input"


class TextFields(Body):
    """The form of the text."""

    format: ResponseForm = None
    verbosity: Any = None


class ResponsesStreamOptions(Body):
    """What a stream has beside the answer."""

    include_obfuscation: bool | None = None


class ResponsesRequest(RequestBody):
    """An input, and what the answer has to be."""

    model_config = ConfigDict(extra="forbid", strict=True)
    HARMFUL: ClassVar[Mapping[str, Harmful]] = {
        "background": Harmful(f"a response is answered at once; {WITHOUT}", (False,)),
        "background_options": Harmful(f"a response is answered at once; {WITHOUT}"),
        "context_management": Harmful(f"nothing is compacted; {WITHOUT}"),
        "conversation": Harmful(STATELESS),
        "previous_response_id": Harmful(STATELESS),
        "prompt": Harmful("no prompts are stored; write it as instructions and input"),
        "moderation": Harmful(f"nothing is moderated; {WITHOUT}"),
        "max_tool_calls": Harmful(f"it limits tools of OpenAI's own, and there are none; {WITHOUT}"),
        "image": Harmful(f"images cannot be read; {WITHOUT}"),
        "access_programs": Harmful(f"there are none; {WITHOUT}"),
        "top_p": Harmful(f"draws are exact, nothing is cut off; {WITHOUT}", (1,)),
        "truncation": Harmful('input that is too long is refused; ask for "disabled"', ("disabled",)),
    }

    input: Items = None
    instructions: Items = None
    text: TextFields | None = None
    structured_outputs: dict[str, Any] | None = None
    tools: ResponseTools = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    stream: bool | None = None
    stream_options: ResponsesStreamOptions | None = None
    include: list[str] | None = None
    seed: int | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    max_output_tokens: int | None = Field(default=None, ge=1)
    structgen: StructgenFields | None = None

    background: Any = None
    background_options: Any = None
    context_management: Any = None
    conversation: Any = None
    previous_response_id: Any = None
    prompt: Any = None
    moderation: Any = None
    max_tool_calls: Any = None
    image: Any = None
    access_programs: Any = None
    top_p: float | None = None
    truncation: Any = None

    store: Any = None
    user: Any = None
    metadata: dict[str, Any] | None = None
    service_tier: Any = None
    prompt_cache_key: Any = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Any = None
    safety_identifier: Any = None
    reasoning: Any = None
