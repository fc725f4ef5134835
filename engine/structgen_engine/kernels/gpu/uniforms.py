"""Uniform numbers made on the device, by Philox4x32-10 (Salmon et al. 2011), so that no step sends any.

A row has a seed and counts its steps, both on the device; its numbers depend on nothing else. A captured graph
therefore draws anew whenever it is replayed.

Axes: B batch, u numbers of a row.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass

import triton
import triton.language as tl
from torch import Tensor

from structgen_engine.kernels.gpu.fields import FIELDS, SLOT

SPAN = 512  # numbers that are made together


@dataclass(frozen=True, eq=False)
class Cooling:
    """Temperatures that fall with a host's steps, from `high` before the first to `low`, over `most` steps.

    steps: [slots] of any integer type, done so far, on the device
    """

    steps: Tensor
    low: float
    high: float
    most: int


def draw(
    seeds: Tensor,
    turns: Tensor,
    out: Tensor,
    *,
    lines: Tensor | None = None,
    temperature: Tensor | None = None,
    schedule: Cooling | None = None,
) -> None:
    """Fill out [B, u] float64 with numbers in [0, 1) from seeds [B] int64 and add 1 to turns [B] int64.

    With a schedule, temperature [B] float32 is filled, too, for the rows of these lines. Number k of a row is from the
    first two words of Philox with the counter turn · u + k: the upper 27 bits of one and the upper 26 of the other.
    """
    plan = schedule or Cooling(turns, 0.0, 0.0, 1)
    lines, degrees = turns if lines is None else lines, out if temperature is None else temperature
    _uniforms[(len(seeds),)](
        seeds, turns, out, lines, plan.steps, degrees, float(plan.low), float(plan.high - plan.low),
        float(plan.most), out.shape[1], out.stride(0), SCHEDULED=schedule is not None, SPAN=SPAN, num_warps=4,
    )  # fmt: skip


@triton.jit(do_not_specialize=["least", "range_", "most"])
def _uniforms(
    seeds, turns, out, lines, steps, temperature, least, range_, most, count, stride,
    SCHEDULED: tl.constexpr, SPAN: tl.constexpr,
):  # fmt: skip
    b = tl.program_id(0).to(tl.int64)
    if SCHEDULED:
        done = tl.load(steps + tl.load(lines + b * FIELDS + SLOT)).to(tl.float32)
        tl.store(temperature + b, least + range_ * (tl.maximum(most - done, 1.0) / most))
    seed, turn = tl.load(seeds + b), tl.load(turns + b)
    for begin in range(0, count, SPAN):
        k = begin + tl.arange(0, SPAN)
        high, low, _, _ = tl.randint4x(seed, turn * count + k)  # pyright: ignore[reportGeneralTypeIssues]
        upper = (high.to(tl.uint32) >> 5).to(tl.float64)
        lower = (low.to(tl.uint32) >> 6).to(tl.float64)
        tl.store(out + b * stride + k, (upper * 67108864.0 + lower) / 9007199254740992.0, mask=k < count)
    tl.debug_barrier()
    tl.store(turns + b, turn + 1)
