"""How numba kernels notice that their compilation is over its limit.

if work > look:              # in a loop: only now and then, because a look takes some microseconds
    if used_up():
        break                # the result is then useless; the caller's check() raises
    look = work + SLICE
"""

from __future__ import annotations

import numba as nb

from structgen.limits.budget import spent
from structgen_engine.jit import kernel

SLICE = 2_000_000  # steps of a few nanoseconds between two looks


@kernel
def used_up() -> bool:  # pragma: no cover
    """Whether the time or the memory is used up; kernels cannot raise without losing their memory."""
    with nb.objmode(over="boolean"):  # pyright: ignore
        over = spent()
    return over
