"""What compiled schemas generate is valid: a fraction of `python -m conformance samples` on every run."""

from __future__ import annotations

import pytest

from conformance.samples import drawn, ecma_patterns
from conformance.suites import MASKBENCH, maskbench

SAMPLES = 20


def test_random_texts_of_real_schemas_are_valid():
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    with ecma_patterns():
        found = {group.name: drawn(group, SAMPLES) for group in maskbench(every=90, start=7)}
    assert {name: some.wrong for name, some in found.items() if some and some.wrong} == {}
    assert sum(some.count for some in found.values() if some) > 300
