"""Uniform numbers made on the device, by Philox4x32-10 (Salmon et al. 2011), so that no step sends any.

A row has a seed and counts its steps, both on the device; its numbers depend on nothing else. A captured graph
therefore draws anew whenever it is replayed.

Axes: B batch, u numbers of a row.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

SPAN = 512  # numbers that are made together


def draw(seeds: Tensor, turns: Tensor, out: Tensor) -> None:
    """Fill out [B, u] float64 with numbers in [0, 1) from seeds [B] int64 and add 1 to turns [B] int64.

    Number k of a row is from the first two words of Philox with the counter turn · u + k: the upper 27 bits of one and
    the upper 26 of the other.
    """
    _uniforms[(len(seeds),)](seeds, turns, out, out.shape[1], out.stride(0), SPAN=SPAN, num_warps=4)


@triton.jit
def _uniforms(seeds, turns, out, count, stride, SPAN: tl.constexpr):
    b = tl.program_id(0).to(tl.int64)
    seed, turn = tl.load(seeds + b), tl.load(turns + b)
    for begin in range(0, count, SPAN):
        k = begin + tl.arange(0, SPAN)
        high, low, _, _ = tl.randint4x(seed, turn * count + k)  # pyright: ignore[reportGeneralTypeIssues]
        upper = (high.to(tl.uint32) >> 5).to(tl.float64)
        lower = (low.to(tl.uint32) >> 6).to(tl.float64)
        tl.store(out + b * stride + k, (upper * 67108864.0 + lower) / 9007199254740992.0, mask=k < count)
    tl.debug_barrier()
    tl.store(turns + b, turn + 1)
