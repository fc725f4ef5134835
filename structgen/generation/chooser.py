"""The probability that a model gives to each of several answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from structgen.compiler.constraint import Constraint
from structgen_engine.decoding.denoiser import Denoiser
from structgen_engine.decoding.probe import Probe

CANVASES = 8  # noisy canvases whose results are averaged


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of one form to choose from.

    outline: the form in plain values; constraints: one per answer
    ids: the tokens of each answer in its usual spelling, end token included
    groups: how many answers each of several questions has that one canvas holds; empty for a single question. The other
    questions are open in the constraint of an answer, and there are no ids
    """

    outline: Mapping[str, Any]
    constraints: Sequence[Constraint[Any]]
    ids: Sequence[Sequence[int]]
    groups: Sequence[int] = ()


class Chooser(Protocol):
    """A way to compute the probabilities of answers to a prompt."""

    def over(self, denoiser: Denoiser, /) -> Chooser:
        """The same way with another denoiser of this model: that of a row which shares its passes with others."""
        ...

    def probabilities(self, prompt: Sequence[int], answers: Answers, seed: int) -> Tensor:
        """[answers] float64; prompt: token ids."""
        ...


@dataclass(frozen=True, eq=False)
class ProbeChooser:
    """A chooser that probes noisy canvases: the lattice gives the probability of each answer over all its spellings.

    pinned: the ids that a canvas of this form holds from the beginning, −1 for noise; the canvas is as long, because
    what stands behind them is padding
    """

    denoiser: Denoiser
    pinned: Callable[[Mapping[str, Any]], Sequence[int] | None] = lambda outline: None

    def over(self, denoiser: Denoiser) -> ProbeChooser:
        """The same chooser with another denoiser of this model."""
        return replace(self, denoiser=denoiser)

    def probabilities(self, prompt: Sequence[int], answers: Answers, seed: int) -> Tensor:
        """[answers] float64, the mean over CANVASES canvases."""
        denoiser, pinned = self.denoiser, self.pinned(answers.outline)
        held = [-1] * denoiser.block_length if pinned is None else pinned
        settled = torch.tensor(held).repeat(CANVASES, 1)
        noise = denoiser.noise.start(tuple(settled.shape), torch.Generator().manual_seed(seed))
        canvas = torch.where(settled >= 0, settled, noise)
        context = denoiser.start([prompt]).select(torch.zeros(CANVASES, dtype=torch.int64))
        logits = denoiser(context, canvas)
        remaining = max(0, max(one.min_tokens for one in answers.constraints) - len(held))
        looks = [Probe(one.automaton, logits, settled, remaining) for one in answers.constraints]
        weights = torch.stack([one.lattice.log_partition().cpu() for one in looks], dim=1)
        groups = weights.double().split(list(answers.groups) or weights.shape[1], dim=1)
        return torch.cat([group.softmax(1).mean(0) for group in groups])


@dataclass(frozen=True, eq=False)
class LikelihoodChooser:
    """A chooser for causal models, which cannot read noise: the likelihood of each answer's usual spelling."""

    denoiser: Denoiser

    def over(self, denoiser: Denoiser) -> LikelihoodChooser:
        """The same chooser with another denoiser of this model."""
        return replace(self, denoiser=denoiser)

    def probabilities(self, prompt: Sequence[int], answers: Answers, seed: int) -> Tensor:
        """[answers] float64; nothing is drawn."""
        length = max(map(len, answers.ids))
        canvas = torch.tensor([[*ids, *[0] * (length - len(ids))] for ids in answers.ids])
        counted = torch.tensor([[1.0] * len(ids) + [0.0] * (length - len(ids)) for ids in answers.ids])
        logits = self.denoiser(self.denoiser.start([prompt] * len(canvas)), canvas).cpu().double()
        found = logits.log_softmax(-1).gather(-1, canvas[..., None])[..., 0]
        return (found * counted).sum(-1).softmax(0)
