"""A cluster of this machine for the tests with Ray, and what its actors load: a toy that notes each row that is begun.

Actors find the toy by its name, so this module is on the path of all their processes: `make test-ray` sees to that.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from batch.command import toy
from structgen.batch import worker
from structgen.model import Model

BEGUN = "RAY_TEST_BEGUN"  # names the file of the rows that are begun
PAUSE = 0.002  # seconds that a row takes beside its steps, so that a worker can be killed in the middle


AGENTS = ("dashboard-agent-listen", "dashboard-agent-grpc", "runtime-env-agent", "metrics-export")


@contextmanager
def running(cpus: int, **variables: str) -> Iterator[str]:
    """The address of a cluster with so many CPUs. variables: of the environment of its processes

    The ports of its agents are given, since Ray waits only fifteen seconds for agents to say which they took.
    """
    port, *others = _free(1 + len(AGENTS))
    named = [f"--{name}-port={one}" for name, one in zip(AGENTS, others, strict=True)]
    command = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--disable-usage-stats"]
    command += ["--node-ip-address=127.0.0.1", f"--port={port}", f"--num-cpus={cpus}", *named]
    process = subprocess.Popen(
        [*command, "--include-dashboard=false"], env={**os.environ, **variables}, stdout=subprocess.DEVNULL
    )
    try:
        _wait(process, port)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(90)  # Ray waits half a minute for its own processes


def _free(count: int) -> list[int]:
    """Ports that are free."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Return when the cluster listens."""
    while process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"Ray did not start: exit code {process.returncode}")


def noting_toy() -> Model:
    """The toy of the tests of batches; each row that it begins adds a line with the process and the row's key."""
    answer, path = worker._line, os.environ[BEGUN]

    def noted(*given: Any) -> Any:
        with open(path, "ab", buffering=0) as file:
            file.write(f"{os.getpid()} {given[-1][1]}\n".encode())
        time.sleep(PAUSE)
        return answer(*given)

    worker._line = noted
    return toy()


def begun(path: Path) -> list[tuple[int, str]]:
    """The process and the key of each row that was begun."""
    if not path.exists():
        return []
    pairs = (line.split() for line in path.read_text().splitlines())
    return [(int(pid), key) for pid, key in pairs]
