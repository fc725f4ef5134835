"""The fields of requests that do not go together with a constraint, and the endpoints that have them.

vLLM passes on what it does not know, and ignores on this model some of what it knows. Beside a constraint a field
either works, or the request is refused with the field's name: nothing that a client asks for is left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from structgen.errors import Unsupported


class Endpoint(Enum):
    """What a request asks vLLM for."""

    CHAT = "/v1/chat/completions"
    RESPONSES = "/v1/responses"
    MESSAGES = "/v1/messages"
    COMPLETIONS = "/v1/completions"
    BATCH = "/v1/chat/completions/batch"

    @classmethod
    def of(cls, path: str, body: Mapping[str, Any]) -> Endpoint | None:
        """The endpoint of a path, None for one that generates nothing; /invocations takes chats and completions."""
        if path == INVOCATIONS:
            return cls.CHAT if "messages" in body else cls.COMPLETIONS if "prompt" in body else None
        return next((one for one in cls if one.value == path), None)

    @property
    def converses(self) -> bool:
        """Whether the prompt is made by the chat template, so that a thought may precede the answer."""
        return self is not Endpoint.COMPLETIONS

    @property
    def calls(self) -> bool:
        """Whether tools of the request can be called."""
        return self not in (Endpoint.COMPLETIONS, Endpoint.BATCH)


INVOCATIONS = "/invocations"
PATHS = (INVOCATIONS, *(one.value for one in Endpoint))


@dataclass(frozen=True)
class Refusal:
    """Why a field does not go together with a constraint; harmless: the values that ask for nothing."""

    why: str
    remedy: str
    harmless: tuple[Any, ...] = ()

    def applies(self, value: Any) -> bool:
        """Whether the value asks for something."""
        harmless = any(
            value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.harmless
        )
        return value is not None and value not in ([], {}, "") and not harmless


_END = Refusal(
    "an answer under a constraint ends where the constraint lets it end",
    "leave it out, and put a limit or a marker into the schema or grammar",
)
_IGNORED = "vLLM ignores it on a diffusion model"
_WITHOUT = "leave it out"
_LOGPROBS = "vLLM's log-probabilities are not those of the constrained answer"
_TEXT = Refusal("it changes the text of the answer", _WITHOUT, (False,))

INCLUDED_LOGPROBS = "message.output_text.logprobs"  # what `include` of responses asks for them by

BREAKING: Mapping[str, Refusal] = {
    "stop": _END,
    "stop_sequences": _END,
    "stop_token_ids": _END,
    "ignore_eos": Refusal(_END.why, _WITHOUT, (False,)),
    "include_stop_str_in_output": _TEXT,
    "skip_special_tokens": Refusal("special tokens would stand in the answer", "leave it true", (True,)),
    "echo": Refusal("the prompt would stand before the answer", _WITHOUT, (False,)),
    "suffix": Refusal(_IGNORED, "write the text around the answer into a grammar"),
    "add_generation_prompt": Refusal("the answer would not begin a turn", "leave it true", (True,)),
    "continue_final_message": Refusal(
        "the constraint holds for a whole answer, not for the rest of one", _WITHOUT, (False,)
    ),
    "use_beam_search": Refusal("a diffusion model has no beams", _WITHOUT, (False,)),
    "best_of": Refusal(_IGNORED, "ask for n answers", (1,)),
    "length_penalty": Refusal(_IGNORED, _WITHOUT, (1, 0)),
    "early_stopping": Refusal(_IGNORED, _WITHOUT, (False,)),
    "frequency_penalty": Refusal(_IGNORED, _WITHOUT, (0,)),
    "presence_penalty": Refusal(_IGNORED, _WITHOUT, (0,)),
    "repetition_penalty": Refusal(_IGNORED, _WITHOUT, (1,)),
    "repetition_detection": Refusal(
        "it would cut the answer", "leave it out, and limit lengths in the schema"
    ),
    "top_p": Refusal(_IGNORED, _WITHOUT, (1,)),
    "top_k": Refusal(_IGNORED, _WITHOUT, (0, -1)),
    "logprobs": Refusal(_LOGPROBS, _WITHOUT, (False,)),
    "top_logprobs": Refusal(_LOGPROBS, _WITHOUT, (0,)),
    "logprob_token_ids": Refusal(_LOGPROBS, _WITHOUT),
    "thinking_token_budget": Refusal(
        "a budget for thoughts is not enforced", "leave it out, or turn thinking off"
    ),
    "watermarking": Refusal("a watermark changes which tokens are drawn", _WITHOUT, (False,)),
}


def refuse_fields(body: Mapping[str, Any]) -> None:
    """Raise Unsupported for the first field of a constrained request that does not go together with its constraint."""
    for name, value in body.items():
        refusal = BREAKING.get(name)
        if refusal is not None and refusal.applies(value):
            raise Unsupported(
                f"{name} beside a constraint: {refusal.why}",
                keyword=name,
                pointer=f"/{name}",
                remedy=refusal.remedy,
            )
    include, thinking = body.get("include"), body.get("thinking")
    if isinstance(include, list) and INCLUDED_LOGPROBS in include:
        raise Unsupported(
            f"include with {INCLUDED_LOGPROBS} beside a constraint: {_LOGPROBS}",
            keyword="include",
            pointer="/include",
            remedy=_WITHOUT,
        )
    if isinstance(thinking, Mapping) and thinking.get("type") == "enabled":
        raise Unsupported(
            "thinking beside a constraint: a budget for thoughts is not enforced",
            keyword="thinking",
            pointer="/thinking",
            remedy='write {"type": "adaptive"} or {"type": "disabled"}',
        )


def refuse_fatal(endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Raise Unsupported for a request, constrained or not, that ends vLLM's engine on a diffusion model.

    These are requests for log-probabilities of the prompt: vLLM expects them in a step that writes something out, and
    on this model the step that reads the prompt does not. `echo` asks for them in chats, elsewhere beside `logprobs`.
    """
    echoed = bool(body.get("echo")) and (endpoint.converses or body.get("logprobs") is not None)
    if echoed or body.get("prompt_logprobs") is not None:
        name = "echo" if echoed else "prompt_logprobs"
        raise Unsupported(
            f"{name}: vLLM has no log-probabilities of a prompt on a diffusion model",
            keyword=name,
            pointer=f"/{name}",
            remedy=_WITHOUT,
        )


def asked_to_think(body: Mapping[str, Any]) -> bool | None:
    """Whether a request turns thinking on or off, in vLLM's spelling or as an effort; None if it says nothing."""
    options = body.get("chat_template_kwargs")
    if isinstance(options, Mapping) and "enable_thinking" in options:
        return bool(options["enable_thinking"])
    thinking = body.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") == "disabled":
        return False
    nested = [body.get(name) for name in ("reasoning", "output_config")]
    efforts = [
        body.get("reasoning_effort"),
        *(one.get("effort") for one in nested if isinstance(one, Mapping)),
    ]
    return next((effort != "none" for effort in efforts if effort is not None), None)
