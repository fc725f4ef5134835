"""What a type checker knows of an answer: each call is given to pyright, which says of what type its value is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyright", reason="pyright is not installed")

ROOT = Path(__file__).parents[1]
SETTING = """
import asyncio
from dataclasses import dataclass
from typing import Literal, TypedDict
from pydantic import BaseModel
import structgen as sg

class Invoice(BaseModel):
    vendor: str

@dataclass
class Point:
    x: int

class Row(TypedDict):
    x: int

def weather(city: str) -> str: ...

model = sg.load()
"""
CALLS = {
    'model.extract("a", Invoice)': "Invoice",
    'model.extract("a", Invoice, details=True)': "Generation[Invoice]",
    'model.extract("a", Invoice, details=True).value': "Invoice",
    'model.extract("a", Point, seed=3)': "Point",
    'model.extract("a", Row, steps=4)': "Row",
    'model.extract("a", list[Invoice])': "list[Invoice]",
    'model.extract("a", dict[str, int], details=True)': "Generation[dict[str, int]]",
    'model.extract("a", {"type": "object"})': "Any",
    'model.extract("a", {"type": "object"}, details=True)': "Generation[Any]",
    'next(model.stream("a", Invoice))': "Settled | Partial[Invoice] | Done[Invoice]",
    '[e.result.value for e in model.stream("a", Point, seed=1) if isinstance(e, sg.Done)]': "list[Point]",
    'model.fill("{{a}}", "b")': "Filled",
    'model.fill("{{a}}", "b", details=True)': "Generation[Filled]",
    'model.generate("a", sg.Regex("[a-z]+"))': "str",
    'model.generate("a", sg.Regex("[a-z]+"), details=True)': "Generation[str]",
    'model.generate("a", Invoice)': "Invoice",
    'model.extract("a", Invoice, n=3)': "list[Invoice]",
    'model.extract("a", Invoice, n=3, details=True)': "list[Generation[Invoice]]",
    'model.extract("a", Invoice, redraws=3)': "Invoice",
    'model.generate("a", sg.Regex("a"), n=3)': "list[str]",
    'model.generate("a", sg.Regex("a"), n=3, details=True)': "list[Generation[str]]",
    'model.choose("a", ["yes", "no"]).ranked': "list[tuple[str, float]]",
    'model.generate("a", ["yes", "no"])': "str",
    'model.generate("a", sg.JsonSchema({}))': "Any",
    'model.choose("a", ["yes", "no"])': "Choice",
    'model.call("a", [weather])': "Reply",
    'model.call("a", [weather], details=True)': "Generation[Reply]",
    'model.call("a", [weather])[0]': "Call",
    'asyncio.run(model.aextract("a", Invoice))': "Invoice",
    'asyncio.run(model.aextract("a", Invoice, details=True))': "Generation[Invoice]",
    'asyncio.run(model.agenerate("a", sg.Regex("a"), seed=3))': "str",
    'asyncio.run(model.afill("{{a}}", "b"))': "Filled",
    'asyncio.run(model.acall("a", [weather]))': "Reply",
    'model.astream("a", Invoice)': "AsyncIterator[Settled | Partial[Invoice] | Done[Invoice]]",
    "sg.compile(Invoice)": "Constraint[Invoice]",
    'sg.compile(Invoice).parse("{}")': "Invoice",
    "sg.compile(list[int])": "Constraint[list[int]]",
    'sg.compile(sg.Regex("a"))': "Constraint[str]",
    'sg.compile(["a", "b"], regime="expanded")': "Constraint[str]",
    'sg.compile({"type": "object"})': "Constraint[Any]",
    "sg.compile(True)": "Constraint[Any]",
    "sg.load()": "Model",
}
WRONG = (
    'model.extract("a", Invoice, step=4)',
    'model.extract("a", Invoice, order="sorted")',
    "sg.compile(Invoice, regime=3)",
    'model.choose("a", [1, 2])',
    'model.stream("a", Invoice, redraws=2)',
)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What pyright says of every call, each on a line of its own."""
    folder = tmp_path_factory.mktemp("typed")
    lines = [*(f"reveal_type({call})" for call in CALLS), *WRONG]
    (folder / "calls.py").write_text(SETTING + "\n".join(lines) + "\n", encoding="utf-8")
    settings = {"extraPaths": [str(ROOT), str(ROOT / "engine")], "typeCheckingMode": "basic"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "calls.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=300)
    return json.loads(done.stdout)["generalDiagnostics"]


def on_line(checked: list[dict], number: int) -> list[dict]:
    return [one for one in checked if one["range"]["start"]["line"] == SETTING.count("\n") + number]


@pytest.mark.parametrize(("number", "call"), list(enumerate(CALLS)), ids=str)
def test_a_checker_knows_the_type_of_each_answer(checked: list[dict], number: int, call: str):
    (said,) = on_line(checked, number)
    assert said["message"].endswith(f' is "{CALLS[call]}"'), said["message"]


@pytest.mark.parametrize(("number", "call"), list(enumerate(WRONG)), ids=str)
def test_a_checker_refuses_what_is_no_option(checked: list[dict], number: int, call: str):
    assert {one["severity"] for one in on_line(checked, len(CALLS) + number)} == {"error"}, call
