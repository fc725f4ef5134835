"""Fit the constants of structgen/counting.py to documents of the generator, with the shipped weights.

    PYTHONPATH=.:engine python -m training.counts --documents 300

Every number of items is an alternative of a conditional logit (McFadden 1974): what the model says of it, and how much
of its items one place of the document tells, whole records and single values apart. The documents have unseen values,
and are none of those that `training.evaluate` or the benchmarks draw.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import torch
from torch import Tensor

import structgen as sg
from structgen.generation.writer import prompt_ids
from structgen.model import Model
from structgen_mini.counting import ALONE, CERTAINTY, LEAST, TORN, WHOLE, Shares, shares
from structgen_mini.layout import count_weights, first_layout
from structgen_mini.writer import MiniWriter
from training.canvases import array_counts
from training.evaluate import Problem, drawn
from training.schemas import outline_of

RIDGE = 1e-3
SEED = 77
SHIPPED = (CERTAINTY, WHOLE, ALONE, TORN)


@dataclass(frozen=True, eq=False)
class Counted:
    """An array: features [C, 4] of having 0, 1, 2 … items, and how many it has; `right` by the model alone."""

    features: Tensor
    items: int
    right: bool


def arrays(model: Model, problem: Problem) -> list[Counted]:
    """The arrays of a problem whose number of items can be laid out."""
    automaton = sg.compile(problem.schema, model.vocabulary).automaton
    assert isinstance(model.writer, MiniWriter)
    canvas = model.writer.canvas
    layout = first_layout(canvas, outline_of(problem.schema))
    if layout is None:
        return []
    asked = (
        automaton,
        prompt_ids(model, model.prompts.extraction(sg.JsonSchema(problem.schema), problem.document)),
    )
    generator = torch.Generator().manual_seed(0)
    weights = count_weights(canvas, layout, *asked, generator)
    told = shares(canvas, layout, weights, problem.document, *asked, generator)
    gold, found = dict(array_counts(problem.value)), []
    for slot, known in weights.items():
        items, most = gold.get(slot.pointer, len(known)), max(known)
        if items < len(known):
            rows = [
                _features(max(one - most, -LEAST), told[slot].get(at, [])) for at, one in enumerate(known)
            ]
            found.append(Counted(torch.tensor(rows, dtype=torch.float64), items, known.index(most) == items))
    return found


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
    """Of the arrays, those whose likeliest number of items is right."""
    return sum(int((one.features @ constants).argmax()) == one.items for one in found) / len(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=300)
    options = parser.parse_args()
    model = sg.load()
    found = [one for problem in drawn("values", options.documents, SEED) for one in arrays(model, problem)]
    fitted = fit(found)
    print(
        f"{len(found)} arrays; right by the model alone: {sum(one.right for one in found) / len(found):.1%}"
    )
    for name, constants in (("shipped", torch.tensor(SHIPPED, dtype=torch.float64)), ("fitted", fitted)):
        named = zip(("CERTAINTY", "WHOLE", "ALONE", "TORN"), constants.tolist(), strict=True)
        values = ", ".join(f"{constant} {value:.3f}" for constant, value in named)
        print(f"{name}: {values}; right: {share_right(found, constants):.1%}")


if __name__ == "__main__":
    main()
