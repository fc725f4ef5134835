"""The end of a server: it waits for answers, but never for work that does not end; and clients that leave early."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from structgen.model import Model
from structgen.server import ServerSettings, create_app
from structgen.server.problems import Problem
from structgen.server.threads import WorkThreads
from structgen.server.workers import Job, Workers

SOON = 30  # seconds, on a busy machine
BODY = {"messages": [{"role": "user", "content": "x"}], "structured_outputs": {"regex": "[ab]{3}"}}
STUCK = """
import sys, time, uvicorn
from minis import hasty
from structgen.server import ServerSettings, create_app
import structgen.server.service as service

def ready_for(*_):
    print("stuck", flush=True)
    time.sleep(3600)

service.ready_for = ready_for
app = create_app(hasty(), ServerSettings(closing=0.5))
print("made", flush=True)
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=1)
"""


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    held = threading.Event()
    yield held
    held.set()


def test_threads_do_their_work_in_order_and_survive_what_it_raises():
    threads, found = WorkThreads(1, "test"), list[int]()
    for number in range(3):
        threads.submit(found.append, number)
        threads.submit(lambda: 1 // 0)
    last = threading.Event()
    threads.submit(last.set)
    assert last.wait(SOON)
    assert found == [0, 1, 2]
    assert threads.close(SOON)
    with pytest.raises(RuntimeError):
        threads.submit(last.set)


def test_threads_do_not_wait_for_work_that_does_not_end(hold: threading.Event):
    threads, running = WorkThreads(1, "test"), threading.Event()
    threads.submit(lambda: running.set() or hold.wait())
    assert running.wait(SOON)
    begun = time.monotonic()
    assert not threads.close(0.2)
    assert time.monotonic() - begun < SOON


def test_what_is_running_or_waits_is_told_that_the_server_ends(model: Model, hold: threading.Event):
    workers = Workers(model, None, count=1, waiting=4, retry_after=1)

    async def run() -> list[Any]:
        def stuck(job: Job[None]) -> None:
            hold.wait(0.5)

        def check(model: Model, job: Job[None], ready: None) -> None:
            job.check()

        jobs = [workers.submit(stuck, check) for _ in range(3)]
        await asyncio.sleep(0.1)
        ended = await asyncio.to_thread(workers.close, SOON)
        assert ended
        return await asyncio.gather(*(job.result() for job in jobs), return_exceptions=True)

    first, *others = asyncio.run(run())
    assert isinstance(first, Problem)
    assert first.status == 503
    assert all(isinstance(one, asyncio.CancelledError) for one in others)
    assert workers.pending == 0


def test_a_process_with_work_that_does_not_end_ends_after_sigterm():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{STUCK}", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        threading.Thread(target=_ask, args=(port,), daemon=True).start()
        assert process.stdout.readline() == "stuck\n"
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(SOON)
        finally:
            process.kill()


def _ask(port: int) -> None:
    for _ in range(300):
        try:
            httpx2.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=BODY, timeout=SOON)
        except httpx2.ConnectError:
            time.sleep(0.1)
        except httpx2.HTTPError:
            return


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_before_the_first_byte_takes_no_place(
    model: Model, hold: threading.Event, stream: bool
):
    import json

    app = create_app(model, ServerSettings(rows=1))
    workers = app.state.service.workers
    body = json.dumps({**BODY, "stream": stream}).encode()

    async def run() -> int:
        job: Job[None] = workers.submit(lambda job: hold.wait(SOON), lambda model, job, held: None)
        given = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if given:
                return given.pop()
            await asyncio.sleep(0.1)
            return {"type": "http.disconnect"}

        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
        scope |= {"query_string": b"", "client": ("test", 1), "server": ("test", 80), "scheme": "http"}
        await asyncio.wait_for(app({**scope, "root_path": ""}, receive, send), SOON)
        pending = workers.pending
        hold.set()
        await job.result()
        return pending

    assert asyncio.run(run()) == 1
    workers.close()
