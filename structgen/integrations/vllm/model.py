"""vLLM's DiffusionGemma with a sampler that applies constraints.

It relies on methods that vLLM calls: `get_model_state_cls` of the model, `custom_sampler` and `add_request` of its
state. vLLM resolves the name `ConstrainedDiffusionGemma` when it loads the model; the class is only created then, so
that this module can be imported without vLLM.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler

MODEL = "ConstrainedDiffusionGemma"


class StateWithConstraints:
    """A mixin for vLLM's DiffusionGemmaModelState that makes the sampler and informs it about requests."""

    model_config: Any
    _structgen: ConstrainedSampler | None = None  # only in the last pipeline stage

    def custom_sampler(self, sampler: Any) -> tuple[Any, Any] | None:
        """vLLM's sampler for this model, wrapped in ours."""
        inner, rejection = super().custom_sampler(sampler)  # type: ignore[misc]
        tokenizers: Any = importlib.import_module("vllm.tokenizers")
        tokenizer = partial(tokenizers.cached_tokenizer_from_config, self.model_config)
        constraints = Constraints(tokenizer, self.model_config.get_vocab_size())
        self._structgen = ConstrainedSampler(inner, constraints, seed=self.model_config.seed or 0)
        if not self.model_config.skip_tokenizer_init:
            self._structgen.warm()
        return self._structgen, rejection

    def add_request(self, req_index: int, new_req_data: Any) -> None:
        """Called before the sampler's `add_request`."""
        super().add_request(req_index, new_req_data)  # type: ignore[misc]
        if self._structgen is None:
            return
        prompt = new_req_data.prompt_token_ids or []
        written = (new_req_data.prefill_token_ids or [])[len(prompt) :]
        room = self.model_config.max_model_len - len(prompt)
        self._structgen.tell(req_index, room, list(written), str(getattr(new_req_data, "req_id", req_index)))


def __getattr__(name: str) -> Any:
    """The model class, a subclass of vLLM's."""
    if name != MODEL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    vllm: Any = importlib.import_module("vllm.model_executor.models.diffusion_gemma")
    state = type("ConstrainedState", (StateWithConstraints, vllm.DiffusionGemmaModelState), {})
    members = {"get_model_state_cls": staticmethod(lambda: state), "__module__": __name__}
    model = type(MODEL, (vllm.DiffusionGemmaForConditionalGeneration,), members)
    globals()[MODEL] = model
    return model
