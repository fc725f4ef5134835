"""Real schemas: nothing invalid is accepted, and hardly anything valid is left out."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from structgen.automata import Table, compile_bytes
from structgen.errors import StructgenError, Unsupported
from structgen.sources.json_schema import JsonSchema

DATA = Path(__file__).parents[3] / "shared" / "data" / "maskbench_dev.jsonl.gz"
SAMPLE = 100
LONG = 2000  # schemas that count further than this make automata too large for a quick test


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    if not DATA.exists():
        pytest.skip(f"{DATA.name} is not in the folder of shared test data")
    with gzip.open(DATA, "rt") as lines:
        return [json.loads(line) for line in lines]


def _accepts(table: Table, text: str) -> bool:
    delta, state = table.delta(), 1
    for byte in text.encode():
        state = delta[state, table.class_of[byte]]
    return bool(table.accepting[state])


def _counts_far(schema: Any) -> bool:
    if isinstance(schema, dict):
        far = any(
            isinstance(schema.get(k), int) and schema[k] > LONG
            for k in ("maxLength", "maxItems", "minLength")
        )
        return far or any(map(_counts_far, schema.values()))
    return isinstance(schema, list) and any(map(_counts_far, schema))


def test_no_invalid_instance_is_accepted(rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]):
    random.Random(1).shuffle(rows)
    right = missed = compiled = 0
    wrong: list[tuple[str, Any]] = []
    for row in rows:
        if compiled == SAMPLE:
            break
        if _counts_far(row["schema"]):
            continue
        try:
            table = compile_bytes(JsonSchema(row["schema"], unknown="ignore").lower())
        except StructgenError:
            continue
        compiled += 1
        answers = [(t, _accepts(table, json.dumps(t["data"], ensure_ascii=False))) for t in row["tests"]]
        wrong += [(row["name"], t["data"]) for t, accepted in answers if accepted and not t["valid"]]
        left_out = sum(t["valid"] and not accepted for t, accepted in answers)
        missed += left_out
        right += not left_out
    with capsys.disabled():
        print(f"\nMaskBench: {compiled} schemas, {right} fully right, {missed} valid instances not generated")
    assert wrong == []
    assert right >= 0.85 * compiled


def test_every_schema_is_lowered_or_refused_with_a_pointer(rows: list[dict[str, Any]]):
    for row in rows[::5]:
        refusal = _refusal(row["schema"])
        if isinstance(refusal, Unsupported):
            assert refusal.remedy, row["name"]
        elif refusal is not None:
            assert getattr(refusal, "pointer", None) is not None, row["name"]


def _refusal(schema: Any) -> StructgenError | None:
    try:
        JsonSchema(schema).lower()
    except StructgenError as error:
        return error
    return None
