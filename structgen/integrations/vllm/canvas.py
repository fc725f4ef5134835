"""The canvas of a request: as long as its longest answer, where that is shorter than the model's canvas.

vLLM computes every position of a canvas in every step, and takes a shorter one for a request that names its length. An
enumeration or a small object needs 16 or 32 positions of 256. Answers that do not end on a canvas go on with the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structgen.compiler.constraint import Constraint

CANVAS_LENGTH = "diffusion_canvas_length"  # in vllm_xargs: vLLM's name of the length that a request asks for
MULTIPLE = 16  # positions; attention kernels work on tiles of so many rows


def shorter_canvas(constraint: Constraint[Any], budget: int, served: int) -> int | None:
    """The positions of a canvas that holds every answer of up to `budget` tokens; None if it is not below `served`."""
    longest = constraint.info().max_tokens
    needed = budget if longest is None else min(longest, budget)
    length = -(-needed // MULTIPLE) * MULTIPLE
    return length if length < served else None


def with_canvas(arguments: Mapping[str, Any], length: int | None) -> dict[str, Any]:
    """A request's vllm_xargs with the length of its canvas, unless the client has chosen one."""
    if length is None or arguments.get(CANVAS_LENGTH) is not None:
        return dict(arguments)
    return {**arguments, CANVAS_LENGTH: length}
