"""The sealed sets: gold values satisfy their schemas and stand in the documents; no kind of theirs is trained on."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from training.asked import asked_documents

TRAINING = Path(__file__).parents[2] / "engine/training"
UNSEEN, RECEIPTS = TRAINING / "unseen.jsonl", TRAINING / "receipts.jsonl"
WRITTEN = TRAINING / "written"
REWRITTEN = {"format", "enum", "pattern", "const"}  # keywords of strings that need not stand in the document


def entries(file: Path) -> list[dict[str, Any]]:
    """The entries of a set, one a line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def folded(text: str) -> str:
    """A text with single spaces, whatever white space it had."""
    return " ".join(text.split())


def copied(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Iterator[str]:
    """The strings of a value that its schema leaves as the document has them."""
    if "$ref" in schema:
        yield from copied(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    elif "anyOf" in schema:
        yield from copied(schema["anyOf"][0], value, root)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from copied(schema["properties"][name], part, root)
    elif isinstance(value, list):
        for part in value:
            yield from copied(schema["items"], part, root)
    elif isinstance(value, str) and not REWRITTEN & schema.keys():
        yield value


def named_kinds(value: Any) -> Iterator[str]:
    """Every `kind` that a parsed TOML file names, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("kind"), str):
            yield value["kind"]
        for part in value.values():
            yield from named_kinds(part)
    elif isinstance(value, list):
        for part in value:
            yield from named_kinds(part)


def plain(kind: str) -> str:
    """A kind in lower case, its words parted by single spaces."""
    return folded(re.sub(r"[\W_]+", " ", kind.casefold()))


@pytest.mark.parametrize("file", [UNSEEN, RECEIPTS], ids=lambda file: file.stem)
def test_every_gold_value_satisfies_its_schema_and_stands_in_its_document(file: Path):
    found = entries(file)
    assert len(found) == len({entry["id"] for entry in found}) == 100
    for entry in found:
        Draft202012Validator.check_schema(entry["schema"])
        judge = Draft202012Validator(entry["schema"], format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert judge.is_valid(entry["value"]), entry["id"]
        document = folded(entry["document"])
        assert all(
            folded(text) in document for text in copied(entry["schema"], entry["value"], entry["schema"])
        ), entry["id"]


def test_no_kind_of_the_unseen_set_is_trained_on():
    sealed = [plain(entry["kind"]) for entry in entries(UNSEEN)]
    trained = {
        plain(kind)
        for file in sorted(WRITTEN.glob("*.toml"))
        for kind in named_kinds(tomllib.loads(file.read_text(encoding="utf-8")))
    }
    trained |= {plain(one.kind) for one in asked_documents()}
    assert sorted(set(sealed)) == sorted(sealed)[::2], "two documents of each kind"
    assert not trained & set(sealed)
