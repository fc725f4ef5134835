"""The generator's laws: seeded, honest about where values stand, and split without leaks."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from structgen.scaffold import compact
from training import phrases
from training.documents import SPLITS, Sample, make_sample
from training.pools import Pools, held_out, make_pools


@pytest.fixture(scope="module")
def pools() -> Pools:
    return make_pools(size=400)


def samples(pools: Pools, count: int, split: str = "train", seed: int = 3) -> Iterator[Sample]:
    rng = random.Random(seed)
    return (make_sample(rng, pools, split) for _ in range(count))


def scalars(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from scalars(part, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from scalars(part, f"{pointer}/{index}")
    else:
        yield pointer, value


def test_equal_seeds_give_equal_samples(pools: Pools) -> None:
    assert list(samples(pools, 50)) == list(samples(pools, 50))
    assert make_pools(size=100) == make_pools(size=100)


def test_equal_seeds_give_equal_samples_in_every_process() -> None:
    program = (
        "import hashlib, random\n"
        "from training.documents import make_sample\n"
        "from training.pools import make_pools\n"
        "pools, rng = make_pools(0, 120), random.Random(1)\n"
        "print(hashlib.sha256(repr([make_sample(rng, pools) for _ in range(30)]).encode()).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    prints = set()
    for seed in ("1", "2"):
        path = os.pathsep.join([str(root), str(root / "engine")])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
        )
        prints.add(done.stdout)
    assert len(prints) == 1


def test_spans_are_the_surface_text_of_the_values(pools: Pools) -> None:
    for sample in samples(pools, 300):
        for span in sample.spans:
            assert sample.document[span.start : span.end] == span.surface


def test_every_value_has_a_span_unless_it_is_missing(pools: Pools) -> None:
    for sample in samples(pools, 300):
        placed = {span.pointer for span in sample.spans}
        for pointer, value in scalars(sample.value):
            assert (pointer in placed) == (value is not None and value != ""), pointer


def test_a_plain_string_is_copied_from_its_span(pools: Pools) -> None:
    for sample in samples(pools, 300):
        surfaces = {span.pointer: span.surface for span in sample.spans}
        for name, schema in sample.schema["properties"].items():
            if schema == {"type": "string"} and sample.value.get(name):
                assert surfaces[f"/{name}"] == sample.value[name]


@pytest.mark.parametrize("split", SPLITS)
def test_values_obey_their_schema(pools: Pools, split: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for sample in samples(pools, 200, split):
        jsonschema.validate(sample.value, sample.schema)
        assert compact(sample.value).startswith("{")


def test_pools_never_mix() -> None:
    pools = make_pools(size=400)
    for kind, values in pools.train.items():
        assert not set(values) & set(pools.held[kind])
        assert not any(map(held_out, values))
        assert values
        assert pools.held[kind]


def test_the_splits_share_no_known_field_names(pools: Pools) -> None:
    known = {
        name for names in phrases.NAMES.values() if any(held_out(one, 5) for one in names) for name in names
    }
    seen = {
        split: {name for one in samples(pools, 400, split) for name in one.schema["properties"]}
        for split in ("train", "names")
    }
    assert not {name for name in seen["train"] & known if held_out(name, 5)} - set(pools.train["word"])
    assert not {name for name in seen["names"] & known if not held_out(name, 5)} - set(pools.held["word"])


def test_samples_are_frozen() -> None:
    assert [one.name for one in fields(Sample)] == ["schema", "document", "value", "spans"]
