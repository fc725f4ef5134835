"""Reading logits of any type as float32, clamped to a largest size."""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOperatorIssue=false, reportAttributeAccessIssue=false

from __future__ import annotations

import triton
import triton.language as tl

from structgen_engine.kernels.scores import LARGEST, LIMIT

BOUND, MOST = tl.constexpr(LIMIT), tl.constexpr(LARGEST)


@triton.jit
def single(x):
    """A float32 from any logit; a finite float64 stays finite."""
    if x.dtype == tl.float64:
        x = tl.where(tl.abs(x) < float("inf"), tl.minimum(tl.maximum(x, -MOST), MOST), x)
    return x.to(tl.float32)


@triton.jit
def held(x, temperature):
    """A float32 logit, clamped to the bound if it is finite: see `kernels.scores.LIMIT`."""
    # the constant comes second: before triton 3.8 a constexpr times a tensor is a constexpr of a tensor
    bound = tl.minimum(temperature * BOUND, MOST).to(tl.float32)
    return tl.where(tl.abs(x) < float("inf"), tl.minimum(tl.maximum(x, -bound), bound), x)


@triton.jit
def lifted(x, temperature, raised):
    """The logit, or the bound's negative in place of −inf if `raised`."""
    bound = tl.minimum(temperature * BOUND, MOST).to(tl.float32)
    return tl.where(raised & (x == float("-inf")), -bound, x)
