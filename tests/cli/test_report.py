"""`structgen report` reads what `structgen extract` printed, and says what is wrong with anything else."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from structgen.cli import main

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two documents and a schema."""
    path = tmp_path_factory.mktemp("report")
    (path / "a.txt").write_text("Marta Kowalski \U0001f600 from Gdansk", encoding="utf-8")
    (path / "b.pdf").write_text("", encoding="utf-8")
    (path / "s.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def results(folder: Path) -> Path:
    """What extract prints of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        lines = _run(["extract", "--details", "-s", "s.json", "a.txt", "b.pdf"], 3)
    path = folder / "out.jsonl"
    path.write_text(lines, encoding="utf-8")
    return path


def _run(arguments: list[str], code: int) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(arguments) == code
    return printed.getvalue()


def test_the_documents_are_found_beside_the_results(results: Path, tmp_path: Path):
    assert main(["report", str(results), "-o", str(tmp_path / "r.html")]) == 3
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "documents: 2 · failed: 1" in page
    assert "<mark" in page
    assert "b.pdf" in page


def test_a_result_is_exported_with_its_places(results: Path, capsys: pytest.CaptureFixture[str]):
    (task,) = json.loads(_run(["report", str(results), "--format", "label-studio"], 3))
    region = task["predictions"][0]["result"][0]
    text = task["data"]["text"]
    assert text[region["value"]["start"] : region["value"]["end"]] == region["value"]["text"]
    assert "b.pdf is left out" in capsys.readouterr().err


def test_a_document_that_changed_or_is_gone_is_not_shown(results: Path, tmp_path: Path):
    copy = tmp_path / "out.jsonl"
    copy.write_text(results.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    assert "There is no file a.txt here" in _run(["report", str(copy)], 0)
    (tmp_path / "a.txt").write_text("Something else", encoding="utf-8")
    page = _run(["report", str(copy)], 0)
    assert "a.txt has changed since" in page
    assert "<mark" not in page


def test_a_single_result_over_several_lines_and_its_digits_are_kept(tmp_path: Path):
    path = tmp_path / "one.json"
    path.write_text('{\n "value": {"total": 12.50}\n}', encoding="utf-8")
    assert ">12.50<" in _run(["report", str(path)], 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no result"),
        ("nonsense", "line 1 of .* is not JSON"),
        ('{"value": 1}\n[1]', "line 2 of .* is no result"),
        ('{"value": 1, "details": {"confidence": 3}}', "the details in line 1"),
        ('{"value": 1, "details": []}\n{', "line 2"),
    ],
)
def test_what_is_no_result_is_named_with_its_line(
    text, said, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    assert main(["report", str(path)]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error.replace("\n", " ")), error
    assert "Traceback" not in error
