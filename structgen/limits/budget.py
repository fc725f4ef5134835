"""Limits on the CPU time and added memory of a compilation, checked in every loop that may be long.

    with limited(seconds=20, gigabytes=2):
        ...                     # somewhere inside: check(), which raises OverLimit once either is used up

Seconds are CPU time of the compiling thread, so a busy machine refuses nothing that an idle one compiles. The limits
belong to the context (contextvars), so threads do not share them; without limits nothing is refused here. Kernels check
them with `interrupt.used_up`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from structgen.errors import Unsupported
from structgen.surface import simpler_or_larger

STATM = Path("/proc/self/statm")  # memory in pages on Linux; elsewhere memory is not limited
PAGE = 4096
OFTEN = 0.05  # seconds between two measurements of the memory


class OverLimit(Unsupported):
    """Compiling the source would take more time or memory than allowed."""


@dataclass(eq=False)
class _Budget:
    seconds: float
    gigabytes: float
    begun: float
    bytes_before: int
    looked: float = 0.0
    refusal: OverLimit | None = None


_loaded: set[str] = set()
_budget: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextmanager
def limited(seconds: float, gigabytes: float) -> Iterator[None]:
    """Set limits for the code inside the context; if limits are already set, the outer ones hold."""
    if _budget.get() is not None:
        yield
        return
    token = _budget.set(_Budget(seconds, gigabytes, time.thread_time(), _resident()))
    try:
        yield
    finally:
        _budget.reset(token)


def check() -> None:
    """Raise OverLimit if the time or the memory is used up."""
    budget = _budget.get()
    if spent() and budget is not None and budget.refusal is not None:
        raise budget.refusal


def spent() -> bool:
    """Whether the time or the memory is used up; once it is, it stays so."""
    budget = _budget.get()
    if budget is None:
        return False
    now = time.thread_time()
    if now - budget.begun > budget.seconds:
        budget.refusal = OverLimit(
            f"the source takes longer than {budget.seconds:g} seconds to compile",
            remedy=simpler_or_larger("seconds"),
        )
    elif now - budget.looked > OFTEN:
        budget.looked = now
        if _resident() - budget.bytes_before > budget.gigabytes * 1e9:
            budget.refusal = OverLimit(
                f"the source needs more than {budget.gigabytes:g} GB of memory to compile",
                remedy=simpler_or_larger("gigabytes"),
            )
    return budget.refusal is not None


@contextmanager
def loading(kernel: str) -> Iterator[None]:
    """Suspend the limits for the first call of each kernel, which numba may have to compile for a while."""
    budget = _budget.get()
    if kernel in _loaded or budget is None:
        yield
        _loaded.add(kernel)
        return
    begun, token = time.thread_time(), _budget.set(None)
    try:
        yield
    finally:
        _loaded.add(kernel)
        _budget.reset(token)
        budget.begun += time.thread_time() - begun


def excuse(seconds: float) -> None:
    """Add CPU time that does not count, since it was not the source that took it."""
    budget = _budget.get()
    if budget is not None:
        budget.begun += seconds


def remaining() -> float:
    """The seconds left; infinity if there is no limit."""
    budget = _budget.get()
    return float("inf") if budget is None else max(0.0, budget.begun + budget.seconds - time.thread_time())


def out_of_time(what: str) -> OverLimit:
    """The refusal of a source that is too large for the remaining seconds."""
    budget = _budget.get()
    whole = budget.seconds if budget else 0
    return OverLimit(
        f"the source would take longer than {whole:g} seconds to compile: it has {what}, too many for the "
        f"{remaining():.1f} seconds that are left",
        remedy=simpler_or_larger("seconds"),
    )


def _resident() -> int:
    try:
        return int(STATM.read_text().split()[1]) * PAGE
    except (OSError, IndexError, ValueError):
        return 0
