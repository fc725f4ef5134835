"""Constraints for diffusion language models served by SGLang, as a plugin that SGLang finds automatically.

    pip install -e .   (in a clone, beside sglang 0.5.23)
    python -m sglang.launch_server --model-path google/diffusiongemma-26B-A4B-it --dllm-algorithm Gemma4Renoise

Then the `json_schema`, `regex`, `ebnf` and `structural_tag` of a request, and what SGLang's OpenAI API makes of
`response_format`, hold for DiffusionGemma, LLaDA 2 and SDAR. SGLang alone refuses them for the first and ignores them
for the others. Servers of other models are left alone.

| module | one idea |
|---|---|
| `grammars.py` | constraints, compiled in SGLang's queue of grammars |
| `requests.py` | which requests are refused |
| `held.py` | the automaton state of each request |
| `renoise.py` | a step of DiffusionGemma |
| `unmasking.py` | a step of models with mask tokens |
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

__all__ = ["register"]

BACKEND = "sglang.srt.constrained.base_grammar_backend.create_grammar_backend"
MANAGER = "sglang.srt.constrained.grammar_manager.GrammarManager"
ALGORITHMS = "sglang.srt.dllm.algorithm"


def register() -> None:
    """Register the hook from which all others follow; SGLang calls this once in each of its processes."""
    registry: Any = importlib.import_module("sglang.srt.plugins.hook_registry")
    registry.HookRegistry.register(BACKEND, _backend, registry.HookType.AROUND)


def _backend(
    original: Callable[..., Any], server_args: Any, tokenizer: Any, size: int, *more: Any, **named: Any
) -> Any:
    """SGLang's compiler of grammars, or ours where the server runs a diffusion language model.

    The scheduler makes it after the model is loaded; no earlier is it known whether there is one, and in SGLang's
    other processes the modules that have to be changed are never imported.
    """
    context: Any = importlib.import_module("sglang.srt.runtime_context")
    running = context.get_exec()
    if running.dllm.dllm_algorithm is None or running.kernel.grammar_backend == "none":
        return original(server_args, tokenizer, size, *more, **named)
    from structgen.integrations.sglang.grammars import backend_class

    hook()
    base: Any = importlib.import_module("sglang.srt.constrained.base_grammar_backend")
    serving = context.get_serving()
    return backend_class(base.BaseGrammarBackend)(
        tokenizer,
        size,
        compact=bool(serving.constrained_json_disable_any_whitespace),
        thoughts=bool(serving.reasoning_parser),
    )


def hook() -> None:
    """Change how SGLang's diffusion algorithms check requests and do their steps."""
    from structgen.integrations.sglang import held, renoise, requests, unmasking

    registry: Any = importlib.import_module("sglang.srt.plugins.hook_registry")
    around, after = registry.HookType.AROUND, registry.HookType.AFTER
    for target, change, kind in (
        ("sglang.srt.dllm.config.DllmConfig.validate_request", requests.validated, around),
        (f"{MANAGER}.process_req_with_grammar", held.processed, after),
        (f"{MANAGER}.get_ready_grammar_requests", held.ready, after),
        (f"{ALGORITHMS}.gemma4_renoise.Gemma4Renoise.step", renoise.step, around),
        (f"{ALGORITHMS}.low_confidence.LowConfidence.step", unmasking.step, around),
        (f"{ALGORITHMS}.joint_threshold.JointThreshold.step", unmasking.step, around),
    ):
        registry.HookRegistry.register(target, change, kind)
    registry.HookRegistry.apply_hooks()
