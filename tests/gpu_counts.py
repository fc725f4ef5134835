"""Counting what a GPU would be asked to do, on meta tensors: launches, host waits, and passes over tables [N, V].

No kernel runs. Operations of torch count as launches unless they are views or only take memory; what the host would
have to wait for is counted and answered with zeros.

Axes: B batch, N block, V vocabulary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from triton.runtime.interpreter import InterpretedFunction
from triton.runtime.jit import JITFunction

FREE = (  # views and memory
    *(
        "slice",
        "select",
        "view",
        "_unsafe_view",
        "as_strided",
        "detach",
        "alias",
        "split",
        "split_with_sizes",
        "t",
    ),
    *(
        "unsqueeze",
        "squeeze",
        "expand",
        "permute",
        "transpose",
        "empty",
        "empty_like",
        "empty_strided",
        "new_empty",
    ),
    *("lift_fresh", "is_same_size", "unbind", "_reshape_alias"),
)
WAITS = ("_local_scalar_dense", "nonzero", "item", "masked_select", "unique", "equal")


@dataclass
class Counts:
    """launches: of Triton kernels by name; other: torch operations on the device; waits: by name

    sent, brought: copies to the device and from it, for which nobody waits
    variants: by kernel, the compile-time options that it was launched with
    """

    launches: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    brought: int = 0
    variants: dict[str, set[Any]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Launches of any kind."""
        return self.launches.total() + self.other.total()


class _Watching(TorchDispatchMode):
    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func.overloadpacket.__name__, kwargs or {}
        given = [part for part in tree_leaves((args, kwargs)) if isinstance(part, torch.Tensor)]
        away = [part for part in given if part.device.type == "meta"]
        target = kwargs.get("device")
        if name == "_to_copy" and target is not None:
            if away and torch.device(target).type == "cpu":
                self.counts.waits["copy to the host"] += 1
                return torch.zeros(given[0].shape, dtype=kwargs.get("dtype") or given[0].dtype)
            if not away and torch.device(target).type == "meta":
                self.counts.sent += 1
                return func(*args, **kwargs)
        if name == "copy_" and len(away) == 1:
            if away[0] is given[0]:
                self.counts.sent += 1
            elif kwargs.get("non_blocking", len(args) > 2 and args[2]):
                self.counts.brought += 1
                return given[0].zero_()
            else:
                self.counts.waits["copy to the host"] += 1
                return given[0].zero_()
            return func(*args, **kwargs)
        if not away and (target is None or torch.device(target).type != "meta"):
            return func(*args, **kwargs)
        if name in WAITS:
            self.counts.waits[name] += 1
            return 0 if name in ("_local_scalar_dense", "item") else func(*args, **kwargs)
        if name not in FREE:
            self.counts.other[name] += 1
        return func(*args, **kwargs)


@contextmanager
def counted() -> Iterator[Counts]:
    """Kernels launched inside are counted and do not run."""
    counts = Counts()

    def note(kernel: Any, grid: Any) -> Any:
        def launch(*args: Any, **options: Any) -> None:
            name = kernel.__name__
            counts.launches[name] += 1
            counts.variants.setdefault(name, set()).add(
                tuple(sorted((key, str(options[key])) for key in options))
            )

        return launch

    with (
        patch.object(InterpretedFunction, "__getitem__", note, create=True),
        patch.object(JITFunction, "__getitem__", note, create=True),
        _Watching(counts),
    ):
        yield counts
