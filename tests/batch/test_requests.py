"""OpenAI's batch files: each response is the server's, a line each, and a run that is killed goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")

from fastapi import FastAPI
from starlette.testclient import TestClient

import material
from minis import hasty
from structgen.batch.requests import BATCH_ID, RESPONSES, requests
from structgen.cli import main
from structgen.errors import InvalidDocument
from structgen.server import ServerSettings, create_app
from structgen.server.offline import OfflineRequest, answered

TESTS = Path(__file__).parents[1]
COLOUR = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}, "required": ["colour"]}
CHAT = {
    "messages": [{"role": "user", "content": "The car is red."}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": COLOUR}},
}
RESPONSE = {
    "input": "The car is red.",
    "text": {"format": {"type": "json_schema", "name": "it", "schema": COLOUR}},
}
DECISION = {
    "input": "The car is red.",
    "questions": [{"type": "predicate", "name": "red", "instructions": "Is it red?"}],
}
ASKED = [
    ("/v1/chat/completions", CHAT),
    ("/v1/responses", RESPONSE),
    ("/v1/decisions", DECISION),
    ("/v1/chat/completions", {**CHAT, "model": "another"}),
    ("/v1/chat/completions", {**CHAT, "nonsense": 1}),
    ("/v1/chat/completions", {"messages": []}),
    ("/v1/embeddings", {"input": "x"}),
]
VOLATILE = ("id", "created", "created_at", "completed_at")


@pytest.fixture(scope="module")
def app() -> Iterator[FastAPI]:
    app = create_app(hasty(), ServerSettings())
    yield app
    app.state.service.workers.close()


def line(number: int, url: str, body: Any) -> str:
    return json.dumps({"custom_id": f"r{number}", "method": "POST", "url": url, "body": body}) + "\n"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text().splitlines()]


def steady(value: Any) -> Any:
    """A body without what differs between two answers to one request."""
    if isinstance(value, dict):
        return {name: steady(part) for name, part in value.items() if name not in VOLATILE}
    return [steady(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("url", "body"), ASKED)
def test_a_response_is_the_one_of_the_server(app: FastAPI, url: str, body: Any):
    over_http = TestClient(app).post(url, json=body)
    ((_, offline),) = answered(app, [(None, OfflineRequest("POST", url, body))], 2)
    assert offline.status == over_http.status_code
    assert steady(json.loads(json.dumps(offline.body, default=float))) == steady(over_http.json())
    assert offline.request_id.startswith("req_")


def test_a_stream_is_refused(app: FastAPI):
    request = OfflineRequest("POST", "/v1/chat/completions", {**CHAT, "stream": True})
    ((_, found),) = answered(app, [(None, request)], 1)
    assert (found.status, found.body["error"]["param"]) == (400, "/stream")


def test_many_requests_are_answered_together(app: FastAPI):
    given = [(number, OfflineRequest("POST", "/v1/chat/completions", CHAT)) for number in range(20)]
    found = dict(answered(app, given, 5))
    assert sorted(found) == list(range(20))
    assert {one.status for one in found.values()} == {200}


class TestLines:
    def test_a_line_is_a_request_or_says_why_not(self, tmp_path: Path):
        file = tmp_path / "requests.jsonl"
        file.write_bytes(
            line(1, "/v1/responses", {"temperature": 1.50}).encode()
            + b'[1]\n{"custom_id": "r3", "method": "POST", "url": "v1", "body": {}}\n'
            + b'{"custom_id": "r4", "method": "POST", "url": "/v1/responses"}\n{"custom_id": 5}\n"\xff"\n{\n'
        )
        found = list(requests([str(file)]))
        assert [one.custom_id for one in found] == ["r1", None, "r3", "r4", None, None, None]
        assert [one.error[:45] for one in found] == [
            "",
            "the line is no object",
            "url must be a path such as /v1/chat/completio",
            "body must be an object, and is missing",
            "custom_id must be a text, and is Decimal",
            "the line is not UTF-8, at its byte 2",
            "the line is not JSON: Expecting property name",
        ]

    def test_other_files_need_a_schema(self, tmp_path: Path):
        (tmp_path / "a.txt").touch()
        for path in (tmp_path, tmp_path / "a.txt"):
            with pytest.raises(InvalidDocument, match="without --schema the inputs are batch files"):
                list(requests([str(path)]))
        with pytest.raises(InvalidDocument, match="does not exist"):
            list(requests([str(tmp_path / "nowhere.jsonl")]))

    def test_what_a_line_says_of_itself(self):
        right = {"id": f"{BATCH_ID}5f", "response": {"status_code": 200}}
        assert (RESPONSES.key(right), RESPONSES.failed(right)) == ("5f", False)
        assert RESPONSES.failed({"response": {"status_code": 400}})
        assert RESPONSES.failed({"response": None})
        assert RESPONSES.key({"id": "precious"}) is RESPONSES.key({}) is None


class TestTheCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("structgen.cli.requests.loaded", lambda name: hasty())
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def test_every_line_has_its_response(self, folder: Path):
        Path("in.jsonl").write_text("".join(line(k, *one) for k, one in enumerate(ASKED[:4])) + "nonsense\n")
        assert (
            main(["batch", "in.jsonl", "-o", "out.jsonl"]) == 3
        )  # one names another model, one is no request
        found = {one["custom_id"]: one for one in lines(Path("out.jsonl"))}
        assert all(set(one) == {"id", "custom_id", "response", "error"} for one in found.values())
        statuses = {name: one["response"]["status_code"] for name, one in found.items() if name}
        assert statuses == {"r0": 200, "r1": 200, "r2": 200, "r3": 404}
        assert all(one["response"]["request_id"].startswith("req_") for name, one in found.items() if name)
        content = found["r0"]["response"]["body"]["choices"][0]["message"]["content"]
        assert json.loads(content)["colour"] in ("red", "green")
        assert found[None]["response"] is None
        assert found[None]["error"]["code"] == "invalid_request"
        assert {one["error"] for name, one in found.items() if name} == {None}

    def test_errors_are_tried_again_and_nothing_else(self, folder: Path):
        Path("in.jsonl").write_text(line(0, *ASKED[0]) + line(1, *ASKED[3]))
        assert main(["batch", "in.jsonl", "-o", "out.jsonl"]) == 3
        before = {one["custom_id"]: one["response"]["request_id"] for one in lines(Path("out.jsonl"))}
        assert main(["batch", "in.jsonl", "-o", "out.jsonl", "--retry-errors"]) == 3
        again = {one["custom_id"]: one["response"]["request_id"] for one in lines(Path("out.jsonl"))}
        assert (again["r0"] == before["r0"], again["r1"] == before["r1"]) == (True, False)
        with_name = ["batch", "in.jsonl", "-o", "out.jsonl", "--resume", "--name", "another"]
        assert main(with_name) == 0  # other settings: all anew
        assert {one["response"]["status_code"] for one in lines(Path("out.jsonl"))} == {200}
        assert Path("out.jsonl.before").exists()

    def test_options_of_documents_are_refused(self, folder: Path, capsys: pytest.CaptureFixture[str]):
        Path("in.jsonl").write_text(line(0, *ASKED[0]))
        for given in (["--seed", "1"], ["--details"], ["--text-column", "body"]):
            assert main(["batch", "in.jsonl", "-o", "out.jsonl", *given]) == 2
            assert f"{given[0]} is for documents, with --schema" in " ".join(capsys.readouterr().err.split())
        assert main(["batch", "in.jsonl", "-o", "out.parquet"]) == 2
        assert not list(folder.glob("out*"))


def test_a_run_that_is_killed_goes_on(tmp_path: Path):
    """SIGKILL after the first lines: every request has one response in the end."""
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(line(k, "/v1/chat/completions", CHAT) for k in range(30)))
    command = [sys.executable, "-m", "batch.command", "batch", str(source), "-o", str(out)]
    paths = os.pathsep.join(map(str, (material.ROOT, material.ROOT / "engine", TESTS)))
    process = subprocess.Popen(command, cwd=TESTS, env={**os.environ, "PYTHONPATH": paths})
    part = Path(f"{out}.part")
    while process.poll() is None and (not part.exists() or part.read_bytes().count(b"\n") < 3):
        time.sleep(0.01)
    process.kill()
    process.wait()
    written = part.read_bytes().count(b"\n")
    subprocess.run([*command, "--resume"], cwd=TESTS, env={**os.environ, "PYTHONPATH": paths}, check=True)
    assert 3 <= written < 30
    assert sorted(one["custom_id"] for one in lines(out)) == sorted(f"r{k}" for k in range(30))
