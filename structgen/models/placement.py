"""Where and how a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from structgen.errors import InvalidOption


@dataclass(frozen=True)
class Placement:
    """Where and how a model is loaded; None for what the caller left open."""

    device: str = "auto"
    dtype: str | None = None
    device_map: str | Mapping[str, Any] | None = None
    thinking: bool = False

    def only_device(self, family: str, *, but: str = "") -> str:
        """The device; InvalidOption where more was asked of a family that has no such choice, `but` this one."""
        for option in ("dtype", "device_map", "thinking"):
            if option != but and getattr(self, option):
                raise InvalidOption(f"{family} has no option {option}: leave it out")
        return self.device
