"""A seeded part of `python -m conformance lattices`: random automata against enumeration, and chi-squares of draws."""

from __future__ import annotations

from types import ModuleType

import pytest

from conformance.lattices import NEAR, run
from structgen_engine.kernels import cpu, reference


@pytest.mark.parametrize("backend", [cpu, reference], ids=["cpu", "reference"])
def test_random_automata_equal_enumeration_and_draws_follow_it(backend: ModuleType) -> None:
    tally = run(200, backend, first=1000, every=40, draws=500)
    assert {what: error for what, error in tally.errors.items() if error > NEAR} == {}
    assert 10 < tally.empty < 150
    assert min(tally.p) > 1e-4
