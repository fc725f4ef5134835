"""Which constrained requests are refused: those that ask for something that would break the answer or is ignored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CONSTRAINTS = ("json_schema", "regex", "ebnf", "structural_tag")
SUPPORTED = ("Gemma4Renoise", "LowConfidence", "JointThreshold")
# fields of the sampling parameters and the values that ask for nothing; the others end an answer elsewhere, change
# tokens after the constraint has chosen them, or are ignored on these models
QUIET = {
    "stop_strs": (None, [], ""),
    "stop_regex_strs": (None, [], ""),
    "stop_token_ids": (None, set()),
    "ignore_eos": (False,),
    "min_new_tokens": (0,),
    "frequency_penalty": (0.0,),
    "presence_penalty": (0.0,),
    "repetition_penalty": (1.0,),
    "min_p": (0.0,),
    "logit_bias": (None, {}),
    "beam_width": (None, 1),
    "watermark": (None,),
}
OFF = (
    "return_logprob",
    "custom_logit_processor",
    "return_sampling_mask",
    "session_id",
)  # fields of the request
SPELLED = {"stop_strs": "stop", "stop_regex_strs": "stop_regex"}


class _Other:
    """An object with other values of some fields."""

    def __init__(self, inner: Any, **values: Any) -> None:
        self._inner = inner
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def asked(parameters: Any) -> list[str]:
    """The fields of sampling parameters that hold a constraint."""
    return [name for name in CONSTRAINTS if getattr(parameters, name, None) is not None]


def validated(original: Callable[..., str | None], config: Any, request: Any) -> str | None:
    """Why a request is refused, or None; for those without a constraint SGLang alone decides."""
    found = asked(request.sampling_params)
    if not found:
        return original(config, request)
    if config.algorithm not in SUPPORTED:
        return f"{', '.join(found)} with {config.algorithm} is not supported: use {' or '.join(SUPPORTED)}"
    if len(found) > 1:
        return f"one constraint a request, and this one has {' and '.join(found)}: leave out all but one"
    without = _Other(request.sampling_params, **dict.fromkeys(CONSTRAINTS))
    refusal = original(config, _Other(request, sampling_params=without))
    return refusal or _loud(request, found[0])


def _loud(request: Any, constraint: str) -> str | None:
    parameters = request.sampling_params
    loud = [
        SPELLED.get(name, name)
        for name, quiet in QUIET.items()
        if (value := getattr(parameters, name, quiet[0])) is not None and value not in quiet
    ]
    loud += [name for name in OFF if getattr(request, name, None)]
    if not loud:
        return None
    return f"{', '.join(loud)} beside {constraint} is not supported on this model: leave it out"
