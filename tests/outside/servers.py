"""Servers that are started for a suite and stopped after it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from outside.environment import ROOT

PATIENCE = 180  # seconds for a server to start
EMBEDDED = ("-m", "structgen.cli", "serve", "--log-level", "warning", "--port")
TOY = ("-m", "outside.toy")
NAMES = ("gpt-6-astra", "model", "gpt-6-luna")  # by which the suites call their model


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def kilobytes(self) -> int:
        """The memory that it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def pending(self) -> int:
        """How many requests it is answering or keeps waiting."""
        with urllib.request.urlopen(f"{self.url}/metrics") as reply:
            lines = reply.read().decode().splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("structgen_pending "))))


@contextmanager
def serving(command: Sequence[str], *more: str) -> Iterator[Server]:
    """A server, ready for requests."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    path = os.pathsep.join(str(ROOT / part) for part in (".", "engine", "tests"))
    variables = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *command, str(port), *more], env=variables, cwd=ROOT)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        _wait(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


def embedded(*more: str) -> tuple[tuple[str, ...], ...]:
    """The command of a server with the embedded model, by all names that the suites use."""
    return EMBEDDED, *(("--name", name) for name in NAMES), more


def _wait(server: Server) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/ready"):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("the server did not start")
