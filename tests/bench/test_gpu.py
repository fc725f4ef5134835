"""The half of `python -m bench gpu` that wants a GPU, with Triton's interpreter in place: figures for every line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from gpu_cases import DEVICE  # before triton is imported, for it says who runs it

# isort: split
from bench import gpu
from bench.offline import small
from structgen_engine.kernels.gpu import Step

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")


class Event:
    """A CUDA event that takes a millisecond."""

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        pass

    def elapsed_time(self, end: Event) -> float:
        return 1.0


@pytest.mark.skipif(DEVICE != "cpu", reason="there is a GPU: run the benchmark")
def test_what_wants_a_gpu_runs_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right first: the errors against the reference are asserted by the benchmark itself."""
    cuda: dict[str, Any] = {
        "is_available": lambda: True,
        "get_device_name": lambda: "no GPU",
        "Event": Event,
        "synchronize": lambda: None,
        "_sleep": lambda cycles: None,
    }
    for name, stand_in in cuda.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(
        Step, "capture", lambda step, logits: SimpleNamespace(replay=lambda: step.run(logits))
    )
    monkeypatch.setattr(gpu, "compiled", lambda tokenizer, console: {"small": small()})
    for name, value in {"DEVICE": "cpu", "BLOCK": 4, "VOCABULARY": 640, "DENSE": (4, 8), "WARM": 0}.items():
        monkeypatch.setattr(gpu, name, value)
    figures = gpu.run(None, Console(quiet=True), rounds=1, batches=(1,))
    assert figures["errors"]["small"]["drawn differently"] == 0
    assert [line["dtype"] for line in figures["steps"]] == ["torch.bfloat16", "torch.float32"]
    stages = [line["kernel"] for line in figures["kernels"]]
    assert (
        stages
        == [
            *("class scores", "uniforms", "bundles", "scans", "marginals", "paths", "tokens"),
            "marginals of tokens",
        ]
        * 2
    )
    assert [line["states"] for line in figures["dense"]] == [4, 8]
