"""Running tasks on as many threads as torch uses."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)  # threads do not survive a fork


def run(tasks: Sequence[Callable[[], object]]) -> None:
    """Run the tasks on torch's number of threads; if that is more than one, the caller's own only waits."""
    threads = torch.get_num_threads()
    if threads == 1 or len(tasks) == 1:
        for task in tasks:
            task()
        return
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="lattice")
    for done in [_pools[threads].submit(task) for task in tasks]:
        done.result()
