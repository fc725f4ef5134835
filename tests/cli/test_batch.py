"""`structgen batch`: files, folders and tables in, JSON lines out, and a run that goes on where another was stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from structgen.cli import main
from structgen.cli.failure import MISUSED, SOME_FAILED

SCHEMA = {
    "type": "object",
    "properties": {"vendor": {"type": "string"}, "total": {"type": "number"}},
    "required": ["vendor", "total"],
}
BILL = "Invoice from {} \nVendor: {}\nTotal: {} EUR\n"


@pytest.fixture
def schema(tmp_path: Path) -> str:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return str(path)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_rows_of_a_table_become_lines_and_errors_have_reasons(
    tmp_path: Path, schema: str, capfd: pytest.CaptureFixture[str]
):
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": 1, "text": BILL.format("Oak", "Oak Ltd", "12.50")}, {"id": 2, "text": " "}, {"id": 3}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["batch", str(source), "-s", schema, "-o", str(out), "--id-column", "id"]
    assert main(command) == SOME_FAILED
    told = capfd.readouterr()
    assert (told.out, told.err.strip()) == ("", f"3 rows read, 0 known, 2 errors: {out}")
    first, second, third = sorted(lines(out), key=lambda line: line["source"])  # they are written as they end
    assert (first["value"], first["error"], first["id"]) == ({"vendor": "Oak Ltd", "total": 12.5}, "", "1")
    assert first["source"] == f"{source}#1"
    assert second["error"].startswith("InvalidDocument: the document is empty")
    assert third["error"] == "InvalidDocument: 'text' must be a text, and is nothing"

    before = out.read_bytes()
    assert main([*command]) != 0
    assert "exists: pass --resume" in capfd.readouterr().err
    assert main([*command, "--resume"]) == SOME_FAILED
    assert "0 rows read, 3 known" in capfd.readouterr().err
    assert out.read_bytes() == before
    assert main([*command, "--retry-errors"]) == SOME_FAILED
    assert "2 rows read, 1 known" in capfd.readouterr().err
    assert sorted(line["id"] for line in lines(out)) == ["1", "2", "3"]


def test_files_and_folders_in_processes_of_their_own(
    tmp_path: Path, schema: str, capfd: pytest.CaptureFixture[str]
):
    folder, out = tmp_path / "bills", tmp_path / "out.jsonl"
    folder.mkdir()
    for name, total in (("a", "1.25"), ("b", "2.50"), ("c", "3.75")):
        (folder / f"{name}.txt").write_text(BILL.format(name, f"{name.upper()} Ltd", total))
    assert main(["batch", str(folder), "-s", schema, "-o", str(out), "--workers", "2"]) == 0
    assert "3 rows read, 0 known, 0 errors" in capfd.readouterr().err
    assert {line["value"]["total"] for line in lines(out)} == {1.25, 2.5, 3.75}
    again = tmp_path / "again.jsonl"
    assert main(["batch", str(folder), "-s", schema, "-o", str(again)]) == 0
    kept = {line["key"]: line for line in lines(out)}
    assert {line["key"]: line for line in lines(again)} == kept  # a row that is computed twice is equal


def test_other_settings_start_anew_and_say_so(tmp_path: Path, schema: str, capfd: pytest.CaptureFixture[str]):
    source, out = tmp_path / "bill.txt", tmp_path / "out.jsonl"
    source.write_text(BILL.format("Oak", "Oak Ltd", "12.50"))
    assert main(["batch", str(source), "-s", schema, "-o", str(out)]) == 0
    first = lines(out)
    assert main(["batch", str(source), "-s", schema, "-o", str(out), "--resume", "--seed", "1"]) == 0
    assert "the settings differ" in capfd.readouterr().err
    assert lines(tmp_path / "out.jsonl.before") == first
    assert lines(out)[0]["key"] != first[0]["key"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["empty.jsonl"], "there is nothing to read in empty.jsonl"),
        (["nowhere.txt"], "nowhere.txt does not exist"),
        (["rows.csv"], "rows.csv has no column 'text': its columns are a, b"),
        (["rows.parquet"], "rows.parquet cannot be read as Parquet: "),
    ],
)
def test_bad_input_is_one_sentence(
    tmp_path: Path,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    reason: str,
):
    monkeypatch.chdir(tmp_path)
    for name, text in (("empty.jsonl", ""), ("rows.csv", "a,b\n1,2\n"), ("rows.parquet", "PAR1")):
        Path(name).write_text(text)
    assert main(["batch", *arguments, "-s", schema, "-o", "out.jsonl"]) == MISUSED
    told = capfd.readouterr().err
    assert reason in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("out.jsonl*"))


def test_where_nothing_can_be_written(tmp_path: Path, schema: str, capfd: pytest.CaptureFixture[str]):
    source = tmp_path / "bill.txt"
    source.write_text("Total: 3 EUR")
    assert main(["batch", str(source), "-s", schema, "-o", str(tmp_path / "no folder" / "out.jsonl")]) == 1
    assert "cannot be written: No such file or directory" in capfd.readouterr().err
