"""The temperature and the shift of the embedded model's confidence, fitted to documents with known answers.

They minimise the cross-entropy between being right and the calibrated confidence. Half of the handwritten documents,
every other one, are for fitting; the other half, and the generated documents, only judge it. The figures have the share
of right values for each tenth of confidence, before and after.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from bench.evidence import Judged, judged, reliability
from bench.problems import handwritten, problems
from structgen.evidence.values import SUREST, calibrated
from structgen.model import Model

BINS = 10


def run(model: Model, console: Console, *, documents: int, file: Path | None) -> dict[str, Any]:
    """Fit the temperature, print what it does to each set, and write it into a weights.toml if one is given."""
    hand = list(handwritten())
    sets = {
        "handwritten, fitted to": hand[::2][:documents],
        "handwritten, kept apart": hand[1::2][:documents],
        "generated, unseen values": problems("values", documents, model),
        "generated, unseen names": problems("names", documents, model),
    }
    found = {}
    for name, asked in sets.items():
        with console.status(name):
            found[name] = list(judged(model, asked))
    temperature, shift = fitted(found["handwritten, fitted to"])
    rows = {name: _rows(one, temperature, shift) for name, one in found.items()}
    table = Table("values", "count", "right", "ECE", "ECE calibrated", "Brier", "Brier calibrated", "AUROC")
    for name, row in rows.items():
        before, after = row["before"], row["after"]
        shown = (before["ece"], after["ece"], before["brier"], after["brier"], before["auroc"])
        table.add_row(name, str(before["count"]), f"{before['right']:.3f}", *(f"{one:.3f}" for one in shown))
    console.print(table)
    console.print(f"temperature {temperature}, shift {shift}")
    if file is not None:
        file.write_text(written(file.read_text(encoding="utf-8"), temperature, shift), encoding="utf-8")
    return {"temperature": temperature, "shift": shift, "sets": rows}


def _rows(found: Judged, temperature: float, shift: float) -> dict[str, Any]:
    cooled = [(calibrated(sure, temperature, shift), right, warned) for sure, right, warned in found]
    return {
        "before": reliability(found) | {"bins": bins(found)},
        "after": reliability(cooled) | {"bins": bins(cooled)},
    }


def fitted(found: Judged) -> tuple[float, float]:
    """The temperature and the shift, with two significant digits, under which being right is likeliest."""
    share = torch.tensor([sure for sure, _, _ in found], dtype=torch.float64).clamp(SUREST, 1 - SUREST)
    odds, right = share.logit(), torch.tensor([float(one) for _, one, _ in found], dtype=torch.float64)
    slope = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([slope], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = binary_cross_entropy_with_logits(slope[0] * odds + slope[1], right)
        total.backward()
        return total

    optimizer.step(loss)  # type: ignore[arg-type]
    each, shift = slope.detach().tolist()
    return float(f"{1 / each:.2g}"), float(f"{shift:.2g}")


def bins(found: Judged) -> list[dict[str, float]]:
    """The mean confidence and the share of right values in each tenth of confidence that has any."""
    tenths: dict[int, list[tuple[float, bool]]] = {}
    for sure, right, _ in found:
        tenths.setdefault(min(math.floor(sure * BINS), BINS - 1), []).append((sure, right))
    return [
        {
            "count": len(some),
            "confidence": float(np.mean([sure for sure, _ in some])),
            "right": float(np.mean([right for _, right in some])),
        }
        for _, some in sorted(tenths.items())
    ]


def written(text: str, temperature: float, shift: float) -> str:
    """The text of a weights.toml with the fitted constants; everything else stays as it is."""
    for name, value in (("temperature", temperature), ("shift", shift)):
        text, count = re.subn(rf"^{name} = [-\d.e]+", f"{name} = {value!r}", text, flags=re.M)
        if count != 1:
            raise ValueError(f"the file must have one line that begins with '{name} ='")
    return text
