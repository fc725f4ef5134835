"""Every recipe on the page about clients, against a server of its own with the embedded model."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("litellm", reason="`make test-outside` installs the clients")

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
ADDRESS = "http://127.0.0.1:8000"
PATIENCE = 120  # seconds for the server to start
FIRST, *SECTIONS = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)


def block(section: str) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", section, re.S)
    return found


RECIPES = {section.partition("\n")[0]: block(section) for section in SECTIONS}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server that answers: the one that is there, or one of its own."""
    if ready := os.environ.get("STRUCTGEN_URL"):
        yield ready
        return
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "structgen.cli", "serve", "--port", str(port), "--log-level", "error"]
    server = subprocess.Popen(command)
    try:
        _wait(f"http://127.0.0.1:{port}/ready", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(30) in (0, -signal.SIGTERM)  # uvicorn ends by the signal that it has served


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


@pytest.mark.parametrize("name", RECIPES)
def test_the_recipe_works(name: str, address: str) -> None:
    module = re.search(r"^(?:from|import) (\w+)", RECIPES[name], re.M)
    assert module is not None
    pytest.importorskip(module[1], reason="`make test-outside` installs the clients")
    names: dict[str, Any] = {"__name__": "recipe"}
    for code in (block(FIRST), RECIPES[name]):
        exec(compile(code.replace(ADDRESS, address), "clients.md", "exec", dont_inherit=True), names)


def test_the_page_of_the_server_runs(address: str) -> None:
    page = (PAGE.parent / "server.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "server"}
    ran = 0
    for code in re.findall(r"^```python\n(.*?)^```$", page, re.S | re.M):
        if "client.decisions" in code and not hasattr(names["client"], "decisions"):
            continue  # litellm keeps an older client of OpenAI's
        local = code.replace("http://localhost:8000", address)
        exec(compile(local, "server.md", "exec", dont_inherit=True), names)
        ran += 1
    assert ran > 1
