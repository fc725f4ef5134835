"""Wall time and CPU time of one piece of work: on a busy machine only the second can be compared."""

from __future__ import annotations

import time
from typing import NamedTuple


class Seconds(NamedTuple):
    """Seconds by the clock on the wall, and of CPU over all threads."""

    wall: float
    cpu: float


def now() -> Seconds:
    """Two clocks that only differences can be taken of."""
    return Seconds(time.perf_counter(), time.process_time())


def since(begun: Seconds) -> Seconds:
    """What has passed since `now` was called."""
    here = now()
    return Seconds(here.wall - begun.wall, here.cpu - begun.cpu)
