"""The live page: it is whole, loads nothing, allows itself alone, and a browser runs it without a word."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from html.parser import HTMLParser

import pytest
import uvicorn
from fastapi import FastAPI

from .conftest import Client

FIELDS = ("textarea", "input")


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(client: Client) -> str:
    found = client.post("/live", "", method="GET")
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/html")
    assert found.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")
    return found.text


def test_nothing_is_loaded_and_every_field_has_a_name(page: str):
    elements = Elements(page).found
    assert not any({"src", "href", "style"} & attributes.keys() for _, attributes in elements)
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    labelled = {attributes["for"] for tag, attributes in elements if tag == "label"}
    assert {attributes["id"] for tag, attributes in elements if tag in FIELDS} == labelled


def test_the_script_finds_what_it_asks_for(page: str):
    ids = {attributes["id"] for _, attributes in Elements(page).found if "id" in attributes}
    assert set(re.findall(r'\bat\("(\w+)"\)', page)) <= ids
    assert "innerHTML" not in page


def test_a_server_with_keys_shows_it_too(model):
    from structgen.server import ServerSettings, create_app

    app = create_app(model, ServerSettings(keys=("k",)))
    assert Client(app, "other").post("/live", "", method="GET").status_code == 200
    app.state.service.workers.close()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_a_browser_runs_it_without_a_word(app: FastAPI):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    how = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]
    try:
        command = ["chromium", *how, f"http://127.0.0.1:{port}/live"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    finally:
        server.should_exit = True
        thread.join()
    assert "CONSOLE" not in ran.stderr
    assert "Not run yet." in ran.stdout
