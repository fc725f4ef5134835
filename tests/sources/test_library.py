"""The library: each grammar accepts and rejects what its cases say, as bytes and as tokens, and ships in the wheel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

import structgen as sg
from structgen.sources.library import FOLDERS, library

ROOT = Path(__file__).parents[2]
TOKENIZERS = ("gemma3", "llama3", "qwen3")
FEWEST = 20  # cases of either kind


@pytest.mark.parametrize("name", library)
def test_its_cases_hold(name: str) -> None:
    entry, constraint = library.entry(name), sg.compile(sg.library[name])
    assert [text for text in entry.accept if not constraint.accepts(text)] == []
    assert [text for text in entry.reject if constraint.accepts(text)] == []


@pytest.mark.parametrize("file", TOKENIZERS)
@pytest.mark.parametrize("name", library)
def test_its_cases_hold_over_the_tokens_of_real_vocabularies(
    name: str, file: str, real_vocabulary: Callable[[str], sg.Vocabulary]
) -> None:
    entry, tokens = library.entry(name), real_vocabulary(file)
    constraint = sg.compile(entry.source, tokens)
    assert [text for text in entry.accept if not constraint.accepts_ids(tokens.encode(text))] == []
    assert [text for text in entry.reject if constraint.accepts_ids(tokens.encode(text))] == []


@pytest.mark.parametrize("name", library)
def test_it_is_described(name: str) -> None:
    entry = library.entry(name)
    assert all(dataclasses.astuple(entry)[:3])
    assert entry.url.startswith("https://")
    for cases in (entry.accept, entry.reject):
        assert len(set(cases)) == len(cases) >= FEWEST


def test_it_is_a_mapping() -> None:
    assert {"json", "iso-date", "uuid"} <= {*sg.library}
    assert len(sg.library) == len([*sg.library]) == len(sg.library.items())
    assert sg.library.get("no such grammar") is None
    assert "json" in sg.library


@pytest.mark.parametrize(
    ("name", "said"),
    [("iso-dat", "did you mean iso-date"), ("JSON", "did you mean json"), ("qqq", "it has .*arithmetic")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(sg.InvalidSource, match=said):
        sg.library[name]


def test_every_grammar_has_its_cases_and_every_case_file_its_grammar() -> None:
    folder = FOLDERS[1]
    assert {path.stem for path in folder.glob("*.toml")} == {*library}


def test_the_wheel_ships_them() -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    files = {one.distribution_path for one in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    kinds = ((name, kind) for name in library for kind in (library.entry(name).notation, ".toml"))
    assert {f"structgen/grammars/{name}{kind}" for name, kind in kinds} <= files
