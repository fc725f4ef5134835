"""The options of loading a model: device, dtype, device map, thinking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from structgen.errors import InvalidOption


@dataclass(frozen=True)
class Placement:
    """The options of loading a model; None for those that the caller left open."""

    device: str = "auto"
    dtype: str | None = None
    device_map: str | Mapping[str, Any] | None = None
    thinking: bool = False

    def only_device(self, family: str, *, but: str = "") -> str:
        """The device; raises InvalidOption if another option than `but` is set, because the family has no others."""
        for option in ("dtype", "device_map", "thinking"):
            if option != but and getattr(self, option):
                raise InvalidOption(f"{family} has no option {option}: leave it out")
        return self.device
