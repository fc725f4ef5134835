"""How much memory a piece of work takes at its peak, and what another process has used so far (Linux, else zeros)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Footprint:
    """The memory of this process from now on; bytes."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self._before = resident()

    @property
    def peak(self) -> int:
        """The most that was resident at a time."""
        try:
            lines = Path("/proc/self/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)

    @property
    def grown(self) -> int:
        """The most that was resident beyond what was there before."""
        return max(0, self.peak - self._before)


def resident(process: int | None = None) -> int:
    """Bytes of a process that are in memory; of this one if none."""
    fields = _read(process, "statm")
    return int(fields[1]) * PAGE if fields else 0


def cpu_seconds(process: int | None = None) -> float:
    """Seconds of CPU that a process has used."""
    fields = _read(process, "stat")
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _read(process: int | None, name: str) -> list[str]:
    """The fields of a file about a process, behind its name in brackets."""
    try:
        text = Path(f"/proc/{process or 'self'}/{name}").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()
