"""The page about pipelines: each of its commands and pieces of Python runs, with a model that knows nothing."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import material
from batch.command import toy
from structgen.cli import main

PAGE = (material.ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
ELSEWHERE = re.compile(r"^(import|from) (ray|daft)\b", re.M)  # `make test-ray` runs these
PYTHON = [text for kind, text in BLOCKS if kind == "python" and not ELSEWHERE.search(text)]
QUESTION = {"type": "predicate", "name": "urgent", "instructions": "Is it urgent?"}
BODY = {"input": "It is urgent.", "questions": [QUESTION]}
REQUEST = {"custom_id": "a", "method": "POST", "url": "/v1/decisions", "body": BODY}

pytestmark = pytest.mark.filterwarnings("ignore::structgen.AnswerWarning")  # a toy states nothing


class Invoice(BaseModel):
    total: int


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("structgen.cli.batch.loaded", toy)
    monkeypatch.setattr("structgen.cli.requests.loaded", toy)
    monkeypatch.setattr("structgen.batch.answered", lambda rows, make, *_: make()(rows))  # in this process
    Path("models.py").write_text("import pydantic\nclass Invoice(pydantic.BaseModel):\n    total: int\n")
    Path("schema.json").write_text(json.dumps(Invoice.model_json_schema()))
    Path("rows.jsonl").write_text('{"id": 17, "body": "Total 5"}\n')
    Path("requests.jsonl").write_text(json.dumps(REQUEST) + "\n")
    Path("bills").mkdir()
    Path("bills/a.txt").write_text("Total 7")
    name, *arguments = shlex.split(command)
    assert name == "structgen"
    assert main(arguments) == 0
    assert list(tmp_path.glob("out.*")) or list(tmp_path.glob("responses.*"))


@pytest.mark.parametrize("code", PYTHON)
def test_python_runs(code: str):
    given: dict[str, Any] = {"model": toy(), "texts": ["Total 5", "Total 7"], "Invoice": Invoice}
    given |= {"text": "Total 5", "mail": "it is urgent"}
    compiled = compile(code, "pipelines.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ending = eval(compiled, given)
    if inspect.isawaitable(ending):
        asyncio.run(_awaited(ending))


async def _awaited(ending: Any) -> None:
    await ending
