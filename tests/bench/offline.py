"""What the compiler makes of the GPU kernels, for a GPU that is not in this machine: registers, spills, shared memory.

`python -m bench.offline` compiles every kernel of a step for compute capabilities 9.0 (H100, H200) and 12.0 (RTX 50,
RTX PRO 6000), or for those named, and prints a JSON line for each.
The interpreter accepts kernels that the compiler refuses, so the tests run this too. Not under TRITON_INTERPRET=1.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime import driver
from triton.runtime.jit import JITFunction

from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa, block

CAPABILITIES = (90, 120)
DUMP = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"


class Absent:
    """As much of a driver as the compiler asks for."""

    def __init__(self, capability: int) -> None:
        self.capability = capability

    def get_current_target(self) -> GPUTarget:
        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int | None = None) -> int:
        return 0


@contextmanager
def compiled(capability: int) -> Iterator[list[dict[str, Any]]]:
    """Launches inside compile and do not run; the list gathers what became of each kernel."""
    found: list[dict[str, Any]] = []
    run = JITFunction.run

    def compile_only(self: Any, *args: Any, grid: Any, warmup: bool, **options: Any) -> Any:
        kernel = run(self, *args, grid=grid, warmup=True, **options)
        programs = 1
        for size in grid:
            programs *= size
        found.append({"kernel": self.__name__, "programs": programs, **_resources(kernel)})
        return kernel

    with patch.object(JITFunction, "run", compile_only), patch.object(driver, "_active", Absent(capability)):
        yield found


def _resources(kernel: Any) -> dict[str, int]:
    """threads, registers of each, bytes of its stack (spills among them), bytes of shared memory."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(kernel.asm["cubin"])
        dump = subprocess.run(
            [DUMP, "--dump-resource-usage", file.name], capture_output=True, text=True, check=True
        )
    usage = dict(re.findall(r"(REG|STACK|SHARED|LOCAL):(\d+)", dump.stdout))
    return {
        "threads": 32 * kernel.metadata.num_warps,
        "registers": int(usage["REG"]),
        "spilled": int(usage["STACK"]) + int(usage["LOCAL"]),
        "shared": int(usage["SHARED"]) + kernel.metadata.shared,
    }


def every_kernel(
    automaton: BlockAutomaton, logits: torch.Tensor, capability: int = CAPABILITIES[0]
) -> list[dict[str, Any]]:
    """The resources of all kernels of a step, for one automaton and logits [1, N, V]."""
    from structgen_engine.kernels.gpu import Step

    with compiled(capability) as found:
        step = Step.of([automaton], positions=logits.shape[1], device="cpu")
        step.run(logits)
        step.spread(logits, logits)
        step.process_(logits)
        step.lean_rows()
        _in_tiles(automaton, logits)
    return found


def _in_tiles(automaton: BlockAutomaton, logits: torch.Tensor) -> None:
    """What a step of several tiles launches besides: with and without a table of marginals."""
    from structgen_engine.kernels import gpu

    steps = torch.zeros(1, dtype=torch.int32)
    host = gpu.Host(1, [0], sources=[0], schedule=gpu.Cooling(steps, 0.4, 0.8, 48))
    step = gpu.Step.of([automaton], positions=logits.shape[1], device="cpu", host=host)
    step.run(logits)
    parts = step.best, step.ids, step.entropy
    for table in (logits, None):
        tile = gpu.Handing(0, logits.shape[1], parts, parts, written=table is not None)
        step.hand_over(logits, slice(0, 1), tile, table)


def small() -> BlockAutomaton:
    """Two states and a class of 600 tokens, one of 40."""
    labels = torch.ones(640, dtype=torch.int32)
    labels[600:] = 2
    delta = torch.tensor([[0, 0, 0], [0, 1, 2], [0, 0, 2]], dtype=torch.int32)
    return block(Dfa(Alphabet(labels, 3), delta, torch.tensor([False, False, True]), 1))


if __name__ == "__main__":
    for number in map(int, sys.argv[1:]) if sys.argv[1:] else CAPABILITIES:
        for line in every_kernel(small(), torch.empty(1, 8, 640, dtype=torch.bfloat16), number):
            print(json.dumps({"capability": number, **line}))
