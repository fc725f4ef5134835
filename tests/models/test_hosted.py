"""Hosted models against a local endpoint that answers as real ones do: fenced, cut off, chatty, mistyped, failing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from typer.testing import CliRunner

import structgen as sg
from structgen.models.hosted import QUESTION


class Ticket(BaseModel):
    title: str
    team: Literal["billing", "tech"]
    urgent: bool
    hours: int


TEXT = "Printer on fire, please send tech at once, 12 hours."
WHOLE = '{"title": "Printer on fire", "team": "tech", "urgent": true, "hours": 12}'
WANTED = Ticket.model_validate_json(WHOLE)


@dataclass
class Fake:
    """An endpoint: what it says, in turn (the last one again and again), and what it was asked."""

    app: FastAPI = field(default_factory=FastAPI)
    said: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    native: bool = False

    def __post_init__(self) -> None:
        self.app.get("/v1/models")(lambda: {"object": "list", "data": [{"id": "toy", "object": "model"}]})
        self.app.post("/v1/chat/completions")(self.complete)

    async def complete(self, request: Request) -> Any:
        body = await request.json()
        if body["messages"][0]["content"] == QUESTION:
            return _completion('{"structgen": "enforced"}' if self.native else "Hello")
        self.asked.append(body)
        self.keys.append(request.headers.get("authorization"))
        said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        if isinstance(said, int):
            return JSONResponse({"error": {"message": "not now"}}, said, headers={"retry-after-ms": "1"})
        return _completion(said)


def _completion(text: str) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "toy", "choices": [choice]}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Fake, str]]:
    fake = Fake()
    server = uvicorn.Server(uvicorn.Config(fake.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield fake, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()


@pytest.fixture
def fake(served: tuple[Fake, str], tmp_path, monkeypatch: pytest.MonkeyPatch) -> tuple[Fake, str]:
    monkeypatch.setenv("STRUCTGEN_CACHE", str(tmp_path))
    served[0].said, served[0].native = [WHOLE], False
    served[0].asked.clear()
    served[0].keys.clear()
    return served


@pytest.mark.parametrize(
    "said",
    [
        WHOLE,
        f"Sure!\n\n```json\n{WHOLE}\n```\nAnything else?",
        WHOLE[:-1],
        WHOLE.replace("12", '"12"').replace("true", '"True"').replace('"tech"', '"Tech"'),
        repr(WANTED.model_dump()),
        '```{"hours": 12, "urgent": true, "team": "tech", "title": "Printer on fire"}```',
    ],
)
def test_a_reply_becomes_the_value_with_a_warning_of_what_changed(fake, said):
    fake[0].said = [said]
    model = sg.load(f"openai:{fake[1]}")
    found = model.extract(TEXT, Ticket, details=True)
    assert found.value == WANTED
    assert TEXT[slice(*found.spans["/title"][0])] == "Printer on fire"
    assert ("projected" in [one.kind for one in found.warnings]) == (said != WHOLE)


def test_schemas_go_to_endpoints_that_enforce_them_which_are_asked_once(fake):
    fake[0].native = True
    for _ in range(2):
        assert sg.load(f"openai:{fake[1]}", model="toy").extract(TEXT, Ticket) == WANTED
    assert [one["response_format"]["json_schema"]["strict"] for one in fake[0].asked] == [True, True]
    fake[0].said = [400, WHOLE]
    assert sg.load(f"openai:{fake[1]}", model="toy").extract(TEXT, Ticket) == WANTED
    assert "response_format" not in fake[0].asked[-1]


def test_the_client_repeats_what_fails_for_a_while_and_then_says_so(fake):
    fake[0].said = [429, 500, WHOLE]
    model = sg.load(f"openai:{fake[1]}", model="toy")
    assert model.extract(TEXT, Ticket) == WANTED
    fake[0].said = [500]
    with pytest.raises(sg.ModelNotFound, match=r"answers with status 500: .*not now"):
        model.extract(TEXT, Ticket)


def test_a_reply_that_is_too_far_away_is_refused(fake):
    fake[0].said = ["I cannot help with that."]
    with pytest.raises(sg.Rejected, match="the reply of toy cannot be used: no valid text is near"):
        sg.load(f"openai:{fake[1]}", max_distance=5).extract(TEXT, Ticket)


@pytest.mark.parametrize("said", ["", "I'm sorry, I cannot help with that.", "{}", "null"])
def test_no_value_is_made_up_for_a_reply_that_holds_none(fake, said):
    fake[0].said = [said]
    with pytest.raises(sg.Rejected, match="the reply of toy cannot be used: it holds nothing of an answer"):
        sg.load(f"openai:{fake[1]}").extract(TEXT, Ticket)


def test_a_reply_that_spells_out_the_shortest_answer_is_taken(fake):
    fake[0].said = ['```json\n{"title": "", "team": "tech", "urgent": true, "hours": 0}\n```']
    found = sg.load(f"openai:{fake[1]}").extract(TEXT, Ticket)
    assert found == Ticket(title="", team="tech", urgent=True, hours=0)


def test_other_verbs_work_or_say_why_not(fake):
    model = sg.load(f"openai:{fake[1]}#toy")
    fake[0].said = ["The date is 2024-05-17."]
    with pytest.warns(sg.AnswerWarning, match="the nearest valid text is"):
        assert model.generate("When?", sg.Regex(r"\d{4}-\d\d-\d\d")) == "2024-05-17"
    fake[0].said = ["Dear Ann, your lamp ships."]
    assert (
        model.fill("Dear {{name:[A-Z][a-z]+}}, your {{item}} ships.", "Ann bought a lamp.")["item"] == "lamp"
    )
    fake[0].said = ['{"name": "at", "arguments": {"hour": 3}}']
    assert model.call("book at 3", [at]).calls[0].arguments == {"hour": 3}
    fake[0].said = [WHOLE]
    assert list(model.extract_many([TEXT, TEXT], Ticket)) == [WANTED, WANTED]
    for refused in (
        lambda: model.choose(TEXT, ["billing", "tech"]),
        lambda: model.decide(TEXT, urgent=bool),
        lambda: list(model.stream(TEXT, Ticket)),
        lambda: model.extract(TEXT, Ticket, n=2),
    ):
        with pytest.raises(sg.Unsupported, match="a hosted model gives whole texts without probabilities"):
            refused()


def at(hour: int) -> None:
    """Book at an hour."""


def test_the_command_line_takes_an_endpoint_and_a_key_from_the_environment(fake, tmp_path, monkeypatch):
    from structgen.cli import app

    monkeypatch.setenv("STRUCTGEN_API_KEY", "secret")
    (tmp_path / "ticket.json").write_text(json.dumps(Ticket.model_json_schema()))
    (tmp_path / "mail.txt").write_text(TEXT)
    options = [
        "-s",
        str(tmp_path / "ticket.json"),
        "--model",
        f"openai:{fake[1]}",
        str(tmp_path / "mail.txt"),
    ]
    done = CliRunner().invoke(app, ["extract", *options])
    assert json.loads(done.stdout) == json.loads(WHOLE)
    assert fake[0].keys == ["Bearer secret"]
