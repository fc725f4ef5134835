"""The two collections of schemas with instances: MaskBench, and the official JSON Schema test suite.

Neither is part of the project; both are read from the folder of shared test data where that is present.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[3] / "shared" / "data"
MASKBENCH = SHARED / "maskbench_dev.jsonl.gz"
SUITE = SHARED / "json-schema-test-suite-2020-12.tar.gz"


@dataclass(frozen=True)
class Group:
    """One schema, instances with whether each is valid, and other documents that references may name."""

    name: str
    schema: Any
    instances: tuple[tuple[Any, bool], ...]
    resources: Mapping[str, Any] = field(default_factory=dict)


def maskbench(every: int = 1, start: int = 0) -> Iterator[Group]:
    """MaskBench's developers' part, or each so-manieth schema of it."""
    with gzip.open(MASKBENCH, "rt") as lines:
        for index, line in enumerate(lines):
            if index % every == start:
                row = json.loads(line)
                yield Group(row["name"], row["schema"], _instances(row["tests"]))


def official(every: int = 1, start: int = 0) -> Iterator[Group]:
    """The required part of the official suite, draft 2020-12."""
    with tarfile.open(SUITE) as archive:
        files = {m.name: m for m in archive.getmembers() if m.isfile() and m.name.endswith(".json")}
        contents = {name: json.load(_opened(archive, member)) for name, member in files.items()}
    remotes = {
        f"http://localhost:1234/{name.removeprefix('remotes/')}": document
        for name, document in contents.items()
        if name.startswith("remotes/")
    }
    index = 0
    for name in sorted(contents):
        if "draft2020-12/" not in name or "optional" in name or name.startswith("remotes/"):
            continue
        for number, case in enumerate(contents[name]):
            if index % every == start:
                title = f"{Path(name).stem}/{number}"
                yield Group(title, case["schema"], _instances(case["tests"]), remotes)
            index += 1


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    opened = archive.extractfile(member)
    assert opened is not None
    return opened


def _instances(tests: list[dict[str, Any]]) -> tuple[tuple[Any, bool], ...]:
    return tuple((test["data"], test["valid"]) for test in tests)
