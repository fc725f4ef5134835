"""Ray Data on a cluster of this machine: every row once, whichever worker is killed, and nothing computed again.

Part of `make test-ray`, which has Ray in an environment of its own: it is not in the one of `make test`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed: run `make test-ray`")

import pyarrow
import pyarrow.parquet
import ray
import ray.data
from pydantic import BaseModel

import material
import structgen as sg
from batch.command import toy
from integrations.ray_cluster import BEGUN, begun, noting_toy, running
from structgen.batch import BatchRow
from structgen.batch.worker import RowWorker
from structgen.generation.options import Options
from structgen.generation.plain import json_line
from structgen.integrations.ray import ADDED, extract

ROWS = 400
SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "number", "minimum": 0, "maximum": 99}},
    "required": ["number"],
}


class Invoice(BaseModel):
    vendor: str
    total: float


HOW: Any = {"model": noting_toy, "actors": 2, "steps": 1, "block": 20}


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("starts") / "begun"


@pytest.fixture(scope="module")
def cluster(starts: Path) -> Iterator[None]:
    """Two workers of half a CPU each, and room for the tasks that read, filter and write."""
    with running(4, **{BEGUN: str(starts)}) as address:
        ray.init(address=address, log_to_driver=False)
        ray.data.DataContext.get_current().enable_progress_bars = False
        ray.data.range(8, override_num_blocks=4).materialize()  # the processes of tasks are up
        yield
        ray.shutdown()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One small Parquet file, which Ray reads as one block. The last rows have nothing to read."""
    texts: list[str | None] = [f"order {k}: {k % 7} pieces" for k in range(ROWS)]
    texts[-3:] = ["", None, " "]
    path = tmp_path / "in" / "rows.parquet"
    path.parent.mkdir()
    pyarrow.parquet.write_table(
        pyarrow.table({"id": range(ROWS), "text": texts, "price": [12.5] * ROWS}), path
    )
    return path


def kill_one(path: Path, after: int) -> list[int]:
    """SIGKILL for the worker that began the last row, once so many rows are begun; a list that will have its id."""
    killed: list[int] = []

    def wait() -> None:
        while len(found := begun(path)) < after:
            time.sleep(0.01)
        killed.append(found[-1][0])
        os.kill(found[-1][0], signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
    return killed


def test_one_of_two_workers_is_killed_and_a_second_run_computes_nothing(
    cluster: None, starts: Path, source: Path, tmp_path: Path
):
    """The first run loses a worker in its middle: 400 ids of 400 once, errors too. The second finds all noted."""
    out, checkpoint = tmp_path / "out", tmp_path / "checkpoint"
    killed, start = kill_one(starts, ROWS // 2), time.monotonic()
    extract(ray.data.read_parquet(str(source.parent)), SCHEMA, checkpoint=checkpoint, **HOW).write_parquet(
        str(out)
    )
    seconds, table = time.monotonic() - start, pyarrow.parquet.read_table(out)
    again = len(begun(starts)) - ROWS
    print(f"\n{table.num_rows} rows in {seconds:.1f} s, {again} of them computed again")
    assert len(killed) == 1
    assert len({pid for pid, _ in begun(starts)}) >= 3  # two workers, and the one in place of the one killed
    assert sorted(table["id"].to_pylist()) == list(range(ROWS))
    errors = dict(zip(table["id"].to_pylist(), table["error"].to_pylist(), strict=True))
    assert {k for k, error in errors.items() if error} == {ROWS - 3, ROWS - 2, ROWS - 1}
    assert table.schema.field("error").type == pyarrow.string()
    assert errors[ROWS - 2] == "InvalidDocument: 'text' must be a text, and is nothing"
    before = len(begun(starts))
    second = extract(ray.data.read_parquet(str(source.parent)), SCHEMA, checkpoint=checkpoint, **HOW)
    second.write_parquet(str(out))
    assert len(begun(starts)) == before
    assert sorted(pyarrow.parquet.read_table(out)["id"].to_pylist()) == list(range(ROWS))
    assert seconds <= 60


def test_answers_are_those_of_a_batch(cluster: None, source: Path):
    """The same keys, seeds and digits as the worker of `structgen batch`; the columns of the input keep their types."""
    worker = RowWorker(SCHEMA, Options(steps=1, seed=3))
    table = pyarrow.parquet.read_table(source).slice(ROWS - 20)
    how = {**HOW, "model": toy}
    found = extract(ray.data.from_arrow(table), SCHEMA, seed=3, **how).to_pandas()
    settings = worker.settings(f"{toy.__module__}.{toy.__qualname__}")
    rows = [BatchRow("", text) for text in table["text"].to_pylist()[:-3]]
    lines = {key: line for (_, key), line in worker.lines(toy(), [(row, row.key(settings)) for row in rows])}
    assert len(lines) == 17
    for row in found.to_dict("records")[:-3]:
        assert json_line(lines[row["key"]]["value"]) == row["value"]
        assert row["price"] == 12.5
    assert list(found.columns) == ["id", "text", "price", *ADDED]


def test_the_page_runs(cluster: None, tmp_path: Path):
    """What the page about pipelines says of Ray Data, with the embedded model."""
    page = (material.ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    code = next(one for one in blocks if one.startswith("import ray\n")).replace("/data/", f"{tmp_path}/")
    (tmp_path / "bills").mkdir()
    table = pyarrow.table({"id": [1, 2], "body": ["Invoice from Acme Ltd, total 289.50 EUR", ""]})
    pyarrow.parquet.write_table(table, tmp_path / "bills" / "a.parquet")
    exec(code, {"Invoice": Invoice})
    found = sorted(pyarrow.parquet.read_table(tmp_path / "answers").to_pylist(), key=lambda row: row["id"])
    assert [row["value"] for row in found] == ['{"vendor": "Acme Ltd", "total": 289.50}', None]
    assert [row["error"][:15] for row in found] == ["", "InvalidDocument"]


def test_numbers_keep_their_digits(cluster: None):
    schema = {"type": "object", "properties": {"n": {"enum": [12.50]}}, "required": ["n"]}
    text = json.dumps(schema)
    found = extract(ray.data.from_items([{"text": text}]), schema, **{**HOW, "model": toy}).take_all()
    value = sg.JsonSchema(schema).parse(found[0]["value"])
    assert value == {"n": 12.5}


def test_ids_that_repeat_texts_are_all_there(cluster: None, starts: Path, tmp_path: Path):
    """With an id column the checkpoint notes ids; without, it counts the rows of each text."""
    path = tmp_path / "in" / "rows.parquet"
    path.parent.mkdir()
    pyarrow.parquet.write_table(
        pyarrow.table({"id": range(20), "text": [f"{k % 5}" for k in range(20)]}), path
    )
    for name in (None, "id"):
        for _ in range(2):
            data = ray.data.read_parquet(str(path.parent))
            answers = extract(data, SCHEMA, checkpoint=tmp_path / f"to {name}", id_column=name, **HOW)
            answers.write_parquet(str(tmp_path / f"by {name}"))
        table = pyarrow.parquet.read_table(tmp_path / f"by {name}")
        assert Counter(table["id"].to_pylist()) == Counter(range(20))
    before = len(begun(starts))
    other = extract(
        ray.data.read_parquet(str(path.parent)), SCHEMA, checkpoint=tmp_path / "to id", seed=9, **HOW
    )
    other.write_parquet(str(tmp_path / "other"))
    assert len(begun(starts)) == before + 20  # other settings have a checkpoint of their own


class TestBeforeTheRun:
    def test_columns_that_are_missing_or_taken(self, cluster: None):
        data = ray.data.from_items([{"text": "a", "value": 1}])
        with pytest.raises(sg.InvalidOption, match=r"there is no column 'body': the columns are text, value"):
            extract(data, SCHEMA, text_column="body", **HOW)
        with pytest.raises(sg.InvalidOption, match=r"there is a column 'value', which the answers need"):
            extract(data, SCHEMA, **HOW)

    def test_actors_that_leave_no_cpu_to_the_reader(self, cluster: None):
        data = ray.data.from_items([{"text": "a"}])
        with pytest.warns(
            UserWarning, match=r"the actors take 4 of the cluster's 4 CPUs, and Ray needs 1 beside"
        ):
            extract(data, SCHEMA, **{**HOW, "actors": 4, "num_cpus": 1})
        with pytest.warns(
            UserWarning, match=r"the actors take 2.5 of .*needs 2 beside them to read, to filter and"
        ):
            extract(data, SCHEMA, checkpoint="/tmp/x", **{**HOW, "actors": 5})

    def test_options_that_there_are_none_of(self, cluster: None):
        with pytest.raises(TypeError, match="takes no argument 'temperature'"):
            extract(ray.data.from_items([{"text": "a"}]), SCHEMA, temperature=1, **HOW)
