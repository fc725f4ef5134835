"""Memory of the plugin over 2,000 requests with 500 schemas, on the stand-in: `python -m integrations.vllm_memory`."""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from integrations.test_vllm import Served
from integrations.vllm_engine import PLACES, Engine, Request, StockSampler
from structgen.integrations.vllm.asked import KEY, Asked
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler
from structgen.limits.budget import PAGE, STATM
from tiny_gemma import CANVAS, HEAD, small_tokenizer

SCHEMAS, REQUESTS = 500, 2_000
READINGS = 10


def schema(number: int) -> dict[str, Any]:
    """One of different objects, each of which fits a canvas or two."""
    return {
        "type": "object",
        "properties": {
            f"a{number}": {"type": "integer", "maximum": number},
            "b": {"enum": ["x", f"y{number}"]},
        },
        "required": ["b"],
        "additionalProperties": False,
    }


def readings(folder: Path, requests: int, schemas: int, *, canvases: int = 3) -> list[float]:
    """Megabytes of the process after each tenth of the requests; each answer is checked."""
    tokenizer = small_tokenizer(folder / "tokenizer.json")
    server, compiled = Served(tokenizer, parser=""), Constraints(lambda: tokenizer, HEAD)
    engine = Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD, steps=1), compiled), CANVAS)
    torch.manual_seed(0)
    found, budget = list[float](), canvases * CANVAS
    for first in range(0, requests, PLACES):
        asked = [_asked(server, schema((first + place) * 7 % schemas), budget) for place in range(PLACES)]
        batch = [Request(place, budget, {KEY: one.written()}) for place, one in enumerate(asked)]
        engine.run(batch)
        for one, request in zip(asked, batch, strict=True):
            assert compiled.submit(one).result().accepts_ids(request.ids)
        if (first + PLACES) * READINGS // requests > len(found):
            gc.collect()
            found.append(int(STATM.read_text().split()[1]) * PAGE / 1e6)
    return found


def _asked(server: Served, one: dict[str, Any], budget: int) -> Asked:
    """What the server's half hands on to the engine's."""
    status, answer = server.post({"structured_outputs": {"json": one}, "max_tokens": budget})
    assert status == 200, answer
    return Asked.read(json.loads(server.bodies.pop())["vllm_xargs"][KEY])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(" ".join(f"{one:.0f}" for one in readings(Path(scratch), REQUESTS, SCHEMAS)), "MB")
