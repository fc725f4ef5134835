"""Reading stored logits of any type as float32, and an exponential that vectorises."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import types
from numba.extending import overload
from numpy.typing import NDArray
from torch import Tensor

from structgen_engine.jit import kernel
from structgen_engine.kernels.scores import LARGEST

Array = NDArray[Any]

SUM = {
    "contract",
    "reassoc",
    "nsz",
    "arcp",
}  # −inf is a valid value, so "no infinities" and "no NaN" stay off


def stored(logits: Tensor) -> Array:
    """The same memory as a numpy array; bfloat16 as int16 and float16 as uint16, see `single`."""
    logits = logits.detach().contiguous()
    if logits.dtype == torch.bfloat16:
        return logits.view(torch.int16).numpy()
    if logits.dtype == torch.float16:
        return logits.view(torch.int16).numpy().view(np.uint16)
    return logits.numpy()


def narrowed(logits: Tensor) -> Tensor:
    """Logits as the vector kernels read them, float32 or bfloat16; those of other types are copied."""
    if logits.dtype == torch.float64:
        logits = torch.where(logits.isinf(), logits, logits.clamp(-LARGEST, LARGEST))
    return logits if logits.dtype == torch.bfloat16 else logits.float()


def single(x: Any) -> Any:
    """A float32 from any stored logit; bfloat16 travels as int16, float16 as uint16."""
    raise NotImplementedError


@overload(single)
def _single(x: Any) -> Any:
    if x == types.int16:

        def brain(x: Any) -> Any:
            return np.int32(np.int32(x) << np.int32(16)).view(np.float32)

        return brain
    if x == types.uint16:

        def half(x: Any) -> Any:
            low = np.int32(x) & np.int32(0x7FFF)
            sign = np.int32((np.int32(x) & np.int32(0x8000)) << np.int32(16))
            size = np.float32(np.int32(low << np.int32(13)).view(np.float32) * np.float32(2.0**112))
            special = np.int32(np.int32(low >= np.int32(0x7C00)) * np.int32(0x7F800000))  # inf and NaN
            return np.int32(size.view(np.int32) | sign | special).view(np.float32)

        return half

    if x == types.float64:

        def double(x: Any) -> Any:
            return np.float32(min(max(x, -LARGEST), LARGEST) if -np.inf < x < np.inf else x)

        return double

    def plain(x: Any) -> Any:
        return np.float32(x)

    return plain


def put(out: Array, at: int, x: Any) -> None:
    """Store a float32, rounded to bfloat16 where the array is int16."""
    raise NotImplementedError


@overload(put)
def _put(out: Any, at: Any, x: Any) -> Any:
    if out.dtype == types.int16:

        def brain(out: Any, at: Any, x: Any) -> None:
            bits = np.float32(x).view(np.int32)
            out[at] = np.int16(
                np.int32(bits + np.int32(0x7FFF) + (np.int32(bits >> np.int32(16)) & np.int32(1)))
                >> np.int32(16)
            )

        return brain

    def plain(out: Any, at: Any, x: Any) -> None:
        out[at] = x

    return plain


@kernel(inline="always")
def held(x: Any, bound: Any) -> Any:
    """A logit, clamped to ±bound if it is finite: see `kernels.scores.LIMIT`."""
    return min(max(x, -bound), bound) if -np.inf < x < np.inf else x


@kernel(inline="always")
def exp(x: Any) -> Any:
    """exp of a float32 in [−87, 0], 2e-7 relative (Moshier, Cephes expf): branch-free, so that loops vectorise."""
    n = np.int32(x * np.float32(1.44269504088896341) - np.float32(0.5))
    z = np.float32(n)
    x = x - z * np.float32(0.693359375)
    x = x + z * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * x + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    y = y * (x * x) + x + np.float32(1.0)
    return y * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
