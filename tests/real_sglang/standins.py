"""Stand-ins for packages that SGLang imports and that need a GPU, and for what surrounds its algorithms in a server.

Axes: B batch, N block, V vocabulary.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from array import array
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
from torch import Tensor

ABSENT = ("torchvision",)  # PyPI's is built for CUDA, and its operators do not load beside a CPU torch


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Packages whose every member is a mock."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] not in ABSENT:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        def member(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return MagicMock(name=f"{module.__name__}.{name}")

        module.__getattr__ = member  # type: ignore[method-assign]


def sglang() -> SimpleNamespace:
    """SGLang's own modules; without SGLang the tests of the module that asks for them are skipped."""
    pytest.importorskip(
        "sglang", reason="SGLang is not installed here: make test-sglang has it in an environment"
    )
    from transformers.utils import import_utils

    import_utils.is_torchvision_available()  # false, and remembered before the stand-in is there
    sys.meta_path.insert(0, _Absent())
    load = importlib.import_module
    return SimpleNamespace(
        runtime_context=load("sglang.srt.runtime_context"),
        base_grammar_backend=load("sglang.srt.constrained.base_grammar_backend"),
        grammar_manager=load("sglang.srt.constrained.grammar_manager"),
        plugins=load("sglang.srt.plugins"),
        hook_registry=load("sglang.srt.plugins.hook_registry"),
        get_algorithm=load("sglang.srt.dllm.algorithm").get_algorithm,
        DllmConfig=load("sglang.srt.dllm.config").DllmConfig,
        SamplingParams=load("sglang.srt.sampling.sampling_params").SamplingParams,
    )


class Ask:
    """As much of SGLang's Req as its algorithms and managers touch here."""

    def __init__(self, rid: str, parameters: Any, *, prompt: int = 5) -> None:
        self.rid, self.sampling_params = rid, parameters
        self.origin_input_ids, self.output_ids = array("q", [20] * prompt), array("q")
        self.dllm_block_offset = 0
        self.grammar: Any = None
        self.grammar_key: Any = None
        self.grammar_wait_ct = 0
        self.require_reasoning = self.return_logprob = self.return_flat_raw_top_logprobs = False
        self.return_sampling_mask, self.custom_logit_processor, self.session_id = False, None, None
        self.logprob = SimpleNamespace(top_logprobs_num=0, token_ids_logprob=None)
        self.to_finish: Any = None
        self.refusal: str | None = None

    def finished(self) -> bool:
        return self.refusal is not None

    def set_finish_with_abort(self, message: str, *more: Any) -> None:
        self.refusal, self.grammar = message, None


class Runner:
    """A model that returns random logits, the same for the same request, block and step."""

    def __init__(self, vocabulary: int, block: int) -> None:
        self.V, self.N = vocabulary, block
        self.model_config = SimpleNamespace(
            hf_config=SimpleNamespace(text_config=SimpleNamespace(vocab_size=vocabulary))
        )
        self.embedding = torch.nn.Embedding(vocabulary, 8)
        self.embedding.embed_scale = 1.0  # type: ignore[assignment]
        self.model = SimpleNamespace(
            get_input_embeddings=lambda: self.embedding, prepare_dllm_input_embeds=lambda ids, signal: None
        )
        self.generators: dict[str, torch.Generator] = {}
        self.poison: str | None = None  # a request whose logits are NaN

    def forward(self, batch: Any, pp_proxy_tensors: Any = None) -> Any:
        parts = [self._logits(rid) for rid in batch.rids]
        output = SimpleNamespace(full_logits=torch.cat(parts))
        return SimpleNamespace(logits_output=output, can_run_graph=False)

    def _logits(self, rid: str) -> Tensor:
        seed = int.from_bytes(rid.encode(), "little") % 2**31
        generator = self.generators.setdefault(rid, torch.Generator().manual_seed(seed))
        logits = 3 * torch.randn(self.N, self.V, generator=generator)
        return logits * float("nan") if rid == self.poison else logits


@dataclass
class Loop:
    """The scheduler's loop over blocks, with a real algorithm; apart: whether a block begins behind the prompt."""

    algorithm: Any
    runner: Runner
    end: int
    apart: bool
    steps: int = 0
    waiting: dict[str, Any] = field(default_factory=dict)
    canvases: dict[str, Tensor] = field(default_factory=dict)

    def run(self, asks: list[Ask]) -> None:
        """Run until every request has its end token, as many tokens as it may have, or an error."""
        while active := [one for one in asks if not self._done(one)]:
            self._round(active)
            assert self.steps < 2000

    def _done(self, ask: Ask) -> bool:
        return (
            ask.to_finish is not None
            or self.end in ask.output_ids
            or len(ask.output_ids) >= ask.sampling_params.max_new_tokens
        )

    def _round(self, asks: list[Ask]) -> None:
        """One call of the algorithm: a block of each request, or with first done, first out one step."""
        self.steps += 1
        N, fresh = self.runner.N, [one.rid not in self.canvases for one in asks]
        for ask, new in zip(asks, fresh, strict=True):
            if new:
                self.canvases[ask.rid] = self._canvas(ask)
        ids = torch.cat([self.canvases[one.rid] for one in asks])
        batch = self._batch(asks, ids)
        states = [self.waiting.get(one.rid) for one in asks]
        with torch.no_grad():
            _, tokens, lengths, states_out, _ = self.algorithm.run(self.runner, batch, states)
        for k, ask in enumerate(asks):
            if lengths is not None and lengths[k] == 0:
                self.waiting[ask.rid] = states_out[k]
                self.canvases[ask.rid] = torch.tensor(tokens[k])
                continue
            written = torch.as_tensor(tokens[k]).tolist()
            written = written if lengths is None else written[0 if self.apart else self._begin(ask) :]
            ask.output_ids.extend(written)
            self.waiting.pop(ask.rid, None)
            del self.canvases[ask.rid]
        assert N

    def _begin(self, ask: Ask) -> int:
        return (len(ask.origin_input_ids) + len(ask.output_ids)) % self.runner.N

    def _canvas(self, ask: Ask) -> Tensor:
        """The prompt's part of a block and masks, or zeros."""
        N, length = self.runner.N, len(ask.origin_input_ids) + len(ask.output_ids)
        if self.apart:
            ask.dllm_block_offset = length
            return torch.zeros(N, dtype=torch.int64)
        begin = self._begin(ask)
        ask.dllm_block_offset = length - begin
        written = [*ask.origin_input_ids, *ask.output_ids][length - begin :]
        return torch.tensor(written + [self.algorithm.mask_id] * (N - begin))

    def _batch(self, asks: list[Ask], ids: Tensor) -> Any:
        return SimpleNamespace(
            batch_size=len(asks),
            input_ids=ids,
            rids=[one.rid for one in asks],
            forward_mode=SimpleNamespace(is_dllm_extend=lambda: True),
            sampling_info=SimpleNamespace(grammars=[one.grammar for one in asks]),
            dllm_prompt_mask=None,
            dllm_input_preparation_state=None,
            input_embeds=None,
        )
