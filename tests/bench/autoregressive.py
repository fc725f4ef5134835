"""A causal model decoded in the ordinary way: token by token, the likeliest that llguidance's mask allows.

The yardstick for structured output from causal models. It needs `pip install llguidance`, and has no budget-aware end:
a text that has not closed after `max_tokens` is cut, and so not valid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from structgen.model import Model
from structgen_engine.models.hf import cache_argument, cache_of

MOST_TOKENS = 512


@dataclass(frozen=True)
class Written:
    """Text, its ids with the end token, forward passes, and the probability of each id among those allowed."""

    text: str
    ids: tuple[int, ...]
    steps: int
    probabilities: tuple[float, ...]


class Greedy:
    """Greedy decoding under a JSON Schema, of a model that `structgen.load` read as a causal one."""

    def __init__(self, model: Model) -> None:
        """Raises ImportError where llguidance is not installed."""
        try:
            import llguidance  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise ImportError("decoding token by token needs llguidance: pip install llguidance") from None
        vocabulary = model.vocabulary
        if vocabulary.source is None or vocabulary.end is None:
            raise ValueError(f"{model.name} has no tokenizer file or no end token")
        self._library, self._vocabulary, self._model = llguidance, vocabulary, model.denoiser.model  # type: ignore[attr-defined]
        self._end = vocabulary.special[vocabulary.end]
        self._tokenizer = llguidance.LLTokenizer(
            vocabulary.source.read_text(encoding="utf-8"),
            n_vocab=model.denoiser.vocabulary_size,
            eos_token=self._end,
        )

    @torch.inference_mode()
    def __call__(
        self, prompt: Sequence[int], schema: Mapping[str, Any], max_tokens: int = MOST_TOKENS
    ) -> Written:
        """Answer a prompt; raises ValueError where llguidance refuses the schema. White space is flexible, as ours."""
        options = {"whitespace_flexible": True}
        grammar = self._library.LLMatcher.grammar_from_json_schema(json.dumps(schema), defaults=options)
        matcher = self._library.LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise ValueError(matcher.get_error())
        ids, probabilities, cache, given = [], [], None, list(prompt)
        while len(ids) < max_tokens and (not ids or ids[-1] != self._end):
            output = self._model(
                torch.tensor([given]),
                **cache_argument(self._model.forward, cache),
                use_cache=True,
                logits_to_keep=1,
            )
            cache, scores = cache_of(output), output.logits[0, -1].float()
            allowed = torch.frombuffer(bytearray(matcher.compute_bitmask()), dtype=torch.uint8)
            allowed = (allowed[:, None] >> torch.arange(8)).bitwise_and(1).flatten()[: len(scores)].bool()
            scores = scores.masked_fill(~allowed, float("-inf"))
            ids.append(int(scores.argmax()))
            probabilities.append(float(scores.softmax(0)[ids[-1]]))
            given = ids[-1:]
            if ids[-1] != self._end and not matcher.consume_token(ids[-1]):
                raise ValueError(matcher.get_error())
        text = self._vocabulary.decode(ids).decode(errors="replace")
        return Written(text, tuple(ids), len(ids), tuple(probabilities))
