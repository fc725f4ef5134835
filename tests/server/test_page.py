"""Every block of Python on the page about the server runs, in its order, against a server in this process."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import uvicorn
from fastapi import FastAPI

from structgen.model import Model
from structgen.server import ServerSettings, create_app

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.S)


@pytest.fixture
def url(model: Model) -> Iterator[str]:
    app: FastAPI = create_app(model, ServerSettings(names=("structgen-mini",)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"
    server.should_exit = True
    thread.join()


def test_every_block_of_the_page_runs(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client(openai.OpenAI):
        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "base_url": url})

    monkeypatch.setattr(openai, "OpenAI", Client)
    names: dict[str, Any] = {"__name__": PAGE.name}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, PAGE.name, "exec", dont_inherit=True), names)
    assert isinstance(names["invoice"], names["Invoice"])
