"""Real schemas as structgen reads them by default: strict about what is not declared, and honest about the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.recogniser import recognises
from conformance.suites import MASKBENCH, Group, maskbench
from structgen.errors import StructgenError, Unsupported
from structgen.sources.json_schema import JsonSchema


@pytest.fixture(scope="module")
def groups() -> list[Group]:
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    return list(maskbench(every=25, start=9))


def test_no_invalid_instance_is_accepted(groups: list[Group]):
    right = lowered = 0
    wrong: list[tuple[str, Any]] = []
    for group in groups:
        try:
            grammar = JsonSchema(group.schema, unknown="ignore").lower()
        except StructgenError:
            continue
        lowered += 1
        answers = [
            (v, valid, recognises(grammar, json.dumps(v, ensure_ascii=False))) for v, valid in group.instances
        ]
        wrong += [(group.name, value) for value, valid, accepted in answers if accepted and not valid]
        right += all(accepted for _, valid, accepted in answers if valid)
    assert wrong == []
    assert lowered >= 0.9 * len(groups)
    assert right >= 0.7 * lowered  # the others have members that are not declared


def test_every_schema_is_lowered_or_refused_with_a_pointer(groups: list[Group]):
    for group in groups:
        refusal = _refusal(group.schema)
        if isinstance(refusal, Unsupported):
            assert refusal.remedy, group.name
        elif refusal is not None:
            assert getattr(refusal, "pointer", None) is not None, group.name


def _refusal(schema: Any) -> StructgenError | None:
    try:
        JsonSchema(schema).lower()
    except StructgenError as error:
        return error
    return None
