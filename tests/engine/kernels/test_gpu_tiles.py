"""One step for canvases of different lengths, wherever their logits begin, handed over to tiles of the host's."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
import torch

from gpu_cases import DEVICE, IMPOSSIBLE, close, logits_for, poisoned, random_row
from structgen_engine.kernels import gpu, reference
from structgen_engine.kernels.gpu import layout
from structgen_engine.lattice.lattice import BlockLattice

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
SIZES = ({"states": 9, "classes": 7, "tokens": 40}, {"states": 15, "classes": 10, "tokens": 60})


@pytest.mark.parametrize("spared", [False, True])
@pytest.mark.parametrize("kind", ["plain", "peaked", "holes"])
def test_rows_of_different_lengths_are_handed_over_tile_by_tile(kind: str, spared: bool) -> None:
    """Three rows begin anywhere in one table of logits, and go to two tiles among canvases of others."""
    rows = [
        random_row(0, **SIZES[0]),
        random_row(3, states=15, classes=10, tokens=60),
        random_row(5, **SIZES[0]),
    ]
    lengths, sources, steps = (
        [3, 5, 5],
        [9, 4, 0],
        torch.tensor([0, 8, 3], dtype=torch.int32, device=DEVICE),
    )
    logits = logits_for(6, (13, 64), kind).to(torch.bfloat16)
    plan = gpu.Cooling(steps, 0.5, 2.0, 8)
    where = {
        "lengths": lengths,
        "sources": sources,
        "targets": [0, 1, 3],
        "slots": [2, 0, 1],
        "schedule": plan,
    }
    host = gpu.Host(3, range(3), raised=True, **where)
    told = gpu.Told(settled=torch.tensor([[-1, -1, -1, 5, 5], [-1] * 5, [-1] * 5]))
    flat = logits.as_strided((13, 1, 64), (64, 64, 1))
    with poisoned(), patch.object(layout, "LEAN_BYTES", 0 if spared else 15e6):
        step = gpu.Step.of(rows, positions=5, device=DEVICE, host=host, told=told, spared=spared)
    step.run(flat)
    assert step.temperature.tolist() == [0.5 + 1.5 * 5 / 8, 2.0, 0.5 + 1.5 / 8]
    for span, first, width, height in ((slice(0, 1), 0, 3, 1), (slice(1, 3), 1, 5, 3)):
        best, drawn, entropy = tile(height * width)
        table = torch.full((height, width, 64), 7.0, dtype=torch.bfloat16, device=DEVICE)
        parts = (step.best, step.ids, step.entropy), (best, drawn, entropy)
        step.hand_over(flat, span, gpu.Handing(first, width, *parts, written=True), table)
        for b in range(*span.indices(3)):
            place = host.targets[b] - first  # type: ignore[index]
            shown = logits[sources[b] :][: lengths[b]].double().clamp_min(-250_000.0)[None]
            one = BlockLattice(rows[b], shown, temperature=float(step.temperature[b]), backend=reference)
            at = slice(place * width, (place + 1) * width)
            assert close(entropy[at][None], one.beliefs().entropy, 5e-6)
            assert torch.equal(best[at][None], one.argmax().ids)
            assert one.log_prob(drawn[at][None]).item() > IMPOSSIBLE
            assert close(table[place][None], one.marginals(), 4e-3)
        if height == 3:  # the canvas of another
            assert (table[1] == 7.0).all()
            assert (best[5:10] == -7).all()


def tile(positions: int) -> tuple[Any, Any, Any]:
    whole = torch.full((2, positions), -7, device=DEVICE)
    return whole[0], whole[1], torch.full((positions,), 7.0, device=DEVICE)
