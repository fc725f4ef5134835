"""Batches: every row once, whatever is killed and whenever; rows of any kind; nothing half-written."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

import structgen as sg
from batch.command import toy
from batch.toy import SETTINGS, lost, make, refuses
from structgen.batch import BatchRow, RowWorker, Store, answered, rows
from structgen.generation.options import Options
from structgen.generation.plain import json_line

TESTS = Path(__file__).parents[1]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def keys(path: Path) -> Counter[str]:
    return Counter(row.key(SETTINGS) for row in rows([str(path)]))


class TestRows:
    def test_jsonl(self, tmp_path: Path):
        file = tmp_path / "rows.jsonl"
        file.write_bytes(
            '\ufeff{"text": "ä", "id": 7}\n\n[1]\n{"text": 3}\n{"t": "x"}\n{"text"\n'.encode()
            + b'{"text": "\xff"}\n{"text": "last"}'
        )
        found = list(rows([str(file)], id="id"))
        assert [row.source.rpartition("#")[2] for row in found] == ["1", "3", "4", "5", "6", "7", "8"]
        assert (found[0].text, found[0].id, found[-1].text) == ("ä", "7", "last")
        assert [row.error.removeprefix("InvalidDocument: ")[:30] for row in found[1:-1]] == [
            "the line is no object",
            "'text' must be a text, and is ",
            "'text' must be a text, and is ",
            "the line is not JSON: Expectin",
            "the line is not UTF-8, at its ",
        ]

    def test_csv_with_line_ends_and_other_bytes_in_its_cells(self, tmp_path: Path):
        file = tmp_path / "rows.csv"
        file.write_bytes(b'name,body\na,"two\nlines"\nb,\xff\nc,' + b"x" * 300_000 + b"\n")
        found = list(rows([str(file)], text="body", id="name"))
        assert [(row.id, row.error[:40]) for row in found] == [
            ("a", ""),
            (None, "InvalidDocument: the column 'body' of th"),
            ("c", ""),
        ]
        assert (found[0].text, len(found[2].text or "")) == ("two\nlines", 300_000)
        with pytest.raises(sg.InvalidDocument, match=r"has no column 'text': its columns are name, body"):
            list(rows([str(file)]))

    def test_a_column_of_a_parquet_file(self, tmp_path: Path):
        file = tmp_path / "x.parquet"
        table = pyarrow.table({"text": ["a", None, "c"], "n": [1, 2, 3], "other": [[1], [], None]})
        pyarrow.parquet.write_table(table, file, row_group_size=2)
        found = list(rows([str(file)], id="n"))
        assert [(row.text, row.id) for row in found] == [("a", "1"), (None, "2"), ("c", "3")]
        assert [row.source[-2:] for row in found] == ["#1", "#2", "#3"]
        assert found[1].error == "InvalidDocument: 'text' must be a text, and is nothing"
        with pytest.raises(sg.InvalidDocument, match=r"has no column 'body': its columns are text, n, other"):
            list(rows([str(file)], text="body"))

    def test_folders_are_read_in_order_without_hidden_files(self, tmp_path: Path):
        for name in ("b.txt", "a/c.csv", "a/.d.txt", ".e/f.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(name)
        found = [os.path.relpath(row.source, tmp_path) for row in rows([str(tmp_path)])]
        assert found == ["a/c.csv", "b.txt"]

    def test_what_is_not_there_or_not_read(self, tmp_path: Path):
        with pytest.raises(sg.InvalidDocument, match="nowhere does not exist"):
            list(rows([str(tmp_path / "nowhere")]))
        (tmp_path / "x.parquet").touch()
        with pytest.raises(sg.InvalidDocument, match=r"x.parquet cannot be read as Parquet"):
            list(rows([str(tmp_path / "x.parquet")]))
        (tmp_path / "empty.jsonl").touch()
        assert list(rows([str(tmp_path / "empty.jsonl")])) == []

    def test_keys_are_those_of_documents_and_settings(self, tmp_path: Path):
        one, other = tmp_path / "a.txt", tmp_path / "b.txt"
        one.write_text("same")
        other.write_text("same")
        assert BatchRow(str(one)).key("s") == BatchRow(str(other)).key("s") != BatchRow(str(one)).key("t")
        assert (
            BatchRow("x#1", "same").key("s")
            == BatchRow("y#2", "same").key("s")
            != BatchRow("x#1", "other").key("s")
        )
        assert BatchRow("x#1", error="broken").key("s") != BatchRow("x#2", error="broken").key("s")


def test_a_row_of_five_megabytes_is_an_error_and_equal_rows_are_equal():
    worker = RowWorker({"type": "boolean"}, Options(steps=1))
    given = [BatchRow("x#1", "order 7. " * 600_000), BatchRow("x#2", "order 7"), BatchRow("x#3", "order 7")]
    asked = [(row, row.key(worker.settings(None))) for row in given]
    large, one, other = sorted(
        (line for _, line in worker.lines(toy(), asked)), key=lambda line: line["source"]
    )
    assert large["error"].startswith("InvalidDocument: the document is longer than 512 prompts")
    assert (one["key"], one["value"], one["error"]) == (other["key"], other["value"], "")


class TestTheStore:
    def test_a_file_is_not_overwritten(self, tmp_path: Path):
        out = tmp_path / "out.jsonl"
        out.write_text("precious\n")
        with pytest.raises(
            sg.InvalidOption, match=r"out.jsonl exists: pass --resume to go on with it, or remove it"
        ):
            Store(out, "s")
        assert out.read_text() == "precious\n"

    def test_lines_of_other_settings_are_kept_beside(self, tmp_path: Path):
        out = tmp_path / "out.jsonl"
        first = Store(out, "s")
        first.write({"error": ""}, '{"key": "1", "error": ""}')
        first.finish()
        second = Store(out, "t", resume=True)
        second.finish()
        assert second.restarted is not None
        assert (second.restarted.read_text(), out.read_text()) == ('{"key": "1", "error": ""}\n', "")

    def test_a_line_that_was_not_finished_is_cut_off(self, tmp_path: Path):
        out = tmp_path / "out.jsonl"
        store = Store(out, "s")
        store.write({"error": ""}, '{"key": "1", "error": ""}')
        store.close()
        with Path(f"{out}.part").open("ab") as file:
            file.write(b'{"key": "2", "er')
        again = Store(out, "s", resume=True)
        assert (again.answers("1"), again.answers("1"), again.answers("2")) == (True, False, False)
        again.write({"error": ""}, '{"key": "2", "error": ""}')
        again.finish()
        assert [line["key"] for line in lines(out)] == ["1", "2"]

    def test_lines_of_somebody_else_are_not_cut_off(self, tmp_path: Path):
        out = tmp_path / "out.jsonl"
        store = Store(out, "s")
        store.write({"error": ""}, '{"key": "1", "error": ""}')
        store.close()
        part = Path(f"{out}.part")
        text = 'precious\n{"key": "1", "error": ""}\n'
        part.write_text(text)
        for retry_errors in (False, True):
            with pytest.raises(sg.InvalidOption, match=r"line 1 of .* is none that a batch has written"):
                Store(out, "s", resume=True, retry_errors=retry_errors)
            assert part.read_text() == text

    def test_errors_are_tried_again_only_if_asked_for(self, tmp_path: Path):
        out = tmp_path / "out.jsonl"
        store = Store(out, "s")
        for key, error in (("1", ""), ("2", "broken")):
            store.write({"error": error}, json.dumps({"key": key, "error": error}))
        store.finish()
        again = Store(out, "s", resume=True)
        assert (again.failed, again.answers("2")) == (1, True)
        again.finish()
        again = Store(out, "s", resume=True, retry_errors=True)
        assert (again.failed, again.answers("2"), again.answers("1")) == (0, False, True)

    def test_parquet_is_written_at_the_end_and_gone_on_with(self, tmp_path: Path):
        out = tmp_path / "out.parquet"
        given = [
            {
                "key": "1",
                "source": "x#1",
                "value": {"total": Decimal("2.50")},
                "warnings": ["w"],
                "error": "",
            },
            {"key": "2", "source": "x#2", "id": "b", "error": "broken", "pointer": "/a"},
            {
                "key": "3",
                "source": "x#3",
                "value": None,
                "warnings": [],
                "error": "",
                "confidence": {"/a": 0.5},
            },
        ]
        for line in given:
            store = Store(out, "s", resume=True, spelled=json_line)
            store.write(line, json_line(line))
            store.finish()
            assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "out.parquet.settings"]
        found = pyarrow.parquet.read_table(out)
        assert found.schema.field("error").type == pyarrow.string()
        assert found["error"].to_pylist() == ["", "broken", ""]
        assert found["value"].to_pylist() == ['{"total": 2.50}', None, "null"]
        assert found["warnings"].to_pylist() == [["w"], None, []]
        assert found["details"].to_pylist() == [None, None, '{"confidence": {"/a": 0.5}}']

    def test_an_error_is_a_text_also_where_no_row_has_one(self, tmp_path: Path):
        store = Store(tmp_path / "out.parquet", "s")
        store.finish()
        assert pyarrow.parquet.read_schema(store.path).field("error").type == pyarrow.string()

    def test_a_disk_that_fills_up_leaves_whole_lines(self, tmp_path: Path):
        """A limit on the size of files stands for a disk that is full in the middle of a line."""
        source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
        source.write_text("".join(json.dumps({"text": "x" * n}) + "\n" for n in range(200)))
        command = [sys.executable, "-m", "batch.toy", str(source), str(out)]
        full = subprocess.run(
            command,
            cwd=TESTS,
            capture_output=True,
            text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9_999, 9_999)),
        )
        assert "File too large; what it holds is kept, go on with --resume" in full.stderr
        subprocess.run([*command, "--resume"], cwd=TESTS, check=True)
        assert Counter(line["key"] for line in lines(out)) == keys(source)

    def test_where_nothing_can_be_written(self, tmp_path: Path):
        with pytest.raises(sg.InvalidOption, match="cannot be written: No such file or directory"):
            Store(tmp_path / "no folder" / "out.jsonl", "s")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_disk_is_one_sentence(self, tmp_path: Path):
        store = Store(tmp_path / "out.jsonl", "s")
        store._file.close()
        store._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115  # type: ignore[assignment]
        with pytest.raises(
            sg.InvalidOption, match="No space left on device; what it holds is kept, go on with --resume"
        ):
            store.write({"error": ""}, "{}")


class TestWorkers:
    @pytest.mark.parametrize("workers", [1, 3])
    def test_every_row_is_answered_once(self, workers: int):
        given = [BatchRow(f"x#{number}", "x" * number) for number in range(40)]
        found = dict(answered(iter(given), make, workers, lost))
        assert found == {row: str(len(row.text or "")) for row in given}

    def test_a_worker_that_dies_loses_no_row_but_the_one_that_kills_it(self, tmp_path: Path):
        given = [BatchRow(f"x#{number}", "x" * number) for number in range(12)]
        given[3], given[7] = BatchRow("x#3", "die"), BatchRow("x#7", f"die once {tmp_path / 'mark'}")
        found = Counter((row.source, text) for row, text in answered(iter(given), make, 2, lost))
        wanted = {(row.source, "lost" if row.text == "die" else str(len(row.text or ""))) for row in given}
        assert found == Counter(wanted)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_what_no_worker_can_load_is_told(self, workers: int):
        with pytest.raises(ValueError, match="no model of this name"):
            list(answered(iter([BatchRow("x#1", "x")]), refuses, workers, lost))


def test_a_batch_that_is_killed_again_and_again_has_every_row_once(tmp_path: Path):
    """SIGKILL at ten random moments; rows that are equal are as many in the output as in the input."""
    source, out, chance = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", random.Random(5)
    source.write_text("".join(json.dumps({"text": "x" * chance.randrange(300)}) + "\n" for _ in range(3000)))
    command = [sys.executable, "-m", "batch.toy", str(source), str(out)]
    part = Path(f"{out}.part")
    recomputed = 0
    for kill in range(10):
        before = part.read_bytes().count(b"\n") if part.exists() else 0
        process = subprocess.Popen([*command, *(["--resume"] if kill else [])], cwd=TESTS)
        goal = before + chance.randrange(1, 250)
        while process.poll() is None and (not part.exists() or part.read_bytes().count(b"\n") < goal):
            time.sleep(0.001)
        process.kill()
        process.wait()
        kept = part.read_bytes().count(b"\n") if part.exists() else 0
        recomputed += kept < before
    subprocess.run([*command, "--resume"], cwd=TESTS, check=True)
    assert recomputed == 0
    assert Counter(line["key"] for line in lines(out)) == keys(source)
    assert not part.exists()
