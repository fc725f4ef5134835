"""The name of transformers' argument for keys and values: `cache` from release 5.24 on, `past_key_values` before."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

NOW, BEFORE = "cache", "past_key_values"


def as_argument(function: Callable[..., Any], cache: Any) -> dict[str, Any]:
    """The cache as the keyword argument that `function` takes it by."""
    return {NOW if NOW in inspect.signature(function).parameters else BEFORE: cache}


def from_output(output: Any) -> Any:
    """The cache in a model's output."""
    return output[NOW] if NOW in output else output[BEFORE]
