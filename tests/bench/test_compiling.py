"""The benchmark of compile times: which schemas it reads, and what it counts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from bench.compiling import bfcl_live, compiled, json_mode
from structgen.tokens.vocabulary import BYTES

OBJECT = {"type": "dict", "properties": {"n": {"type": "float"}}}


def kept(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def test_it_reads_the_schemas_of_json_mode_eval(tmp_path: Path) -> None:
    rows = [{"name": "JME_1", "schema": {"type": "null"}}, {"name": "Kubernetes---x", "schema": {}}]
    assert list(json_mode(kept(tmp_path / "rows.gz", rows))) == [{"type": "null"}]


def test_it_reads_each_function_of_live_questions_once(tmp_path: Path) -> None:
    live = {"category": "live_simple", "function": [{"parameters": OBJECT}, {"parameters": OBJECT}]}
    rows = [live, live, {"category": "simple_python", "function": [{"parameters": {"type": "dict"}}]}]
    found = list(bfcl_live(kept(tmp_path / "rows.gz", rows)))
    assert found == [{"type": "object", "properties": {"n": {"type": "number"}}}]


def test_a_refused_schema_is_counted_apart() -> None:
    found = compiled([{"type": "null"}, {"type": "nul"}], BYTES)
    assert (found.schemas, found.refused, found.lazy) == (2, 1, 0)
    assert len(found.states) == len(found.seconds) == 4
