"""Fitting the embedded model's constants of counting, and writing them into the weights.toml beside its weights.

Every number of items that an array may have is an alternative of a conditional logit (McFadden 1974). Its features are
what the model says of it, and how much of its items one place of the document describes, whole records and single
values apart. The documents come from the training generator; their values are unseen in training, and neither
`training.evaluate` nor another benchmark draws them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

import structgen as sg
from structgen.generation.writer import prompt_ids
from structgen.model import Model
from structgen_mini.canvas import Canvas
from structgen_mini.constants import Counting
from structgen_mini.copies import Offer
from structgen_mini.counting import Shares, shares
from structgen_mini.layout import count_weights, first_layout
from structgen_mini.writer import MiniWriter
from training.canvases import array_counts
from training.evaluate import Problem, drawn
from training.schemas import outline_of

RIDGE = 1e-3
SEED = 77
FITTED = ("certainty", "whole", "alone", "torn")  # in the order of the features


@dataclass(frozen=True, eq=False)
class Counted:
    """An array of a document: features [C, 4] of having 0, 1, 2 … items, and how many items it has.

    right: whether the model alone finds that number likeliest
    """

    features: Tensor
    items: int
    right: bool


def run(model: Model, console: Console, *, documents: int, file: Path, source: str) -> Counting:
    """Fit the constants to generated documents and write them into a weights.toml; `source` says there how."""
    found = [one for problem in drawn("values", documents, SEED) for one in arrays(model, problem)]
    shipped = _canvas_of(model).constants.counting
    fitted = replace(shipped, **_rounded(fit(found)))
    alone = sum(one.right for one in found) / len(found)
    console.print(f"{len(found)} arrays; right by the model alone: {alone:.1%}")
    for name, one in (("before", shipped), ("fitted", fitted)):
        constants = torch.tensor([getattr(one, key) for key in FITTED], dtype=torch.float64)
        console.print(f"{name}: {one}; right: {share_right(found, constants):.1%}")
    file.write_text(written(file.read_text(encoding="utf-8"), fitted, source), encoding="utf-8")
    return fitted


def arrays(model: Model, problem: Problem) -> list[Counted]:
    """The arrays of a problem whose number of items can be laid out."""
    automaton = sg.compile(problem.schema, model.vocabulary).automaton
    canvas = _canvas_of(model)
    layout = first_layout(canvas, outline_of(problem.schema))
    if layout is None:
        return []
    asked = (
        automaton,
        prompt_ids(model, model.prompts.extraction(sg.JsonSchema(problem.schema), problem.document)),
    )
    generator = torch.Generator().manual_seed(0)
    weights = count_weights(canvas, layout, *asked, generator)
    offer = Offer(canvas, problem.document, layout.outline)
    described = shares(canvas, layout, weights, offer, *asked, 0)
    gold, found, least = dict(array_counts(problem.value)), [], canvas.constants.counting.least
    for slot, known in weights.items():
        items, most = gold.get(slot.pointer, len(known)), max(known)
        if items < len(known):
            rows = [
                _features(max(one - most, -least), described[slot].get(at, []))
                for at, one in enumerate(known)
            ]
            found.append(Counted(torch.tensor(rows, dtype=torch.float64), items, known.index(most) == items))
    return found


def _canvas_of(model: Model) -> Canvas:
    assert isinstance(model.writer, MiniWriter)
    return model.writer.canvas


def _features(nats: float, items: Shares) -> list[float]:
    whole, alone = (sum(share for share, many in items if many == several) for several in (True, False))
    return [nats, whole, alone, -sum(1 - share for share, _ in items)]


def fit(found: list[Counted]) -> Tensor:
    """The constants [4], in the order of the features."""
    constants = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([constants], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        scores = torch.stack([-(one.features @ constants).log_softmax(0)[one.items] for one in found])
        total = scores.mean() + RIDGE * constants.square().sum()
        total.backward()
        return total

    optimizer.step(loss)  # type: ignore[arg-type]
    return constants.detach()


def share_right(found: list[Counted], constants: Tensor) -> float:
    """The share of arrays whose likeliest number of items is right."""
    return sum(int((one.features @ constants).argmax()) == one.items for one in found) / len(found)


def written(text: str, fitted: Counting, source: str) -> str:
    """The text of a weights.toml with the fitted constants in place of its own; everything else stays as it is."""
    text, replaced = re.subn(r"^# Fitted .*$", lambda _: f"# Fitted {source}.", text, flags=re.M)
    for key in FITTED:
        text, count = re.subn(rf"^{key} = [-\d.e]+", f"{key} = {getattr(fitted, key)!r}", text, flags=re.M)
        replaced += count
    if replaced != 1 + len(FITTED):
        raise ValueError(
            f"the file must have one line that begins with '# Fitted' and one for each of {FITTED}"
        )
    return text


def _rounded(constants: Tensor) -> dict[str, float]:
    """By name, with three significant digits."""
    return {key: float(f"{value:.3g}") for key, value in zip(FITTED, constants.tolist(), strict=True)}
