"""Constraints for programs that call `generate` of transformers' DiffusionGemma themselves.

    invoice = sg.compile(Invoice, vocabulary_of(model, tokenizer))
    output = model.generate(**inputs, **constrain(model, [invoice, None], max_new_tokens=512))

`constrain` returns arguments of `generate` and changes neither the model nor the library. One argument takes the place
of the list of logits processors: after the host's own processors and temperature, it replaces the scores of constrained
rows by their log-marginals, so acceptance, stopping and self-conditioning see the constrained distribution. The other
is the first stopping criterion: `generate` shows it the sequences with a new canvas of per-position best tokens, which
need not form an accepted text, and it writes the joint best canvas in their place. Rows whose constraint is None are
not changed at all.

The host still draws each position independently within a step, and its stopping rule still counts forced positions;
`jointly` changes both.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen.errors import InvalidOption, Unsupported
from structgen.generation.options import check_whole
from structgen.integrations.answers import read, vocabulary_of
from structgen.integrations.joint import jointly
from structgen.integrations.rows import HostBatch
from structgen_engine.decoding.options import Finish

__all__ = ["constrain", "jointly", "read", "vocabulary_of"]


def constrain(
    model: Any,
    constraints: Sequence[Constraint[Any] | None],
    *,
    max_new_tokens: int = 256,
    logits_processor: Sequence[Callable[..., Tensor]] = (),
    stopping_criteria: Sequence[Callable[..., Tensor]] = (),
    finish: Finish = Finish.BEST,
    seed: int = 0,
) -> dict[str, Any]:
    """Arguments for one call of `model.generate`.

    constraints: one per row of the batch, None for a row that may hold anything
    max_new_tokens: rounded up to whole canvases, as `generate` does
    logits_processor, stopping_criteria: your own, applied before the constraint and after the canvas is committed
    finish: whether a canvas ends with its joint best tokens or with a joint draw, which `seed` determines

    Raises Unsatisfiable if a constraint does not fit the budget, Unsupported if `generate` would cut an answer at a
    token that the constraint uses inside it.
    """
    transformers: Any = importlib.import_module("transformers")
    check_whole("max_new_tokens", max_new_tokens, 1)
    _check_ends(model, constraints)
    rows = HostBatch(
        constraints,
        block_length=model.config.canvas_length,
        max_tokens=max_new_tokens,
        finish=finish,
        seed=seed,
    )
    scores = _Scores(rows, transformers.LogitsProcessorList(logits_processor))
    return {
        "max_new_tokens": max_new_tokens,
        "max_length": None,  # from a generation_config.json; it would override a max_new_tokens of 256
        "logits_processor": scores,
        "stopping_criteria": transformers.StoppingCriteriaList([_Commit(scores), *stopping_criteria]),
    }


class _Scores:
    """A list of logits processors with the constraint after everything that is appended to it.

    `generate` appends the temperature to the given list, so the constraint sees scores at that temperature.
    """

    def __init__(self, rows: HostBatch, others: Any) -> None:
        self.rows, self.others = rows, others
        self.length: int | None = None  # tokens before the current canvas, once they are known

    def append(self, processor: Callable[..., Tensor]) -> None:
        self.others.append(processor)

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        """scores [B, N, V]; input_ids [B, P], all tokens before the canvas"""
        if self.length not in (None, input_ids.shape[1]):
            raise InvalidOption(
                "these arguments have served another call of generate: call constrain for each one"
            )
        self.length = input_ids.shape[1]
        return self.rows.constrained(self.others(input_ids, scores, **kwargs))


class _Commit:
    """A stopping criterion that writes accepted canvases into the sequences before anything else reads them."""

    def __init__(self, scores: _Scores) -> None:
        self.scores, self.rows = scores, scores.rows

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        """Returns done [B] bool; input_ids [B, P + N] end with the new canvas and are modified."""
        self.scores.length = input_ids.shape[1]
        done = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        if len(self.rows.index):
            index = self.rows.index.to(input_ids.device)
            blocks = self.rows.finals().to(input_ids.device)
            input_ids[index, -self.rows.block_length :] = blocks
            done[index] = self.rows.commit(blocks).to(input_ids.device)
        return done


def _check_ends(model: Any, constraints: Sequence[Constraint[Any] | None]) -> None:
    """Raise Unsupported if an answer may hold one of the tokens after which `generate` pads everything."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    ends = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
    for constraint in constraints:
        if constraint is None:
            continue
        vocabulary = constraint.vocabulary
        own = {vocabulary.special[name] for name in (vocabulary.end, vocabulary.pad) if name is not None}
        inside = [
            end for end in sorted(ends - own) if end < vocabulary.size and constraint.compiled.uses(end)
        ]
        if inside:
            names = [name for name, index in vocabulary.special.items() if index in inside]
            raise Unsupported(
                f"generate pads everything behind {', '.join(names) or inside}, which the constraint uses inside an "
                "answer",
                remedy="take these ids out of generation_config.eos_token_id",
            )
