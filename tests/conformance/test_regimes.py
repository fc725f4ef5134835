"""A schema compiles to the same in every process: a fraction of `python -m conformance regimes` on every run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.regimes import EXPLOSIONS, OUT_OF_TIME, Fresh, differing, outcome
from conformance.suites import MASKBENCH, maskbench


@pytest.fixture(scope="module")
def fresh() -> Iterator[Fresh]:
    process = Fresh()
    yield process
    process.close()


def test_real_schemas_compile_to_the_same_in_every_process(fresh):
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    schemas = {group.name: group.schema for group in maskbench(every=60, start=11)}
    assert {name: found for name, found in differing(schemas, fresh) if len(found) > 1} == {}


@pytest.mark.parametrize(
    "name", ["an enum of 10,000", "oneOf of 200 tagged objects", "500 members", "multiples of 997"]
)
def test_small_schemas_of_which_much_comes_compile_to_the_same_in_every_process(name, fresh):
    ((_, found),) = differing({name: EXPLOSIONS[name]}, fresh)
    assert len(found) == 1
    assert not found[0].refusal


@pytest.mark.parametrize("name", EXPLOSIONS)
def test_explosions_compile_or_are_refused_before_the_time_is_up(name, monkeypatch):
    monkeypatch.setenv("STRUCTGEN_CACHE", "")
    assert outcome(EXPLOSIONS[name]) != OUT_OF_TIME
