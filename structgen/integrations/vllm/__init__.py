"""Constraints for DiffusionGemma served by vLLM, as a plugin that vLLM finds automatically.

    pip install -e '.[vllm]'   (in a clone)
    VLLM_PLUGINS=structgen vllm serve google/diffusiongemma-26B-A4B-it --reasoning-parser gemma4

Then `response_format`, `structured_outputs` and `vllm_xargs` of OpenAI's API work, which vLLM alone refuses for this
model. There are two entry points. In the engine, `vllm.general_plugins` registers the model with a sampler that applies
constraints; in the server, `vllm.endpoint_plugins` reads requests, compiles their constraints and refuses those that
cannot be enforced. vLLM loads the second only if `VLLM_PLUGINS` names it. Without a server:

    llm.generate(prompts, SamplingParams(max_tokens=256, extra_args=extra_args({"regex": "[a-z]+"})))

| module | one idea |
|---|---|
| `asked.py` | the constraint of a request, in all spellings, and its form on the way to the engine |
| `constraints.py` | constraints compiled on a thread of their own |
| `slow.py` | processes for what takes long to compile |
| `fields.py` | the fields of requests that do not go together with a constraint |
| `tools.py` | the calls that a request with tools asks for |
| `canvas.py` | how long the canvas of a request is |
| `frontend.py` | the server's half |
| `replies.py` | what a client gets back: refusals, and answers that are none |
| `slots.py` | the automaton state of each request |
| `sampler.py` | the engine's half |
| `model.py` | the subclass that vLLM loads |
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "DiffusionGemmaForBlockDiffusion"

__all__ = ["extra_args", "register"]


def register() -> None:
    """Register the constrained DiffusionGemma; vLLM calls this in each of its processes, possibly repeatedly."""
    vllm: Any = importlib.import_module("vllm")
    vllm.ModelRegistry.register_model(
        ARCHITECTURE, "structgen.integrations.vllm.model:ConstrainedDiffusionGemma"
    )


def extra_args(structured_outputs: Mapping[str, Any], *, thinking: bool | None = None) -> dict[str, str]:
    """`extra_args` of SamplingParams for one of json, regex, choice, grammar and json_object, as vLLM spells them.

    thinking: True if thoughts may precede the answer, False for the empty thought of a chat without thinking, None if
        the prompt is not a chat and the answer begins at once

    Raises InvalidSource or Unsupported if it is none of these.
    """
    from structgen.integrations.vllm.asked import KEY, Asked, ThoughtMode

    preface = (
        ThoughtMode.NONE if thinking is None else ThoughtMode.THINKING if thinking else ThoughtMode.SILENT
    )
    return {KEY: Asked.of(structured_outputs, preface=preface).written()}
