"""The two collections of schemas with instances: MaskBench, and the official JSON Schema test suite.

Neither is part of the project. MaskBench is read from the folder of shared test data; the official suite from a folder
or archive that JSON_SCHEMA_TEST_SUITE may name, else from the shared data or from what `python -m bench data` fetched.
"""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import material

MASKBENCH = material.SHARED / material.MASKBENCH
LATEST_SUITE = material.SHARED / "json-schema-test-suite-2020-12.tar.gz"
SUITE = material.FETCHED / material.SUITE

DRAFTS = {
    "4": "http://json-schema.org/draft-04/schema#",
    "6": "http://json-schema.org/draft-06/schema#",
    "7": "http://json-schema.org/draft-07/schema#",
    "2019-09": "https://json-schema.org/draft/2019-09/schema",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}


@dataclass(frozen=True)
class Group:
    """One schema, instances with whether each is valid, and other documents that references may name."""

    name: str
    schema: Any
    instances: tuple[tuple[Any, bool], ...]
    resources: Mapping[str, Any] = field(default_factory=dict)


def maskbench(every: int = 1, start: int = 0) -> Iterator[Group]:
    """MaskBench's developers' part, or each so-manieth schema of it."""
    return islice(rows(MASKBENCH), start, None, every)


def rows(path: Path) -> Iterator[Group]:
    """Schemas with their instances from gzipped JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yield Group(row["name"], row["schema"], _instances(row["tests"]))


def suite_of(draft: str) -> Path | None:
    """Where the official suite of a draft is: what the environment names, else what is at hand; None if nothing is."""
    named = os.environ.get("JSON_SCHEMA_TEST_SUITE")
    candidates = [Path(named)] if named else [LATEST_SUITE, SUITE] if draft == "2020-12" else [SUITE]
    return next((path for path in candidates if path.exists()), None)


def official(draft: str, suite: Path, every: int = 1, start: int = 0) -> Iterator[Group]:
    """The required part of the official suite in one draft, which schemas that name none are given."""
    wanted, remotes = dict[str, Any](), dict[str, Any]()
    for name, document in _documents(suite):
        if name.startswith("remotes/"):
            remotes[f"http://localhost:1234/{name.removeprefix('remotes/')}"] = document
        elif name.startswith(f"tests/draft{draft}/") and name.count("/") == 2:
            wanted[Path(name).stem] = document
    cases = [(f"{stem}: {case['description']}", case) for stem in sorted(wanted) for case in wanted[stem]]
    for title, case in cases[start::every]:
        schema = case["schema"]
        schema = {"$schema": DRAFTS[draft], **schema} if isinstance(schema, dict) else schema
        yield Group(title, schema, _instances(case["tests"]), remotes)


def _documents(suite: Path) -> Iterable[tuple[str, Any]]:
    """The JSON files of a suite, a folder or an archive, named from `tests/` and `remotes/` on."""
    if suite.is_dir():
        for path in suite.rglob("*.json"):
            yield from _named(str(path.relative_to(suite)), path.read_bytes())
        return
    with tarfile.open(suite) as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.name.endswith(".json") else None
            if opened is not None:
                yield from _named(member.name, opened.read())


def _named(name: str, text: bytes) -> Iterator[tuple[str, Any]]:
    top = next((top for top in ("tests/draft", "remotes/") if f"/{top}" in f"/{name}"), None)
    if top is not None:
        yield name[f"/{name}".index(f"/{top}") :], json.loads(text)


def _instances(tests: list[dict[str, Any]]) -> tuple[tuple[Any, bool], ...]:
    return tuple((test["data"], test["valid"]) for test in tests)
