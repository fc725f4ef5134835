"""Constraints for DiffusionGemma served by vLLM, as a plugin that vLLM finds by itself.

    pip install -e '.[vllm]'   (in a clone)
    VLLM_PLUGINS=structgen vllm serve google/diffusiongemma-26B-A4B-it --reasoning-parser gemma4

Then `response_format`, `structured_outputs` and `vllm_xargs` of OpenAI's API work, which vLLM by itself refuses on this
model. There are two entry points. `vllm.general_plugins` registers the model with a sampler that knows constraints, in
the engine; `vllm.endpoint_plugins` reads requests, compiles what they ask for and refuses what cannot be had, in the
server. vLLM loads the second only where `VLLM_PLUGINS` names it. Without a server:

    llm.generate(prompts, SamplingParams(max_tokens=256, extra_args=extra_args({"regex": "[a-z]+"})))

| module | one idea |
|---|---|
| `asked.py` | what a request asks for, however it is spelled, and as it travels to the engine |
| `constraints.py` | what was asked for, compiled on a thread of its own |
| `frontend.py` | the server's half |
| `slots.py` | where the automaton of each request stands |
| `sampler.py` | the engine's half |
| `model.py` | the subclass that vLLM is given |
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

ARCHITECTURE = "DiffusionGemmaForBlockDiffusion"

__all__ = ["extra_args", "register"]


def register() -> None:
    """Give vLLM the constrained DiffusionGemma; called by vLLM in each of its processes, as often as it likes."""
    vllm: Any = importlib.import_module("vllm")
    vllm.ModelRegistry.register_model(
        ARCHITECTURE, "structgen.integrations.vllm.model:ConstrainedDiffusionGemma"
    )


def extra_args(structured_outputs: Mapping[str, Any], *, thinking: bool | None = None) -> dict[str, str]:
    """`extra_args` of SamplingParams for one of json, regex, choice, grammar and json_object, as vLLM spells them.

    thinking: whether thoughts may precede the answer, False for the empty thought of a chat without thinking, None
    where the prompt is no chat and the answer begins at once

    Raises InvalidSource or Unsupported where it is none of these.
    """
    from structgen.integrations.vllm.asked import KEY, Asked, ThoughtMode

    preface = (
        ThoughtMode.NONE if thinking is None else ThoughtMode.THINKING if thinking else ThoughtMode.SILENT
    )
    return {KEY: Asked.of(structured_outputs, preface=preface).written()}
